"""Continuous batch of a causal model: the cache slot of a finished record goes to the next request at once.

Common prefixes are encoded once. Forced tokens are never sampled; they are fed together with the token before them
where that is cheaper.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.causal_state import SequenceState
from paracosm.generate.decoding.grammar_cache import GrammarCache
from paracosm.generate.decoding.kv_cache import PrefixSlots, SlotCache, attention_masks, round_up
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.token_sampler import TokenSampler

TOKENS_PER_PASS_OVERHEAD = 32
"""How many tokens take as long as the fixed cost of a forward pass."""
MAX_PREFIX_TOKENS = 4096
"""Most padded tokens of prefixes that are encoded in one forward pass."""


@dataclass(frozen=True)
class BatchSettings:
    """Shared by all batches of a decoder.

    Attributes:
        adapted: model, codec and token masks.
        grammar: compiled grammars and length limits.
        sampler: draws the next tokens.
        batch_size: records that are decoded at once.
        attempts: most attempts per accepted record, on average.
        keeps_logits: whether the model can return the logits of some positions only.
    """

    adapted: AdaptedModel
    grammar: GrammarCache
    sampler: TokenSampler
    batch_size: int
    attempts: int
    keeps_logits: bool


class ContinuousBatch:
    """The requests of one call: sequences in cache slots, and requests that wait for a slot."""

    def __init__(self, settings: BatchSettings, requests: Sequence[Request], seed: int) -> None:
        self.settings = settings
        self.adapted = settings.adapted
        self.device = settings.adapted.model.device
        self.seed = seed
        self.requests = requests
        self.waiting = deque(range(len(requests)))
        self.finished: list[SequenceState | None] = [None] * len(requests)
        self.slot_count = min(settings.batch_size, len(requests))
        self.cache = SlotCache(settings.adapted.model.config.num_hidden_layers, self.slot_count)
        # Per slot: its sequence, the index of its request, and how many of its tokens are in the cache.
        self.states: list[SequenceState | None] = [None] * self.slot_count
        self.request_of = [-1] * self.slot_count
        self.cached_tokens = np.zeros(self.slot_count, dtype=np.int64)
        self.tally = Tally()
        self.streams: dict[int, np.random.Generator] = {}
        self._prefixes = PrefixSlots()
        self._refused_tokens = 0

    def run(self) -> list[SequenceState]:
        """Return the finished sequences, in the order of their requests.

        Raises:
            DataError: conditions and rules refuse nearly every attempt.
        """
        self._fill(range(self.slot_count))
        while any(state is not None for state in self.states):
            self._shrink()
            logits, slots = self._step()
            self._draw(logits, slots)
            self._fill(slot for slot in range(self.slot_count) if self.states[slot] is None)
        return [state for state in self.finished if state is not None]

    def _begin(self, index: int) -> SequenceState:
        """Begin the record of a request; after a refusal it continues its random stream."""
        request = self.requests[index]
        if index not in self.streams:
            key = [self.seed % 2**64, request.number + (request.redraw << 48)]
            self.streams[index] = np.random.Generator(np.random.Philox(key=key))
        self.tally.attempts += 1
        grammar = self.settings.grammar
        steps = self.adapted.codec.steps(request.order)
        return SequenceState(grammar, request.guide or grammar.unconstrained, steps, self.streams[index])

    def _accept(self, index: int, state: SequenceState) -> bool:
        """Count a finished sequence and keep it; return False if it was refused."""
        if state.failure is None:
            self.tally.finished += 1
            self.tally.cut_texts += state.cut
            self.finished[index] = state
            self.streams.pop(index, None)
            return True
        self.tally.refusals[state.failure] += 1
        self._refused_tokens += len(state.ids)
        self._raise_if_infeasible()
        return False

    def _raise_if_infeasible(self) -> None:
        """Raise if too few attempts are accepted or get past the length at which the average attempt is refused."""
        tally, attempts = self.tally, self.settings.attempts
        if not tally.is_infeasible(attempts):
            return
        usual = self._refused_tokens / tally.refusals.total()
        past = sum(state is not None and len(state.ids) > usual for state in self.states)
        advice = "" if self.adapted.codec.markers else " (conditions: train with finetune.order=shuffled)"
        tally.raise_if_infeasible(attempts, in_progress=past, advice=advice)

    def _fill(self, slots: Iterable[int]) -> None:
        """Assign free slots to waiting requests, encode their prefixes and draw their first tokens."""
        free = deque(slots)
        while free and self.waiting:
            new: list[int] = []
            while free and self.waiting:
                index = self.waiting.popleft()
                state = self._begin(index)
                while state.finished and not self._accept(index, state):
                    state = self._begin(index)
                if not state.finished:
                    slot = free.popleft()
                    self.states[slot], self.request_of[slot] = state, index
                    new.append(slot)
            if new:
                self._draw(self._encode_prefixes(new), new)
            free.extend(slot for slot in new if self.states[slot] is None)

    def _encode_prefixes(self, slots: Sequence[int]) -> Tensor:
        """Encode the first tokens of the sequences in new slots, each distinct prefix once.

        Returns:
            (slots, columns), the scores after each prefix.
        """
        slots_of: dict[tuple[int, ...], list[int]] = {}
        for slot in slots:
            state = self._state(slot)
            state.restarts = False
            slots_of.setdefault(tuple(state.pending), []).append(slot)
            self.cached_tokens[slot] = len(state.pending)
            state.pending.clear()
        for group in _prefix_groups([prefix for prefix in slots_of if prefix not in self._prefixes]):
            firsts = [slots_of[prefix][0] for prefix in group]
            logits = self._forward(firsts, [list(prefix) for prefix in group], [0] * len(group))
            for prefix, slot, scores in zip(group, firsts, logits, strict=True):
                self._prefixes.add(prefix, slot, scores)
        scores_of = {}
        for prefix, members in slots_of.items():
            source, targets = self._prefixes.share(prefix, members)
            if targets:
                self.cache.copy(source, targets, len(prefix))
            scores_of |= dict.fromkeys(members, self._prefixes.scores(prefix))
        return torch.stack([scores_of[slot] for slot in slots])

    def _shrink(self) -> None:
        """Halve the batch once nothing waits and at most half of the slots are in use; move sequences to the front."""
        used = [slot for slot in range(self.slot_count) if self.states[slot] is not None]
        if self.waiting or len(used) > self.slot_count // 2:
            return
        self.slot_count = len(used)
        targets = [slot for slot in range(self.slot_count) if self.states[slot] is None]
        sources = [slot for slot in used if slot >= self.slot_count]
        if sources:
            self.cache.move(sources, targets)
        for source, target in zip(sources, targets, strict=True):
            self.states[target], self.states[source] = self.states[source], None
            self._prefixes.move(source, target)
            self.request_of[target] = self.request_of[source]
            self.cached_tokens[target] = self.cached_tokens[source]

    def _step(self) -> tuple[Tensor, list[int]]:
        """Feed some pending tokens of every slot; return the scores of the slots that have none left, and these slots."""
        states = self.states[: self.slot_count]
        width = _feed_width([len(state.pending) if state is not None else 0 for state in states])
        fed = [state.pending[:width] if state is not None else [] for state in states]
        begins = [int(self.cached_tokens[slot]) if tokens else 0 for slot, tokens in enumerate(fed)]
        logits = self._forward(None, fed, begins)
        ready = []
        for slot, (state, tokens) in enumerate(zip(states, fed, strict=True)):
            if state is not None:
                del state.pending[: len(tokens)]
                self.cached_tokens[slot] += len(tokens)
                if not state.pending:
                    ready.append(slot)
        return (logits if len(ready) == len(states) else logits[ready]), ready

    def _forward(
        self, slots: Sequence[int] | None, fed: Sequence[list[int]], begins: Sequence[int]
    ) -> Tensor:
        """Run the model over new tokens of some slots.

        Args:
            slots: slot of each row; None if the rows are the first slots.
            fed: tokens of each row; empty for an idle row.
            begins: position of each row's first token.

        Returns:
            (rows, columns), the scores after each row's last token.
        """
        width = max(1, *(len(tokens) for tokens in fed))
        ids = np.full((len(fed), width), self.adapted.codec.alphabet.stop)
        for row, tokens in enumerate(fed):
            ids[row, : len(tokens)] = tokens
        positions = torch.from_numpy(np.asarray(begins)[:, None] + np.arange(width)).to(self.device)
        limit = self.settings.grammar.limit
        view = self.cache.view
        view.rows = None if slots is None else torch.as_tensor(slots, device=self.device)
        view.count, view.positions = len(fed), positions
        view.length = round_up(int(positions.max()) + 1)
        last = np.array([max(len(tokens), 1) - 1 for tokens in fed])
        kept, index_in_kept = np.unique(last, return_inverse=True)
        keep = (
            {"logits_to_keep": torch.from_numpy(kept).to(self.device)} if self.settings.keeps_logits else {}
        )
        output = self.adapted.model(
            input_ids=torch.from_numpy(ids).to(self.device),
            attention_mask=attention_masks(self.adapted.model, positions, view.length),
            # Padding can lie past the last position that the model knows.
            position_ids=positions if limit is None else positions.clamp(max=limit - 1),
            past_key_values=self.cache,
            use_cache=True,
            **keep,
        )
        self.tally.count_pass(sum(len(tokens) for tokens in fed))
        return output.logits[torch.arange(len(fed)), torch.from_numpy(index_in_kept if keep else last)]

    def _draw(self, logits: Tensor, slots: Sequence[int]) -> None:
        """Draw the next token of each slot's sequence; free the slots of the sequences that it finishes."""
        states = [self._state(slot) for slot in slots]
        for row, token in self.settings.sampler.draw(logits, states):
            slot, state = slots[row], states[row]
            state.take(token)
            if state.finished:
                self.states[slot] = None
                self._prefixes.release(slot)
                index = self.request_of[slot]
                if not self._accept(index, state):
                    self.waiting.appendleft(index)
        self._begin_windows([slot for slot, state in zip(slots, states, strict=True) if state.restarts])

    def _begin_windows(self, slots: Sequence[int]) -> None:
        """Read the columns and the tail before the next passage into the slots of documents, and draw its first token."""
        if slots:
            for slot in slots:
                self._prefixes.release(slot)
            self._draw(self._encode_prefixes(slots), slots)

    def _state(self, slot: int) -> SequenceState:
        state = self.states[slot]
        assert state is not None
        return state


def _prefix_groups(prefixes: Sequence[tuple[int, ...]]) -> Iterable[list[tuple[int, ...]]]:
    """Divide prefixes into groups of similar length, each of at most `MAX_PREFIX_TOKENS` padded tokens."""
    group: list[tuple[int, ...]] = []
    for prefix in sorted(prefixes, key=len, reverse=True):
        if group and (len(group) + 1) * len(group[0]) > MAX_PREFIX_TOKENS:
            yield group
            group = []
        group.append(prefix)
    if group:
        yield group


def _feed_width(pending: Sequence[int]) -> int:
    """Return how many tokens per row to feed at once: the width that moves the most tokens per cost of the pass.

    Args:
        pending: number of pending tokens of each row.
    """
    best, best_rate = 1, 0.0
    for width in sorted({length for length in pending if length}):
        useful = sum(min(length, width) for length in pending)
        rate = useful / (TOKENS_PER_PASS_OVERHEAD + width * len(pending))
        if rate > best_rate:
            best, best_rate = width, rate
    return best
