"""Constrained decoding: many records at once, every token one that the grammar allows, each record on its own random stream."""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from paracosm.finetune.objectives.slot_logits import HeadColumns
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.causal_batch import ContinuousBatch, Setting
from paracosm.generate.decoding.causal_state import GrammarCache, SequenceState
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.sampling import Sampling
from paracosm.records.codec.sequence_codec import decode_sequence
from paracosm.records.schema.schema import Record


@dataclass
class Decoder:
    """Samples records from an adapted model under its codec's grammar.

    Attributes:
        adapted: model, codec and masks.
        sampling: temperature and truncation.
        slots: records that are decoded at once.
        attempts: how often, on average, a record may be begun before its conditions and rules count as unsatisfiable.
        tally: of all records so far.
    """

    adapted: AdaptedModel
    sampling: Sampling = field(default_factory=Sampling)
    slots: int = 128
    attempts: int = 100
    tally: Tally = field(default_factory=Tally)

    @cached_property
    def book(self) -> GrammarCache:
        """What all records share."""
        return GrammarCache(
            self.adapted.masks, getattr(self.adapted.model.config, "max_position_embeddings", None)
        )

    @cached_property
    def _setting(self) -> Setting:
        takes = inspect.signature(self.adapted.model.forward).parameters
        columns = HeadColumns(self.adapted.codec.vocabulary)
        return Setting(
            self.adapted,
            self.book,
            columns,
            self.sampling,
            self.slots,
            self.attempts,
            "logits_to_keep" in takes,
        )

    def sample(self, numbers: Iterable[int], *, seed: int) -> list[list[int]]:
        """Return the encodings of the records with these numbers, without conditions; see `decode`."""
        return [track.ids for track in self.decode([Request(number) for number in numbers], seed=seed)]

    def records(self, requests: Sequence[Request], *, seed: int) -> list[list[Record]]:
        """Return the records of some requests; of a sequence, all records of its subject. See `decode`."""
        codec = self.adapted.codec
        if codec.schema.sequence is None:
            return [[codec.decode(track.ids)] for track in self.decode(requests, seed=seed)]
        return [decode_sequence(codec, track.ids) for track in self.decode(requests, seed=seed)]

    def decode(self, requests: Sequence[Request], *, seed: int) -> list[SequenceState]:
        """Return the finished records of some requests, in their order.

        The same requests give the same records wherever and whenever they are decoded on one kind of machine. Other
        company can change the rounding of a record's scores, and so, rarely, one of its draws.

        Args:
            requests: which records to make.
            seed: of the sequence of records.

        Raises:
            DataError: conditions and rules refuse nearly everything; names them and the share that each refuses.
        """
        batch = ContinuousBatch(self._setting, requests, seed)
        with torch.inference_mode():
            finished = batch.run()
        self.tally.add(batch.tally)
        return finished
