"""Constrained decoding with a causal model: many records at once, each token allowed by the grammar, one random stream per record."""

import inspect
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import torch

from paracosm.finetune.objectives.slot_logits import HeadColumns
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.causal_batch import BatchSettings, ContinuousBatch
from paracosm.generate.decoding.causal_state import SequenceState
from paracosm.generate.decoding.grammar_cache import GrammarCache
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.sampling import Sampling
from paracosm.generate.decoding.token_sampler import TokenSampler
from paracosm.records.codec.sequence_codec import decode_sequence
from paracosm.records.schema.schema import Record


@dataclass
class Decoder:
    """Samples records from an adapted causal model under its codec's grammar.

    Attributes:
        adapted: model, codec and token masks.
        sampling: temperature and truncation.
        batch_size: records that are decoded at once.
        attempts: most attempts per accepted record, on average, before conditions and rules count as unsatisfiable.
        tally: of all records so far.
    """

    adapted: AdaptedModel
    sampling: Sampling = field(default_factory=Sampling)
    batch_size: int = 128
    attempts: int = 100
    tally: Tally = field(default_factory=Tally)

    @cached_property
    def grammar(self) -> GrammarCache:
        """Compiled grammars and length limits, shared by all sequences."""
        return GrammarCache(
            self.adapted.masks, getattr(self.adapted.model.config, "max_position_embeddings", None)
        )

    @cached_property
    def _settings(self) -> BatchSettings:
        codec = self.adapted.codec
        columns = HeadColumns(codec.vocabulary)
        return BatchSettings(
            self.adapted,
            self.grammar,
            TokenSampler(columns, self.sampling, codec.alphabet.stop),
            self.batch_size,
            self.attempts,
            "logits_to_keep" in inspect.signature(self.adapted.model.forward).parameters,
        )

    def sample(self, numbers: Iterable[int], *, seed: int) -> list[list[int]]:
        """Return the encodings of the records with these numbers, without constraints; see `decode`."""
        return [state.ids for state in self.decode([Request(number) for number in numbers], seed=seed)]

    def records(self, requests: Sequence[Request], *, seed: int) -> list[list[Record]]:
        """Return one record per request, or all records of a subject per request for sequences; see `decode`."""
        codec = self.adapted.codec
        if codec.schema.sequence is None:
            names = [field.name for field in codec.fields]
            states = self.decode(requests, seed=seed)
            return [[{name: state.values[name] for name in names}] for state in states]
        return [decode_sequence(codec, state.ids) for state in self.decode(requests, seed=seed)]

    def decode(self, requests: Sequence[Request], *, seed: int) -> list[SequenceState]:
        """Return the finished sequences of some requests, in their order.

        On one kind of machine, the same requests give the same records in any batch: each record has its own random
        stream. Other records in the batch can change the rounding of a record's scores, and so, rarely, one of its
        draws.

        Args:
            requests: for the records.
            seed: of the random streams.

        Raises:
            DataError: conditions and rules refuse nearly every attempt; the message gives the share that each refuses.
        """
        batch = ContinuousBatch(self._settings, requests, seed)
        batch.tally.watch = self.tally.watch
        with torch.inference_mode():
            finished = batch.run()
        self.tally.add(batch.tally)
        return finished
