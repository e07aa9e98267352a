"""`paracosm validate`: the fields, the splits and the plan of a recipe, before anything is trained."""

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.cli.init.field_summary import domain_words
from paracosm.finetune.cost_estimate import CostEstimate, estimate_cost
from paracosm.finetune.dp.accountant import budget_of, budget_words
from paracosm.finetune.dp.privacy_unit import expected_units
from paracosm.finetune.dp.settings import as_trained, unit_of
from paracosm.pipeline import check_early
from paracosm.recipes.recipe import Recipe
from paracosm.records.constraints.rules import read_rules
from paracosm.records.schema.table import to_records
from paracosm.records.sources.read_source import read_source
from paracosm.records.stage import Prepared, assemble
from paracosm.stage_summary import pii_words

if TYPE_CHECKING:
    from rich.console import Console


def validate(recipe: Recipe, *, root: Path) -> tuple[Prepared, CostEstimate]:
    """Check a recipe with its data and its base model; nothing is trained or written.

    Raises:
        ParacosmError: what would stop a run.
    """
    check_early(recipe)
    prepared = assemble(recipe, read_source(recipe.data, root=root))
    rules = read_rules(recipe.rules, prepared.schema, root)
    broken = rules.violations(to_records(prepared.splits["train"], prepared.schema))
    prepared = replace(
        prepared, warnings=(*prepared.warnings, *(f"training records: {line}" for line in broken))
    )
    train = to_records(prepared.splits["train"], prepared.schema)
    return prepared, estimate_cost(as_trained(recipe), prepared.schema, train)


def print_plan(recipe: Recipe, prepared: Prepared, expected: CostEstimate, console: "Console") -> None:
    """Print what `validate` found."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("field", "type", "domain"):
        table.add_column(heading)
    table.add_column("missing", justify="right")
    for field in prepared.schema:
        target = " (target)" if field.name == recipe.data.target else ""
        missing = f"{field.missing:.1%}" if field.nullable else ""
        table.add_row(escape(field.name) + target, field.type, escape(domain_words(field)), missing)
    console.print(table)
    if "pii" in prepared.facts:
        from paracosm.cli.pii import table_of_kinds

        console.print(table_of_kinds(prepared.facts["pii"]))
    for warning in prepared.warnings:
        console.print(f"[yellow]warning[/] {escape(warning)}")
    for heading, words in _lines(recipe, prepared, expected).items():
        console.print(f"[bold]{heading:<10}[/] {escape(words)}", highlight=False)


def _lines(recipe: Recipe, prepared: Prepared, expected: CostEstimate) -> dict[str, str]:
    rows = " · ".join(f"{len(part):,} {name}" for name, part in prepared.splits.items())
    share = expected.trainable_parameters / expected.total_parameters
    personal = {} if "pii" not in prepared.facts else {"persons": pii_words(prepared.facts["pii"])}
    return {
        "records": rows,
        **personal,
        "tokens": f"{expected.tokens_per_record:.1f} per record, {expected.decisions_per_record:.1f} of them decisions; longest {expected.longest_record}",
        "model": f"{recipe.model.base}: {expected.total_parameters:,} parameters, {expected.trainable_parameters:,} trainable ({share:.1%})",
        "training": f"about {_duration(expected.seconds)} for {as_trained(recipe).finetune.epochs} epochs{' at most' * (recipe.privacy is None)}, and {expected.bytes / 1e9:.1f} GB of memory",
    } | _privacy(recipe, prepared)


def _privacy(recipe: Recipe, prepared: Prepared) -> dict[str, str]:
    if recipe.privacy is None:
        return {}
    units = expected_units(recipe, prepared.schema, prepared.splits["train"])
    return {"privacy": budget_words(budget_of(recipe.privacy, units, unit_of(recipe)))}


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"
