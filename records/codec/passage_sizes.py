"""Which texts of a codec are written in passages, and the sizes of a window."""

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

NUMBER_TOKENS = 4
"""Most tokens of a passage's number."""
LONGEST_TAIL = 128
"""Most tokens of the passage before that are repeated."""
TAIL_SHARE = 0.25
"""Share of the room beside the columns that the tail may take in a short window."""


@dataclass(frozen=True)
class Passages:
    """Which texts are written in passages, and the sizes of a window, in tokens.

    Attributes:
        fields: names of these text fields.
        context: tokens that the model reads at once.
        head: most tokens of the prompt or start token and of all other columns.
        most: most tokens of a text; a generated text ends there.
    """

    fields: tuple[str, ...]
    context: int
    head: int
    most: int

    @property
    def beside_head(self) -> int:
        """Tokens of a window for the tail and the passage."""
        return self.context - self.head - 1 - NUMBER_TOKENS

    @property
    def tail(self) -> int:
        """Most tokens of the tail."""
        return min(LONGEST_TAIL, int(self.beside_head * TAIL_SHARE))

    @property
    def room(self) -> int:
        """Most tokens of a passage."""
        return self.beside_head - self.tail

    def to_plain(self) -> dict[str, Any]:
        """Return the attributes as values of JSON."""
        return dataclasses.asdict(self) | {"fields": list(self.fields)}

    @classmethod
    def from_plain(cls, plain: Mapping[str, Any]) -> "Passages":
        """Return what `to_plain` wrote."""
        return cls(tuple(plain["fields"]), int(plain["context"]), int(plain["head"]), int(plain["most"]))
