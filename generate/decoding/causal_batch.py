"""A batch that is continuous: a finished record's slot goes to the next record at once.

What several records begin with is read once. Tokens that nothing chooses are never sampled; they are fed together with
the token before them where that is the cheaper way.
"""

from collections import deque
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from paracosm.finetune.objectives.slot_logits import HeadColumns
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.causal_state import GrammarCache, SequenceState
from paracosm.generate.decoding.kv_cache import SlotCache, attention_masks, rounded
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.sampling import Sampling, choose

PASS_COSTS = 32
"""Tokens that take as long as what a forward pass costs beside its tokens."""
PREFIX_TOKENS = 4096
"""Most tokens of beginnings that are read in one forward pass."""


@dataclass(frozen=True)
class Setting:
    """What all batches of a decoder share.

    Attributes:
        adapted: model, codec and masks.
        book: the grammar.
        columns: of the head, per choice.
        sampling: temperature and truncation.
        slots: records at once.
        attempts: how often, on average, a record may be begun.
        keeps_logits: whether the model can be asked for the logits of some positions only.
    """

    adapted: AdaptedModel
    book: GrammarCache
    columns: HeadColumns
    sampling: Sampling
    slots: int
    attempts: int
    keeps_logits: bool


class ContinuousBatch:
    """Some requests on their way: the slots, their cache, and the requests that still wait."""

    def __init__(self, setting: Setting, requests: Sequence[Request], seed: int) -> None:
        self.setting = setting
        self.adapted = setting.adapted
        self.device = setting.adapted.model.device
        self.seed = seed
        self.requests = requests
        self.waiting = deque(range(len(requests)))
        self.done: list[SequenceState | None] = [None] * len(requests)
        self.count = min(setting.slots, len(requests))
        self.cache = SlotCache(setting.adapted.model.config.num_hidden_layers, self.count)
        self.tracks: list[SequenceState | None] = [None] * self.count
        self.request_of = [-1] * self.count
        self.read = np.zeros(self.count, dtype=np.int64)
        self.tally = Tally()
        self.streams: dict[int, np.random.Generator] = {}
        self._masks: dict[bytes, Tensor] = {}
        # Beginnings that were read: the slots that hold each, and the scores after it.
        self._beginnings: dict[tuple[int, ...], tuple[set[int], Tensor]] = {}
        self._beginning_of: dict[int, tuple[int, ...]] = {}
        self._refused_tokens = 0

    def run(self) -> list[SequenceState]:
        """Return the finished records, in the order of their requests.

        Raises:
            DataError: conditions and rules refuse nearly everything.
        """
        self._fill(range(self.count))
        while any(track is not None for track in self.tracks):
            self._shrink()
            logits, rows = self._step()
            self._draw(logits, rows)
            self._fill(slot for slot in range(self.count) if self.tracks[slot] is None)
        return [track for track in self.done if track is not None]

    def _begin(self, index: int) -> SequenceState:
        """Begin the record of a request; a refused one goes on with its own random stream."""
        request = self.requests[index]
        if index not in self.streams:
            key = [self.seed % 2**64, request.number + (request.again << 48)]
            self.streams[index] = np.random.Generator(np.random.Philox(key=key))
        self.tally.attempts += 1
        book = self.setting.book
        return SequenceState(
            book, request.guide or book.free, self.adapted.codec.steps(request.order), self.streams[index]
        )

    def _settle(self, index: int, track: SequenceState) -> bool:
        """Keep a finished record; return False when it was refused."""
        if track.failure is None:
            self.tally.finished += 1
            self.done[index] = track
            self.streams.pop(index, None)
            return True
        self.tally.refusals[track.failure] += 1
        self._refused_tokens += len(track.ids)
        self._check_hope()
        return False

    def _check_hope(self) -> None:
        """Stop when fewer attempts come out, or get past where most are refused, than were asked for."""
        tally, most = self.tally, self.setting.attempts
        refused = tally.refusals.total()
        if refused <= most * (tally.finished + 4):
            return
        usual = self._refused_tokens / refused
        past = sum(track is not None and len(track.ids) > usual for track in self.tracks)
        advice = "" if self.adapted.codec.markers else " (conditions: train with finetune.order=shuffled)"
        tally.check_hope(most, under_way=past, advice=advice)

    def _fill(self, slots: Iterable[int]) -> None:
        """Give free slots to waiting requests, read what these begin with and draw their first tokens."""
        free = deque(slots)
        while free and self.waiting:
            new: list[int] = []
            while free and self.waiting:
                index = self.waiting.popleft()
                track = self._begin(index)
                while track.finished and not self._settle(index, track):
                    track = self._begin(index)
                if not track.finished:
                    slot = free.popleft()
                    self.tracks[slot], self.request_of[slot] = track, index
                    new.append(slot)
            if new:
                self._draw(self._read_beginnings(new), new)
            free.extend(slot for slot in new if self.tracks[slot] is None)

    def _read_beginnings(self, slots: Sequence[int]) -> Tensor:
        """Read what the records in new slots begin with, each beginning once; return the scores after it."""
        members: dict[tuple[int, ...], list[int]] = {}
        for slot in slots:
            track = self.tracks[slot]
            assert track is not None
            members.setdefault(tuple(track.pending), []).append(slot)
            self.read[slot] = len(track.pending)
            track.pending.clear()
        for group in _groups([beginning for beginning in members if beginning not in self._beginnings]):
            firsts = [members[beginning][0] for beginning in group]
            logits = self._forward(firsts, [list(beginning) for beginning in group], [0] * len(group))
            for beginning, slot, row in zip(group, firsts, logits, strict=True):
                self._beginnings[beginning] = ({slot}, row)
        scores = {}
        for beginning, of_it in members.items():
            holding, row = self._beginnings[beginning]
            others = [slot for slot in of_it if slot not in holding]
            if others:
                self.cache.copy(next(iter(holding)), others, len(beginning))
            holding.update(of_it)
            for slot in of_it:
                self._beginning_of[slot] = beginning
                scores[slot] = row
        return torch.stack([scores[slot] for slot in slots])

    def _forget(self, slot: int) -> None:
        """Note that a slot is free, so that nothing reads its beginning from there."""
        beginning = self._beginning_of.pop(slot)
        holding, _ = self._beginnings[beginning]
        holding.discard(slot)
        if not holding:
            del self._beginnings[beginning]

    def _shrink(self) -> None:
        """Give up half of the slots once no more than that many are in use and nothing waits."""
        used = [slot for slot in range(self.count) if self.tracks[slot] is not None]
        if self.waiting or len(used) > self.count // 2:
            return
        self.count = len(used)
        holes = [slot for slot in range(self.count) if self.tracks[slot] is None]
        late = [slot for slot in used if slot >= self.count]
        if late:
            self.cache.move(late, holes)
        for source, target in zip(late, holes, strict=True):
            self.tracks[target], self.tracks[source] = self.tracks[source], None
            beginning = self._beginning_of.pop(source)
            self._beginning_of[target] = beginning
            holding, _ = self._beginnings[beginning]
            holding.discard(source)
            holding.add(target)
            self.request_of[target], self.read[target] = self.request_of[source], self.read[source]

    def _step(self) -> tuple[Tensor, list[int]]:
        """Feed every slot some of its pending tokens; return the scores of the slots that fed all of theirs."""
        waiting = [len(track.pending) if track is not None else 0 for track in self.tracks[: self.count]]
        width = _width(waiting)
        fed: list[list[int]] = []
        for track in self.tracks[: self.count]:
            fed.append(track.pending[:width] if track is not None else [])
        begins = [int(self.read[slot]) if fed[slot] else 0 for slot in range(self.count)]
        logits = self._forward(None, fed, begins)
        rows = []
        for slot, tokens in enumerate(fed):
            track = self.tracks[slot]
            if track is not None:
                del track.pending[: len(tokens)]
                self.read[slot] += len(tokens)
                if not track.pending:
                    rows.append(slot)
        return logits[rows], rows

    def _forward(
        self, slots: Sequence[int] | None, fed: Sequence[list[int]], begins: Sequence[int]
    ) -> Tensor:
        """Read tokens into slots; return the scores after each row's last token, (rows, columns).

        Args:
            slots: slot of each row; None when the rows are the first slots.
            fed: tokens of each row; none for an idle row.
            begins: position of each row's first token.
        """
        width = max(1, *(len(tokens) for tokens in fed))
        ids = np.full((len(fed), width), self.adapted.codec.alphabet.stop)
        for row, tokens in enumerate(fed):
            ids[row, : len(tokens)] = tokens
        positions = torch.from_numpy(np.asarray(begins)[:, None] + np.arange(width)).to(self.device)
        limit = self.setting.book.limit
        reading = self.cache.reading
        reading.rows = None if slots is None else torch.as_tensor(slots, device=self.device)
        reading.count, reading.positions = len(fed), positions
        reading.length = rounded(int(positions.max()) + 1)
        last = np.array([max(len(tokens), 1) - 1 for tokens in fed])
        kept, where = np.unique(last, return_inverse=True)
        some = {"logits_to_keep": torch.from_numpy(kept).to(self.device)} if self.setting.keeps_logits else {}
        output = self.adapted.model(
            input_ids=torch.from_numpy(ids).to(self.device),
            attention_mask=attention_masks(self.adapted.model, positions, reading.length),
            # Padding may stand past the last position that the model knows.
            position_ids=positions if limit is None else positions.clamp(max=limit - 1),
            past_key_values=self.cache,
            use_cache=True,
            **some,
        )
        self.tally.passes += 1
        self.tally.tokens += sum(len(tokens) for tokens in fed)
        return output.logits[torch.arange(len(fed)), torch.from_numpy(where if some else last)]

    def _draw(self, logits: Tensor, rows: Sequence[int]) -> None:
        """Draw the next token of each row's record."""
        closed, texts = [], []
        for at, slot in enumerate(rows):
            track = self.tracks[slot]
            assert track is not None
            (texts if track.in_text else closed).append((at, slot, track))
        for group, drawn in (
            (closed, self._closed_tokens(logits, [(at, track) for at, _, track in closed])),
            (texts, self._text_tokens(logits, [(at, track) for at, _, track in texts])),
        ):
            for (_, slot, track), token in zip(group, drawn, strict=True):
                track.take(token)
                if track.finished:
                    index = self.request_of[slot]
                    self.tracks[slot] = None
                    self._forget(slot)
                    if not self._settle(index, track):
                        self.waiting.appendleft(index)

    def _closed_tokens(self, logits: Tensor, rows: Sequence[tuple[int, SequenceState]]) -> list[int]:
        if not rows:
            return []
        at = torch.tensor([at for at, _ in rows], device=self.device)
        scores, tokens = self.setting.columns.scores(logits[at], [track.part for _, track in rows])
        chosen = self._choose(scores, [track for _, track in rows])
        return [of_row[entry] for of_row, entry in zip(tokens, chosen, strict=True)]

    def _text_tokens(self, logits: Tensor, rows: Sequence[tuple[int, SequenceState]]) -> list[int]:
        if not rows:
            return []
        stop = self.adapted.codec.alphabet.stop
        scores = logits[torch.tensor([at for at, _ in rows], device=self.device)].float()
        for row, (_, track) in enumerate(rows):
            packed, banned, full = track.text_mask()
            refused = self._refused(packed, scores.shape[1])
            if full and not refused[stop]:
                scores[row, :stop] = scores[row, stop + 1 :] = -torch.inf
                continue
            scores[row].masked_fill_(refused, -torch.inf)
            if banned is not None:
                scores[row, banned] = -torch.inf
        return self._choose(scores, [track for _, track in rows])

    def _refused(self, packed: bytes, columns: int) -> Tensor:
        """Return a packed mask's tokens that are not allowed, as booleans; the few that recur are kept."""
        if packed not in self._masks:
            if len(self._masks) >= 64:
                self._masks.clear()
            bits = np.unpackbits(np.frombuffer(packed, dtype=np.uint8), bitorder="little")[:columns]
            # A head padded past the tokenizer has columns that no mask speaks of.
            refused = np.concatenate([bits == 0, np.ones(columns - len(bits), dtype=bool)])
            self._masks[packed] = torch.from_numpy(refused).to(self.device)
        return self._masks[packed]

    def _choose(self, scores: Tensor, tracks: Sequence[SequenceState]) -> list[int]:
        sampling = self.setting.sampling
        heat = [sampling.of_field(track.field_name) for track in tracks]
        if any(each != 1.0 for each in heat):
            scores = scores / torch.tensor(heat, device=self.device)[:, None]
        uniforms = np.array([track.stream.random() for track in tracks])
        # Float64 is not everywhere: scores go to the processor where it is missing.
        if self.device.type == "mps":
            scores = scores.cpu()
        return choose(scores, torch.from_numpy(uniforms).to(scores.device), sampling).tolist()


def _groups(beginnings: Sequence[tuple[int, ...]]) -> Iterable[list[tuple[int, ...]]]:
    """Divide beginnings of like length into groups of at most `PREFIX_TOKENS` padded tokens."""
    group: list[tuple[int, ...]] = []
    for beginning in sorted(beginnings, key=len, reverse=True):
        if group and (len(group) + 1) * len(group[0]) > PREFIX_TOKENS:
            yield group
            group = []
        group.append(beginning)
    if group:
        yield group


def _width(waiting: Sequence[int]) -> int:
    """Return how many tokens a row feeds at once: as many as move the most tokens per cost of the pass."""
    best, best_rate = 1, 0.0
    for width in sorted({length for length in waiting if length}):
        useful = sum(min(length, width) for length in waiting)
        rate = useful / (PASS_COSTS + width * len(waiting))
        if rate > best_rate:
            best, best_rate = width, rate
    return best
