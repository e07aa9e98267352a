"""What the sizes of a table can settle: one line for each question of the evaluation, before anything is trained."""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from paracosm.eval.outlook.rehearsal import AS_GOOD_AS_REAL, Margin, rehearse
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Schema

if TYPE_CHECKING:
    from paracosm.eval.gates.attainable import Need
    from paracosm.eval.measuring.gate import Question

STAYS = "will stay INCONCLUSIVE"
CAN = "can be settled"
AMPLE = 2
"""Times the records that a gate needs at least, from which on a small leak does not make it inconclusive."""
LARGEST_SHARE = 0.3
"""Share of a table beyond which no larger test or control split is advised: too little would be left to train on."""


@dataclass(frozen=True)
class Outlook:
    """What to expect of the verdict on one question.

    Attributes:
        title: of the question.
        can_pass: whether records in which nothing is wrong would pass.
        sentence: why, and what would change it.
    """

    title: str
    can_pass: bool
    sentence: str


def outlook(recipe: Recipe, schema: Schema, splits: Mapping[str, pd.DataFrame]) -> list[Outlook]:
    """Return what to expect of the verdict on each question that the release depends on.

    The privacy gates follow from the numbers of records (`eval.gates.attainable`), those of fidelity and usefulness from a
    measurement on the training records (`rehearsal`). Gates on texts, and the risks of singling out, linking and inferring, are
    not foreseen.

    Args:
        recipe: as it would be trained.
        schema: of the records.
        splits: the typed tables.
    """
    from paracosm.eval.gates.attainable import needs
    from paracosm.eval.gates.verdicts import QUESTIONS

    sizes = {name: len(table) for name, table in splits.items()}
    sizes["synthetic"] = recipe.generate.records or sizes["train"]
    margins = rehearse(recipe, schema, splits)
    needed = needs(
        sizes,
        recipe.release,
        recipe.eval,
        has_adapter=_has_model(recipe) and "adapter" in recipe.eval.attacks,
        has_texts=any(field.is_text for field in schema.modelled),
    )
    lines = []
    for question, title in QUESTIONS.items():
        of_margins = [margin for margin in margins if margin.gate.question == question]
        of_needs = [need for need in needed if need.question == question]
        line = _line(title, question, of_margins, of_needs, sizes, recipe)
        if line is not None:
            lines.append(line)
    return lines


def _has_model(recipe: Recipe) -> bool:
    return recipe.strategy not in ("prompt", "chain", "augment")


def _line(
    title: str,
    question: "Question",
    margins: Sequence[Margin],
    needed: Sequence["Need"],
    sizes: Mapping[str, int],
    recipe: Recipe,
) -> Outlook | None:
    if question == "utility" and recipe.data.target is None:
        return Outlook(title, False, "not measured without data.target")
    missed = _largest_by_data([need for need in needed if not need.is_met])
    if missed:
        return Outlook(title, False, f"{STAYS}: {'; '.join(_missed(need, sizes) for need in missed)}")
    narrow = max(
        margins, key=lambda margin: margin.half_width / (AS_GOOD_AS_REAL - margin.limit), default=None
    )
    if narrow is not None and not narrow.can_pass:
        return Outlook(title, False, f"{STAYS}: {_too_wide(narrow, sizes)}")
    if narrow is not None:
        return Outlook(title, True, f"{CAN}; a PASS needs {_required(narrow)}")
    tight = [need for need in needed if need.needed is not None and need.present < AMPLE * need.needed]
    if tight:
        need = _largest_by_data(tight)[0]
        return Outlook(
            title,
            True,
            f"{CAN} if nothing leaks at all: {need.gate} needs {need.needed:,} {need.data}, and there are {need.present:,}",
        )
    return Outlook(title, True, CAN) if needed else None


def _largest_by_data(needed: Sequence["Need"]) -> list["Need"]:
    """Return the largest need of each kind of data."""
    largest: dict[str, Need] = {}
    for need in sorted(needed, key=lambda need: need.needed or math.inf):
        largest[need.data] = need
    return list(largest.values())


def _required(margin: Margin) -> str:
    from paracosm.eval.measuring.number_format import percentage

    return (
        f"{margin.gate.name} of {percentage(margin.required)} or more (limit {percentage(margin.limit)}; 100% is"
        " as good as real records)"
    )


def _too_wide(margin: Margin, sizes: Mapping[str, int]) -> str:
    from paracosm.eval.gates.remedies import COUNTED_TABLES

    present = sum(sizes.get(name, 0) for name in COUNTED_TABLES[margin.data])
    if margin.factor is None:
        return f"{margin.gate.name} needs many times the {present:,} {margin.data} of this table"
    count = rounded_up(margin.factor * present)
    return f"{margin.gate.name} needs about {count:,} {margin.data}, this table leaves {present:,}; {_cure(margin.data, count, sizes)}"


def _missed(need: "Need", sizes: Mapping[str, int]) -> str:
    if need.needed is None:
        alone = "; release.what=records releases the records alone" if need.question == "adapter" else ""
        return f"{need.gate} cannot be proven with {sizes['train']:,} training records{alone}"
    count = rounded_up(need.needed)
    alone = ", or release.what=records" if need.question == "adapter" else ""
    if need.data == "synthetic records":
        return f"{need.gate} needs {count:,} synthetic records, and {need.present:,} are made; set generate.records={count}"
    return (
        f"{need.gate} needs about {count:,} {need.data}, this table leaves {need.present:,};"
        f" {_cure(need.data, count, sizes)}{alone}"
    )


def _cure(data: str, count: int, sizes: Mapping[str, int]) -> str:
    """Return which larger share of the table, or which larger table, holds so many records."""
    total = sum(sizes[name] for name in ("train", "control", "test"))
    if data != "test records" or count / total > LARGEST_SHARE:
        present = sizes["test"] if data == "test records" else sizes["control"] + sizes["test"]
        rows = rounded_up(total * count / max(present, 1))
        return f"take about {rows:,} rows" if present else "set data.split.control and data.split.test"
    return f"set data.split.test={math.ceil(100 * count / total) / 100:g} or take more rows"


def rounded_up(count: float) -> int:
    """Return a count rounded up to two significant digits."""
    step = 10 ** max(0, math.floor(math.log10(max(count, 1.0))) - 1)
    return math.ceil(count / step) * step
