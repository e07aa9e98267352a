"""The `finetune.loss` section: which part of a record is learnt, where not all of it is."""

from typing import Annotated

from pydantic import Field, model_validator

from paracosm.recipes.sections.section import Section


class Loss(Section):
    """The part of every record that is learnt; the rest is read before it, and not learnt."""

    columns: Annotated[list[str], Field(min_length=1)] | None = None
    """Columns to learn, such as [answer]; null learns all. The others are context, whose values the model cannot make well."""
    turns: dict[str, Annotated[list[str], Field(min_length=1)]] | None = None
    """Sequences: per column the values of the records to learn, such as {role: [assistant]}, each with whether another record follows
    it; null learns all records of a sequence."""

    @model_validator(mode="after")
    def _says_something(self) -> "Loss":
        if not self.columns and not self.turns:
            raise ValueError("is empty; set columns or turns, or leave the loss out to learn everything")
        return self
