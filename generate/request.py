"""What a decoder is asked for, and the count of what became of it."""

from collections import Counter
from dataclasses import dataclass, field

from paracosm.generate.track import Guide


@dataclass(frozen=True)
class Request:
    """One record to make.

    Attributes:
        number: of the record in its seed's sequence; its random stream follows from it.
        order: places of the fields in the order of the encoding; None for the table's order.
        guide: what it has to keep beside the schema; None for nothing.
        again: which redraw of the record this is; each has a stream of its own.
    """

    number: int
    order: tuple[int, ...] | None = None
    guide: Guide | None = None
    again: int = 0


@dataclass
class Tally:
    """How often records were begun, and what refused them.

    Attributes:
        attempts: records begun.
        finished: records that came out.
        refusals: per condition or rule, the records that it refused.
        tokens: tokens that the model read.
        passes: forward passes.
    """

    attempts: int = 0
    finished: int = 0
    refusals: Counter[str] = field(default_factory=Counter)
    tokens: int = 0
    passes: int = 0

    def add(self, other: "Tally") -> None:
        """Add the counts of other work."""
        self.attempts += other.attempts
        self.finished += other.finished
        self.refusals.update(other.refusals)
        self.tokens += other.tokens
        self.passes += other.passes

    def shares(self) -> str:
        """Return what refused which share of the attempts, the most frequent first."""
        return ", ".join(
            f"{name} refused {count / self.attempts:.1%}" for name, count in self.refusals.most_common(5)
        )
