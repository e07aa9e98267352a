"""What a strategy that prompts needs to be prepared for it."""

from dataclasses import dataclass

from paracosm.generate.constraints.request import Abilities
from paracosm.records.schema.schema import Schema


@dataclass(frozen=True)
class Plan:
    """What is prepared.

    Attributes:
        abilities: what can be asked for; its schema is in the order of the draw.
        drawn: the fields that statistics are fitted to; None for none.
        summarises: whether prompts tell summaries of the columns.
        title: in a few words, for lines about the stage.
    """

    abilities: Abilities
    drawn: Schema | None
    summarises: bool
    title: str
