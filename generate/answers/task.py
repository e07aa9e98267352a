"""What a model is asked to write, and what it wrote: the same for a model on this machine and for a server."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from paracosm.generate.constraints.guide import Guide
from paracosm.generate.constraints.request import Tally
from paracosm.records.schema.schema import Field, Record, Schema, Value


@dataclass(frozen=True)
class Task:
    """Some fields of one record that a model writes.

    Attributes:
        number: of the record.
        redraw: 0, or how often the record was redrawn before.
        system: the role of the model, in words.
        prompt: what it is asked.
        fields: the fields that it writes, in order.
        known: the fields of the record that are known.
        guide: constraints on the record; None for none.
    """

    number: int
    redraw: int
    system: str
    prompt: str
    fields: tuple[str, ...]
    known: Mapping[str, Value] = field(default_factory=dict)
    guide: Guide | None = None


@dataclass
class Usage:
    """What answers cost, and how many of them were valid.

    Attributes:
        calls: answers of a model.
        records: tasks that were done or given up.
        first_try: tasks whose first answer was valid.
        given_up: tasks without a valid answer.
        input_tokens: tokens of prompts.
        output_tokens: tokens of answers.
        seconds: of the model, all answers one after another.
        blamed: records in which a check blamed a field.
        mended: those of them that a check kept after the field was written again.
        unanswered: requests that were repeated because the server did not answer them.
        reasons: why answers were not valid.
    """

    calls: int = 0
    records: int = 0
    first_try: int = 0
    given_up: int = 0
    input_tokens: int = 0
    output_tokens: int = 0
    seconds: float = 0.0
    blamed: int = 0
    mended: int = 0
    unanswered: int = 0
    reasons: Counter[str] = field(default_factory=Counter)

    def add(self, other: "Usage") -> None:
        """Add the counts of another usage."""
        for name in COUNTED:
            setattr(self, name, getattr(self, name) + getattr(other, name))
        self.reasons.update(other.reasons)

    def plain(self) -> dict[str, Any]:
        """Return the counts as JSON values."""
        return {name: getattr(self, name) for name in COUNTED} | {"reasons": dict(self.reasons)}

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> "Usage":
        """Return what `plain` returned."""
        return cls(**{name: plain.get(name, 0) for name in COUNTED}, reasons=Counter(plain["reasons"]))


COUNTED = (
    "calls",
    "records",
    "first_try",
    "given_up",
    "input_tokens",
    "output_tokens",
    "seconds",
    "blamed",
    "mended",
    "unanswered",
)


@dataclass(frozen=True)
class Answer:
    """What became of a task.

    Attributes:
        values: the fields that were written; None if no answer was valid.
        usage: of this task.
    """

    values: Record | None
    usage: Usage


class Writer(Protocol):
    """A model that writes fields of records."""

    @property
    def batch_size(self) -> int:
        """Tasks that are done at once."""
        ...

    def identity(self) -> dict[str, Any]:
        """Return what its answers depend on, as JSON values without secrets."""
        ...

    def write(self, tasks: Sequence[Task], *, seed: int, tally: Tally) -> list[Answer]:
        """Do some tasks.

        Args:
            tasks: of different records.
            seed: of the answers.
            tally: counts tokens and refusals.

        Raises:
            DataError: constraints refuse nearly every attempt.
            ModelError: the server cannot be used.
        """
        ...


def with_scratch(schema: Schema, scratch: Sequence[Field]) -> Schema:
    """Return a schema with further fields after its own, which records do not keep."""
    return Schema((*schema.modelled, *scratch))
