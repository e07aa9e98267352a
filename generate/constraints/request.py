"""Requests for records, what a strategy can be asked for, and counts of accepted and refused records."""

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from paracosm.foundation.errors import DataError
from paracosm.generate.constraints.guide import Guide
from paracosm.records.schema.schema import Schema

GRACE = 4
"""Records that are counted as accepted in advance, so that a few refusals at the start do not end the stage."""
RELATION = "the relation "
"""How the reason of a refusal by a relation begins. Relations are given up, and do not end a stage."""


@dataclass(frozen=True)
class Abilities:
    """What a strategy can be asked for.

    Attributes:
        schema: of its records; the modelled fields stand in the order in which they are drawn.
        any_order: whether a request may name another order. Known fields then come first, which meets conditions exactly.
        random_order: whether fields without a condition come in a random order for each record.
        rewrites_texts: whether words of a given text can be drawn again, and its gaps filled.
        weighs: whether conditions on any field restrict its draw and weigh the record, so that also rare ones are met.
        advice: how to train for conditions on any field; empty where `any_order` holds.
    """

    schema: Schema
    any_order: bool = False
    random_order: bool = False
    rewrites_texts: bool = False
    weighs: bool = False
    advice: str = "train with finetune.order=shuffled"


@dataclass(frozen=True)
class Request:
    """A request for one record.

    Attributes:
        number: of the record; its random stream follows from the seed and this number.
        order: indices of the modelled fields in the order in which they are drawn; None for the order of the schema.
        guide: constraints beyond the schema; None for none.
        redraw: 0, or how often the record was redrawn before; every redraw has its own random stream.
        infills: index of a text field -> a given text that a masked model rewrites, and the fraction of its words that
            are drawn again. Gaps in the text are always filled.
    """

    number: int
    order: tuple[int, ...] | None = None
    guide: Guide | None = None
    redraw: int = 0
    infills: Mapping[int, tuple[str, float]] = field(default_factory=dict)


@dataclass
class Tally:
    """Counts of attempts, accepted records and refusals.

    Attributes:
        attempts: records that were begun.
        finished: records that were accepted.
        refusals: per condition or rule, the attempts that it refused.
        tokens: tokens that the model read.
        passes: forward passes.
        seed_words: words of the given texts that were rewritten.
        seed_words_kept: those of them that the records still hold at the same position.
        broken: per relation of the training records, the records that do not have it.
        cut_texts: long texts that ended at the most tokens of the training texts, instead of by themselves.
        resampled: records that were chosen by weight from refused ones, because conditions are rare.
        watch: is called after every forward pass with these counts, to show that something happens.
    """

    attempts: int = 0
    finished: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    passes: int = 0
    seed_words: int = 0
    seed_words_kept: int = 0
    broken: Counter[str] = field(default_factory=Counter)
    cut_texts: int = 0
    resampled: int = 0
    watch: "Callable[[Tally], None] | None" = None

    def count_pass(self, tokens: int) -> None:
        """Count a forward pass that read `tokens`, and tell whoever watches."""
        self.passes += 1
        self.tokens += tokens
        if self.watch is not None:
            self.watch(self)

    def add(self, other: "Tally") -> None:
        """Add the counts of another tally."""
        self.attempts += other.attempts
        self.finished += other.finished
        self.refusals.update(other.refusals)
        self.tokens += other.tokens
        self.passes += other.passes
        self.seed_words += other.seed_words
        self.seed_words_kept += other.seed_words_kept
        self.broken.update(other.broken)
        self.cut_texts += other.cut_texts
        self.resampled += other.resampled

    def is_infeasible(self, attempts: int, *, in_progress: int = 0) -> bool:
        """Return whether fewer than 1 in `attempts` records is accepted.

        Args:
            attempts: how many attempts per accepted record are allowed on average.
            in_progress: unfinished records that count as accepted, because they are past the point where most are
                refused.
        """
        refused = sum(count for reason, count in self.refusals.items() if not reason.startswith(RELATION))
        return refused > attempts * (self.finished + in_progress + GRACE)

    def raise_if_infeasible(self, attempts: int, *, in_progress: int = 0, advice: str = "") -> None:
        """Raise if fewer than 1 in `attempts` records is accepted; see `is_infeasible`.

        Raises:
            DataError: conditions and rules refuse nearly every attempt; the message gives the share that each refuses.
        """
        if self.is_infeasible(attempts, in_progress=in_progress):
            raise self.infeasible(attempts, advice=advice)

    def infeasible(self, attempts: int, *, advice: str = "") -> DataError:
        """Return the error for conditions and rules that refuse nearly every attempt.

        Args:
            attempts: how many attempts per accepted record are allowed on average.
            advice: another remedy, added to the end of the message.
        """
        return DataError(
            f"generate: {self.finished} of {self.attempts:,} attempts were accepted, fewer than 1 in {attempts}:"
            f" {self.rejection_shares()}; loosen the condition or rule, or raise generate.attempts{advice}"
        )

    def rejection_shares(self) -> str:
        """Return the share of the attempts that each constraint refused, most frequent first."""
        return ", ".join(
            f"{name} refused {count / self.attempts:.1%}" for name, count in self.refusals.most_common(5)
        )
