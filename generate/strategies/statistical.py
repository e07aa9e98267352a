"""The strategy `statistical`: draws field after field from fitted statistics, many records at once."""

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from paracosm.finetune.models.chat_prompt import ordered
from paracosm.foundation.errors import RecipeError
from paracosm.generate.constraints.request import Abilities, Request, Tally
from paracosm.generate.redraws.unused_settings import refuse_unused
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.chain_draws import draw_weighted
from paracosm.generate.statistics.stored_chain import load_chain
from paracosm.recipes.sections.generate import Generate
from paracosm.records.schema.schema import Record, Schema

BATCH = 4096
UNUSED = ("temperature", "temperatures", "top_p", "top_k", "min_p", "rewrite")
"""Settings of a language model, which statistics do not have."""
ADVICE = "put the field into data.target, which is drawn first, or raise generate.attempts"


class StatisticalStrategy:
    """Fitted statistics, loaded when they are first needed; see `Strategy`.

    Attributes:
        folder: written by the finetune stage.
        settings: of the recipe's `generate` section.
    """

    def __init__(self, folder: Path, settings: Generate) -> None:
        refuse_settings(settings)
        self.folder = folder
        self.settings = settings

    @cached_property
    def chain(self) -> Chain:
        return load_chain(self.folder)

    @property
    def abilities(self) -> Abilities:
        return Abilities(self.chain.schema, weighs=True, advice=ADVICE)

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size or BATCH

    def records(self, requests: Sequence[Request], *, seed: int, tally: Tally) -> list[list[Record]]:
        groups: list[list[Record]] = []
        for begin in range(0, len(requests), self.batch_size):
            part = requests[begin : begin + self.batch_size]
            drawn = draw_weighted(self.chain, part, seed, tally, self.settings.attempts)
            groups += [[record] for record in drawn]
        return groups

    def facts(self) -> dict[str, Any]:
        return {}


def abilities_for(schema: Schema, target: str | None) -> Abilities:
    """Return what statistics of some records can be asked for, after checking that they can be fitted.

    Args:
        schema: in the order of the source.
        target: the column that is drawn first; None for none. Fields that are computed from others come after these.

    Raises:
        RecipeError: one is a free text, or records form sequences.
    """
    texts = [field.name for field in schema.modelled if field.is_text]
    if texts:
        raise RecipeError(
            f"strategy: statistical does not write free text, and {texts[0]!r} is one; name it in data.drop, or use strategy finetuned"
        )
    if schema.sequence is not None:
        raise RecipeError(
            "strategy: statistical makes single records, not the sequences of data.sequence; leave out data.sequence, or use"
            " strategy finetuned"
        )
    return Abilities(ordered(schema, target), weighs=True, advice=ADVICE)


def refuse_settings(settings: Generate) -> None:
    """Check that the recipe sets nothing that only a language model has.

    Raises:
        RecipeError: it does.
    """
    refuse_unused(
        settings, UNUSED, "statistical", "is for language models; leave it out with strategy statistical"
    )
