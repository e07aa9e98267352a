"""What a decoder is asked for, and the count of what became of it."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

from paracosm.foundation.errors import DataError
from paracosm.generate.constraints.guide import Guide


@dataclass(frozen=True)
class Request:
    """One record to make.

    Attributes:
        number: of the record in its seed's sequence; its random stream follows from it.
        order: places of the fields in the order of the encoding; None for the table's order.
        guide: what it has to keep beside the schema; None for nothing.
        again: which redraw of the record this is; each has a stream of its own.
        drafts: place of a text -> a text that a masked model writes anew, and the share of its words that are drawn again;
            the gaps in it are filled anyway.
    """

    number: int
    order: tuple[int, ...] | None = None
    guide: Guide | None = None
    again: int = 0
    drafts: Mapping[int, tuple[str, float]] = field(default_factory=dict)


@dataclass
class Tally:
    """How often records were begun, and what refused them.

    Attributes:
        attempts: records begun.
        finished: records that came out.
        refusals: per condition or rule, the records that it refused.
        tokens: tokens that the model read.
        passes: forward passes.
        draft_words: words of the drafts that were rewritten.
        draft_words_kept: those of them that stand in the records where they stood in the draft.
    """

    attempts: int = 0
    finished: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    passes: int = 0
    draft_words: int = 0
    draft_words_kept: int = 0

    def add(self, other: "Tally") -> None:
        """Add the counts of other work."""
        self.attempts += other.attempts
        self.finished += other.finished
        self.refusals.update(other.refusals)
        self.tokens += other.tokens
        self.passes += other.passes
        self.draft_words += other.draft_words
        self.draft_words_kept += other.draft_words_kept

    def check_hope(self, attempts: int, *, under_way: int = 0, advice: str = "") -> None:
        """Stop when fewer attempts come out than were asked for.

        Args:
            attempts: how often, on average, a record may be begun.
            under_way: records that got past where most are refused.
            advice: what else would help.

        Raises:
            DataError: conditions and rules refuse nearly everything; names them and the share that each refuses.
        """
        if self.refusals.total() > attempts * (self.finished + under_way + 4):
            raise DataError(
                f"generate: {self.finished} of {self.attempts:,} attempts came out, fewer than 1 in {attempts}:"
                f" {self.shares()}; loosen it, or raise generate.attempts{advice}"
            )

    def shares(self) -> str:
        """Return what refused which share of the attempts, the most frequent first."""
        return ", ".join(
            f"{name} refused {count / self.attempts:.1%}" for name, count in self.refusals.most_common(5)
        )
