"""The strategy `combined`: statistics draw the columns, and a fine-tuned language model writes the texts given the columns."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import RecipeError
from paracosm.generate.constraints.allowed_values import AllowedValues, listed
from paracosm.generate.constraints.guide import Guide, NoConstraints
from paracosm.generate.constraints.request import Abilities, Request, Tally
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.chain_draws import draw_weighted
from paracosm.generate.statistics.stored_chain import COLUMNS, load_chain
from paracosm.generate.strategies.language_model import LanguageModel
from paracosm.generate.strategies.statistical import ADVICE
from paracosm.recipes.sections.generate import Generate
from paracosm.records.codec.codec import Codec
from paracosm.records.schema.schema import Record, Schema, Value


class CombinedStrategy:
    """Fitted statistics of the columns, and an adapter for the texts; see `Strategy`.

    Columns are drawn until their conditions, rules and relations accept them; the texts are then written with the columns as
    given values.

    Attributes:
        writer: the adapter. Its fields are those of the statistics, in their order, and then the texts.
        settings: of the recipe's `generate` section.
    """

    def __init__(self, folder: Path, settings: Generate) -> None:
        self.folder = folder
        self.writer = LanguageModel(folder, settings)
        self.settings = settings

    @cached_property
    def chain(self) -> Chain:
        return load_chain(self.folder, COLUMNS)

    @property
    def abilities(self) -> Abilities:
        return combined_abilities(self.writer.codec)

    @property
    def batch_size(self) -> int:
        return self.writer.batch_size

    def records(self, requests: Sequence[Request], *, seed: int, tally: Tally) -> list[list[Record]]:
        # The writer counts whole records; draws of the columns count only where they are refused.
        drawing = Tally()
        columns = draw_weighted(self.chain, requests, seed, drawing, self.settings.attempts)
        tally.attempts += drawing.attempts - drawing.finished
        tally.refusals.update(drawing.refusals)
        tally.resampled += drawing.resampled
        given = [
            replace(
                request, guide=GivenColumns(known, request.guide or NoConstraints(), self.abilities.schema)
            )
            for request, known in zip(requests, columns, strict=True)
        ]
        return self.writer.records(given, seed=seed, tally=tally)

    def facts(self) -> dict[str, Any]:
        return {}


@dataclass(frozen=True)
class GivenColumns:
    """The guide of a record whose columns are drawn already: only its texts are left to write.

    Attributes:
        columns: their values.
        guide: of the whole record.
        schema: of the whole record.
    """

    columns: Record
    guide: Guide
    schema: Schema

    def allowed(
        self,
        index: int,
        values: Mapping[str, Value],
        previous: Mapping[str, Value],
        *,
        every_condition: bool = False,
    ) -> AllowedValues | None:
        field = self.schema.modelled[index]
        if field.name in self.columns:
            return listed(field, [self.columns[field.name]])
        return self.guide.allowed(index, values, previous, every_condition=every_condition)

    def is_checked_later(self, index: int) -> bool:
        return self.schema.modelled[index].name not in self.columns and self.guide.is_checked_later(index)

    def given_text(self, index: int) -> Value:
        return self.guide.given_text(index)

    def violation(self, index: int, values: Mapping[str, Value]) -> str | None:
        # Columns were accepted when they were drawn.
        if self.schema.modelled[index].name in self.columns:
            return None
        return self.guide.violation(index, values)

    def conflict(self, index: int, values: Mapping[str, Value]) -> str:
        return self.guide.conflict(index, values)


def combined_abilities(codec: Codec) -> Abilities:
    """Return what the strategy can be asked for, from the codec of the adapter."""
    return Abilities(codec.schema, weighs=True, advice=ADVICE)


def holds_columns(folder: Path) -> bool:
    """Return whether the folder of an adapter also holds the statistics of the columns."""
    return (folder / COLUMNS[0]).is_file()


def refuse_records(schema: Schema) -> None:
    """Check that records have both columns and texts, and form no sequences.

    Raises:
        RecipeError: they do not.
    """
    texts = [field.is_text for field in schema.modelled]
    if not any(texts):
        raise RecipeError(
            "strategy: combined writes free texts, and these records have none; use statistical"
        )
    if all(texts):
        raise RecipeError(
            "strategy: combined draws columns, and these records are texts alone; use finetuned"
        )
    if schema.sequence is not None:
        raise RecipeError(
            "strategy: combined makes single records, not the sequences of data.sequence; leave out data.sequence, or use finetuned"
        )
