"""Constrained decoding: many records at once, every token one that the grammar allows.

Tokens that the grammar forces are fed in one chunk with the sampled token before them. Records that need fewer tokens
in a step leave holes in the cache, which the attention mask hides; a record's tokens depend on its own random stream.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from paracosm.generate.adapted_model import AdaptedModel
from paracosm.recipes.errors import ModelError


@dataclass
class Draft:
    """One record on its way.

    Attributes:
        matcher: the grammar's state after `ids`.
        stream: the record's own random numbers.
        ids: tokens so far, without the start token.
        pending: the last tokens of `ids`, which the model has not read yet.
    """

    matcher: Any
    stream: np.random.Generator
    ids: list[int] = field(default_factory=list)
    pending: list[int] = field(default_factory=list)

    @property
    def finished(self) -> bool:
        # No encoding is the beginning of another one, so what is accepted is whole.
        return self.matcher.is_accepting()

    def take(self, token: int) -> None:
        """Append a sampled token, and the tokens that the grammar forces after it."""
        self._consume([token])
        if not self.finished:
            self.jump()

    def jump(self) -> None:
        """Append the tokens that the grammar forces here."""
        self._consume(self.matcher.compute_ff_tokens())

    def _consume(self, tokens: list[int]) -> None:
        for token in tokens:
            if not self.matcher.consume_token(token):
                raise ModelError(f"the grammar refuses a token that it allowed: {self.matcher.get_error()}")
        self.ids.extend(tokens)
        self.pending.extend(tokens)


@dataclass
class Decoder:
    """Samples records from an adapted model under its codec's grammar.

    Attributes:
        adapted: model, codec and masks.
        temperature: divides the logits; 1 samples the model's own distribution.
    """

    adapted: AdaptedModel
    temperature: float = 1.0

    @cached_property
    def _grammar(self) -> Any:
        return self.adapted.masks.matcher(self.adapted.codec.grammar())

    def sample(self, numbers: Sequence[int], *, seed: int) -> list[list[int]]:
        """Return the encodings of the records with these numbers.

        Args:
            numbers: which records of the seed's sequence; each has its own random stream.
            seed: of the sequence.
        """
        drafts = [self._draft(number, seed) for number in numbers]
        active = rows = drafts
        cache = seen = None
        with torch.inference_mode():
            while active := [draft for draft in active if not draft.finished]:
                if cache is not None and seen is not None and len(active) <= seen.shape[0] // 2:
                    cache, seen = self._compact(cache, seen, rows, active)
                    rows = active
                if cache is None:
                    rows = active
                logits, cache, seen = self._read(rows, cache, seen)
                for draft, row in zip(rows, logits, strict=True):
                    if not draft.finished:
                        draft.take(self._choose(row, draft))
        return [draft.ids for draft in drafts]

    def _draft(self, number: int, seed: int) -> Draft:
        draft = Draft(self._grammar.deep_copy(), np.random.Generator(np.random.Philox(key=[seed, number])))
        draft.pending = [self.adapted.codec.start]
        if not draft.finished:
            draft.jump()
        return draft

    def _read(
        self, rows: Sequence[Draft], cache: Any, seen: torch.Tensor | None
    ) -> tuple[NDArray[np.float32], Any, torch.Tensor]:
        """Feed every record's pending tokens; return the logits after its last one.

        Args:
            rows: the records of the cache's rows, finished ones included.
            cache: key-value cache, None at first.
            seen: (rows, cached positions), which cache positions hold a token of the record.
        """
        width = max(len(draft.pending) for draft in rows)
        ids = torch.full((len(rows), width), self.adapted.codec.alphabet.stop)
        there = torch.zeros((len(rows), width), dtype=torch.long)
        for row, draft in enumerate(rows):
            ids[row, : len(draft.pending)] = torch.tensor(draft.pending)
            there[row, : len(draft.pending)] = 1
        before = torch.zeros((len(rows), 0), dtype=torch.long) if seen is None else seen
        now = torch.cat([before, there], dim=1)
        positions = (before.sum(1, keepdim=True) + torch.arange(width)).clamp(min=0)
        device = self.adapted.model.device
        # Without holes the causal mask is all there is to hide, and no mask is the faster way to say so.
        mask = None if bool(now.all()) else now.to(device)
        output = self.adapted.model(
            input_ids=ids.to(device),
            attention_mask=mask,
            position_ids=positions.to(device),
            past_key_values=cache,
            use_cache=True,
        )
        last = (there.sum(1) - 1).clamp(min=0)
        logits = output.logits[torch.arange(len(rows)), last].float().cpu().numpy()
        for draft in rows:
            draft.pending = []
        return logits, output.past_key_values, now

    def _compact(
        self, cache: Any, seen: torch.Tensor, rows: Sequence[Draft], active: Sequence[Draft]
    ) -> tuple[Any, torch.Tensor]:
        """Keep only the cache rows of records that are not finished."""
        kept = torch.tensor([row for row, draft in enumerate(rows) if not draft.finished])
        cache.batch_select_indices(kept.to(self.adapted.model.device))
        return cache, seen[kept]

    def _choose(self, logits: NDArray[np.float32], draft: Draft) -> int:
        """Draw the next token from the model's distribution over the tokens that the grammar allows."""
        allowed = self.adapted.masks.columns(draft.matcher.compute_bitmask(), self.adapted.codec.vocabulary)
        scores = logits[allowed].astype(np.float64) / self.temperature
        weights = np.exp(scores - scores.max())
        cumulative = np.cumsum(weights)
        chosen = np.searchsorted(cumulative, draft.stream.random() * cumulative[-1], side="right")
        column = int(allowed[min(int(chosen), len(allowed) - 1)])
        vocabulary = self.adapted.codec.vocabulary
        return column if vocabulary is None else vocabulary[column]
