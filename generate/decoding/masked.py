"""Constrained filling: many records at once, every slot drawn from what the grammar allows, each record on its own random stream."""

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
from paracosm.generate.decoding.sampling import Sampling, choose
from paracosm.records.codec.codec import TextCode
from paracosm.records.codec.masked_layout import MaskedLayout
from paracosm.records.schema.schema import Record


@dataclass
class MaskedDecoder:
    """Samples records from an adapted masked model under its codec's grammar.

    A record's cells are filled one after the other, in an order that its request gives or its stream draws; so its
    likelihood is the one that training bounds.

    Attributes:
        adapted: model and codec.
        sampling: temperature and truncation.
        slots: records that are decoded at once.
        attempts: how often, on average, a record may be begun before its conditions and rules count as unsatisfiable.
        text_passes: passes in which a text is filled.
        refinements: passes after that, each over a share of the filled pieces.
        tally: of all records so far.
    """

    adapted: AdaptedModel
    sampling: Sampling = field(default_factory=Sampling)
    slots: int = 128
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
    def _free(self) -> NoConstraints:
        codes = self.adapted.codec.codes
        return NoConstraints(
            [
                None if isinstance(code, TextCode) else root
                for code, root in zip(codes, self.layout.roots, strict=True)
            ]
        )

    @cached_property
    def _refused_pieces(self) -> Tensor:
        """What is no piece of a text, and what does not begin a word, (2, tokens of the tokenizer)."""
        pieces = self.layout.pieces
        allowed = np.stack([pieces.writable, pieces.writable & pieces.begins_word])
        return torch.from_numpy(~allowed).to(self.adapted.model.device)

    def records(self, requests: Sequence[Request], *, seed: int) -> list[list[Record]]:
        """Return the records of some requests, in their order; see `RecordDecoder`."""
        names = [each.name for each in self.adapted.codec.fields]
        found: list[list[Record]] = []
        with torch.inference_mode():
            for begin in range(0, len(requests), self.slots):
                for track in self._filled(requests[begin : begin + self.slots], seed):
                    found.append([{name: track.values[name] for name in names}])
        return found

    def _filled(self, requests: Sequence[Request], seed: int) -> list[MaskedState]:
        streams = [
            np.random.Generator(np.random.Philox(key=[seed % 2**64, each.number + (each.again << 48)]))
            for each in requests
        ]
        tracks = [self._begin(*pair) for pair in zip(requests, streams, strict=True)]
        while True:
            for at, track in enumerate(tracks):
                tracks[at] = self._settled(track, requests[at], streams[at])
            open_tracks = [track for track in tracks if not track.finished]
            if not open_tracks:
                return tracks
            self._pass(open_tracks)

    def _begin(self, request: Request, stream: np.random.Generator) -> MaskedState:
        self.tally.attempts += 1
        return MaskedState(self._settings, request, request.guide or self._free, stream)

    def _settled(self, track: MaskedState, request: Request, stream: np.random.Generator) -> MaskedState:
        """Count a finished record; begin a refused one again on its own random stream."""
        while track.failure is not None:
            self.tally.refusals[track.failure] += 1
            self.tally.check_hope(self.attempts)
            track = self._begin(request, stream)
        if track.finished and not track.counted:
            track.counted = True
            self.tally.finished += 1
            self.tally.draft_words += track.words
            self.tally.draft_words_kept += track.kept_words
        return track

    def _pass(self, tracks: Sequence[MaskedState]) -> None:
        """Draw what each record asks for next, in one forward pass."""
        model = self.adapted.model
        asked = [track.asked() for track in tracks]
        width = max(len(ids) for ids, _ in asked)
        ids = np.full((len(asked), width), self.layout.padding)
        attention = np.zeros((len(asked), width), dtype=np.int64)
        for row, (tokens, _) in enumerate(asked):
            ids[row, : len(tokens)] = tokens
            attention[row, : len(tokens)] = 1
        flat = [(row, one) for row, (_, some) in enumerate(asked) for one in some]
        scores = slot_scores(
            model,
            torch.from_numpy(ids).to(model.device),
            torch.from_numpy(attention).to(model.device),
            torch.tensor([row for row, _ in flat], device=model.device),
            torch.tensor([one.position for _, one in flat], device=model.device),
        )
        self.tally.passes += 1
        self.tally.tokens += int(attention.sum())
        drawn: list[list[int]] = [[] for _ in tracks]
        for (row, _), token in zip(flat, self._drawn(scores, flat, tracks), strict=True):
            drawn[row].append(token)
        for track, tokens in zip(tracks, drawn, strict=True):
            track.take(tokens)

    def _drawn(
        self, scores: Tensor, flat: Sequence[tuple[int, SlotQuery]], tracks: Sequence[MaskedState]
    ) -> list[int]:
        """Return the token of each asked slot."""
        found = [-1] * len(flat)
        uniforms = np.array([tracks[row].stream.random() for row, _ in flat])
        heat = np.array([self._temperature(tracks[row]) for row, _ in flat], dtype=np.float32)
        closed = [at for at, (_, one) in enumerate(flat) if one.node is not None]
        texts = [at for at, (_, one) in enumerate(flat) if one.node is None]
        if closed:
            nodes = [node for at in closed if (node := flat[at][1].node) is not None]
            some, tokens = self._columns.scores(scores[closed], nodes)
            for at, of_choice, entry in zip(
                closed, tokens, self._choose(some, uniforms[closed], heat[closed]), strict=True
            ):
                found[at] = of_choice[entry]
        if texts:
            refused = self._refused_pieces[[int(flat[at][1].begins_word) for at in texts]]
            # A head padded past the tokenizer has columns that are no tokens.
            some = scores[texts][:, : refused.shape[1]].float().masked_fill(refused, -torch.inf)
            for at, token in zip(texts, self._choose(some, uniforms[texts], heat[texts]), strict=True):
                found[at] = token
        return found

    def _temperature(self, track: MaskedState) -> float:
        return self.sampling.of_field(self.adapted.codec.fields[track.place].name)

    def _choose(self, scores: Tensor, uniforms: np.ndarray, heat: np.ndarray) -> list[int]:
        scores = scores / torch.from_numpy(heat).to(scores.device)[:, None]
        # Float64 is not everywhere: scores go to the processor where it is missing.
        if scores.device.type == "mps":
            scores = scores.cpu()
        return choose(scores, torch.from_numpy(uniforms).to(scores.device), self.sampling).tolist()
