"""Constrained decoding with a masked model: many records at once, each slot allowed by the grammar, one random stream per record."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import torch
from torch import Tensor

from paracosm.finetune.models.base_model import max_positions
from paracosm.finetune.objectives.slot_logits import HeadColumns, slot_scores
from paracosm.generate.constraints.guide import NoConstraints
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.masked_state import MaskedSettings, MaskedState, SlotQuery
from paracosm.generate.decoding.sampling import Sampling, draw
from paracosm.records.codec.masked_layout import MaskedLayout
from paracosm.records.schema.schema import Record


@dataclass
class MaskedDecoder:
    """Samples records from an adapted masked model under its codec's grammar.

    The cells of a record are filled one after the other, in an order that its request gives or its random stream draws.
    So the likelihood of a record is the one that training bounds.

    Attributes:
        adapted: model, codec and token masks.
        sampling: temperature and truncation.
        batch_size: records that are decoded at once.
        attempts: most attempts per accepted record, on average, before conditions and rules count as unsatisfiable.
        text_passes: passes in which a text is filled.
        refinements: passes after them, each over a fraction of the filled pieces.
        tally: of all records so far.
    """

    adapted: AdaptedModel
    sampling: Sampling = field(default_factory=Sampling)
    batch_size: int = 128
    attempts: int = 100
    text_passes: int = 32
    refinements: int = 2
    tally: Tally = field(default_factory=Tally)

    @cached_property
    def layout(self) -> MaskedLayout:
        return MaskedLayout(self.adapted.codec)

    @cached_property
    def _settings(self) -> MaskedSettings:
        return MaskedSettings(
            self.layout, max_positions(self.adapted.model), self.text_passes, self.refinements
        )

    @cached_property
    def _columns(self) -> HeadColumns:
        return HeadColumns(self.adapted.codec.vocabulary)

    @cached_property
    def _unconstrained(self) -> NoConstraints:
        return NoConstraints()

    @cached_property
    def _excluded_pieces(self) -> Tensor:
        """Tokens that cannot be a piece of a text, and tokens that cannot begin a word: booleans, (2, tokens)."""
        pieces = self.layout.pieces
        allowed = np.stack([pieces.writable, pieces.writable & pieces.begins_word])
        return torch.from_numpy(~allowed).to(self.adapted.model.device)

    def records(self, requests: Sequence[Request], *, seed: int) -> list[list[Record]]:
        """Return the records of some requests, in their order; see `RecordDecoder`."""
        names = [field.name for field in self.adapted.codec.fields]
        records: list[list[Record]] = []
        with torch.inference_mode():
            for begin in range(0, len(requests), self.batch_size):
                for state in self._decoded(requests[begin : begin + self.batch_size], seed):
                    records.append([{name: state.values[name] for name in names}])
        return records

    def _decoded(self, requests: Sequence[Request], seed: int) -> list[MaskedState]:
        """Return the finished states of one batch of requests."""
        streams = [
            np.random.Generator(np.random.Philox(key=[seed % 2**64, request.number + (request.redraw << 48)]))
            for request in requests
        ]
        states = [self._begin(request, stream) for request, stream in zip(requests, streams, strict=True)]
        while True:
            states = [self._accepted(*row) for row in zip(states, requests, streams, strict=True)]
            unfinished = [state for state in states if not state.finished]
            if not unfinished:
                return states
            self._pass(unfinished)

    def _begin(self, request: Request, stream: np.random.Generator) -> MaskedState:
        self.tally.attempts += 1
        return MaskedState(self._settings, request, request.guide or self._unconstrained, stream)

    def _accepted(self, state: MaskedState, request: Request, stream: np.random.Generator) -> MaskedState:
        """Count a finished record; begin a refused one again, which continues its random stream."""
        while state.failure is not None:
            self.tally.refusals[state.failure] += 1
            self.tally.raise_if_infeasible(self.attempts)
            state = self._begin(request, stream)
        if state.finished and not state.counted:
            state.counted = True
            self.tally.finished += 1
            self.tally.seed_words += state.words
            self.tally.seed_words_kept += state.kept_words
        return state

    def _pass(self, states: Sequence[MaskedState]) -> None:
        """Draw the next slots of every record in one forward pass."""
        model = self.adapted.model
        rows = [state.queries() for state in states]
        width = max(len(tokens) for tokens, _ in rows)
        ids = np.full((len(rows), width), self.layout.padding)
        attention = np.zeros((len(rows), width), dtype=np.int64)
        for row, (tokens, _) in enumerate(rows):
            ids[row, : len(tokens)] = tokens
            attention[row, : len(tokens)] = 1
        queries = [(row, query) for row, (_, of_row) in enumerate(rows) for query in of_row]
        scores = slot_scores(
            model,
            torch.from_numpy(ids).to(model.device),
            torch.from_numpy(attention).to(model.device),
            torch.tensor([row for row, _ in queries], device=model.device),
            torch.tensor([query.position for _, query in queries], device=model.device),
        )
        self.tally.count_pass(int(attention.sum()))
        drawn: list[list[int]] = [[] for _ in states]
        tokens_of_queries = self._draw(
            scores, [query for _, query in queries], [states[row] for row, _ in queries]
        )
        for (row, _), token in zip(queries, tokens_of_queries, strict=True):
            drawn[row].append(token)
        for state, tokens in zip(states, drawn, strict=True):
            state.take(tokens)

    def _draw(self, scores: Tensor, queries: Sequence[SlotQuery], states: Sequence[MaskedState]) -> list[int]:
        """Draw a token for each slot.

        Args:
            scores: (slots, columns of the head).
            queries: the slots.
            states: of the record of each slot.
        """
        tokens = [-1] * len(queries)
        uniforms = np.array([state.random.random() for state in states])
        temperatures = [self._temperature(state) for state in states]
        closed = [slot for slot, query in enumerate(queries) if query.allowed is not None]
        texts = [slot for slot, query in enumerate(queries) if query.allowed is None]
        if closed:
            nodes = [node for slot in closed if (node := queries[slot].allowed) is not None]
            closed_scores, weights, allowed = self._columns.scores(scores[closed], nodes)
            entries = draw(
                closed_scores,
                uniforms[closed],
                [temperatures[slot] for slot in closed],
                self.sampling,
                weights,
            )
            for slot, of_slot, entry in zip(closed, allowed, entries, strict=True):
                tokens[slot] = of_slot[entry]
        if texts:
            excluded = self._excluded_pieces[[int(queries[slot].begins_word) for slot in texts]]
            # A head that is padded past the tokenizer has columns without tokens.
            text_scores = scores[texts][:, : excluded.shape[1]].float().masked_fill(excluded, -torch.inf)
            entries = draw(
                text_scores, uniforms[texts], [temperatures[slot] for slot in texts], self.sampling
            )
            for slot, token in zip(texts, entries, strict=True):
                tokens[slot] = token
        return tokens

    def _temperature(self, state: MaskedState) -> float:
        return self.sampling.temperature_of(self.adapted.codec.fields[state.index].name)
