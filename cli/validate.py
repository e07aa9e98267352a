"""`paracosm validate`: check a recipe and its data, and print fields, splits and expected cost without training."""

from pathlib import Path
from typing import TYPE_CHECKING

from paracosm.cli.arguments import Overrides, RecipeName

if TYPE_CHECKING:
    from rich.console import Console
    from rich.table import Table

    from paracosm.finetune.adaptation_cost import AdaptationCost
    from paracosm.plan import Plan
    from paracosm.recipes.recipe import Recipe
    from paracosm.records.assembly import Prepared
    from paracosm.records.codec.passage_sizes import Passages
    from paracosm.stage_costs import StageCost


def validate(recipe: RecipeName, overrides: Overrides = None) -> None:
    """Check a recipe and its data, and print the plan.

    Trains and writes nothing.
    """
    from paracosm.foundation.progress import first_sign

    first_sign(f"checking {recipe}, its data and its base model")
    from rich.console import Console

    from paracosm.plan import plan_of
    from paracosm.recipes.run.open_run import open_run

    opened = open_run(Path(recipe), overrides or [])
    print_plan(plan_of(opened.recipe, root=opened.root), Console())


def print_plan(plan: "Plan", console: "Console") -> None:
    """Print fields, warnings, splits and expected cost."""
    from rich import box
    from rich.markup import escape
    from rich.table import Table

    recipe, prepared = plan.recipe, plan.prepared
    table = Table(box=box.SIMPLE, pad_edge=False)
    for heading in ("field", "type", "domain"):
        table.add_column(heading)
    table.add_column("missing", justify="right")
    for field in prepared.schema:
        target = " (target)" if field.name == recipe.data.target else ""
        missing = f"{field.missing:.1%}" if field.nullable else ""
        table.add_row(escape(field.name) + target, field.type, escape(field.kind.summary(field)), missing)
    console.print(table)
    if "pii" in prepared.facts:
        from paracosm.cli.pii import findings_table

        console.print(findings_table(prepared.facts["pii"]))
    for warning in prepared.warnings:
        console.print(f"[yellow]warning[/] {escape(warning)}")
    for heading, text in plan_lines(plan).items():
        console.print(f"[bold]{heading:<10}[/] {escape(text)}", highlight=False)
    for line in _relation_lines(recipe, prepared):
        console.print(escape(line), highlight=False)
    console.print(
        f"[bold]verdict[/]    what these sizes can settle under the profile {recipe.release.profile}:"
    )
    console.print(_outlook_table(plan))


def _outlook_table(plan: "Plan") -> "Table":
    """Return a line for each question: whether these sizes can settle it, and what would change that."""
    from rich.markup import escape
    from rich.table import Table

    table = Table.grid(padding=(0, 2))
    table.add_column(no_wrap=True)
    table.add_column()
    for line in plan.outlook:
        colour = "default" if line.can_pass else "yellow"
        table.add_row(f"  {line.title}", f"[{colour}]{escape(line.sentence)}[/]")
    return table


def plan_lines(plan: "Plan") -> dict[str, str]:
    """Return what is said about records, cost and privacy, by heading."""
    from paracosm.finetune.dp.settings import as_trained
    from paracosm.stage_costs import stage_costs
    from paracosm.stage_summary import pii_words

    recipe, prepared, cost, adaptation = plan.recipe, plan.prepared, plan.cost, plan.adaptation
    sizes = " · ".join(f"{len(part):,} {name}" for name, part in prepared.splits.items())
    rows = f"{sizes}; {_expected(plan.preparation)} to prepare{_cure(plan.preparation)}"
    pii = {"pii": pii_words(prepared.facts["pii"])} if "pii" in prepared.facts else {}
    if cost is None:
        return {
            "records": rows,
            **pii,
            "statistics": f"{recipe.statistical.method}; seconds, and no language model",
        }
    costs = stage_costs(as_trained(recipe), prepared.schema, prepared.splits, cost)
    seconds = [plan.preparation.seconds, *(each.seconds for each in costs.values())]
    if adaptation is not None:
        seconds.append(adaptation.seconds)
    share = cost.trainable_parameters / cost.total_parameters
    epochs = as_trained(recipe).finetune.epochs
    at_most = "at most " if recipe.privacy is None else ""
    return {
        "records": rows,
        **pii,
        "tokens": f"{cost.tokens_per_record:.1f} per record, {cost.decisions_per_record:.1f} of them not fixed by the grammar; longest {'window' if cost.passages else 'record'} {cost.longest_record}",
        **({"passages": _passage_words(cost.passages)} if cost.passages else {}),
        "model": f"{recipe.model.base}: {cost.total_parameters:,} parameters, {cost.trainable_parameters:,} trainable ({share:.1%})",
        **({} if adaptation is None else {"adaptation": _adaptation_words(adaptation)}),
        "training": f"about {_duration(cost.seconds)} for {at_most}{epochs} epochs, {cost.bytes / 1e9:.1f} GB of memory{_cure(costs['training'])}",
        **{name: _expected(costs[name]) + _cure(costs[name]) for name in ("generation", "evaluation")},
        "in all": f"about {_duration(sum(seconds))} on this machine",
        **_privacy_line(recipe, prepared),
    }


def _expected(cost: "StageCost") -> str:
    return f"about {_duration(cost.seconds)}, {cost.bytes / 1e9:.1f} GB of memory"


def _adaptation_words(cost: "AdaptationCost") -> str:
    corpus = f"{cost.documents:,} documents, {cost.tokens:,} tokens"
    return f"{corpus}; about {_duration(cost.seconds)} before the training"


def _passage_words(passages: "Passages") -> str:
    """Return which texts are written in passages, and how much of them the model sees at once."""
    return (
        f"{', '.join(passages.fields)}: longer than the {passages.context:,} tokens that the model reads at once (model.context), so written"
        f" in passages of up to {passages.room:,} tokens, each with the other columns and {passages.tail} tokens of the passage before in view"
    )


def _relation_lines(recipe: "Recipe", prepared: "Prepared") -> list[str]:
    """Return the relations that hold in all training records, and what becomes of them."""
    found = prepared.facts.get("relations", [])
    if not found:
        return []
    ignored = set(found) if recipe.rules.relations == "ignore" else set(recipe.rules.ignored_relations)
    train = len(prepared.splits["train"])
    kept = len([text for text in found if text not in ignored])
    heading = (
        f"relations  {len(found)} hold in all {train:,} training records; synthetic records keep {kept}:"
    )
    return [heading, *(f"  {text}{' (ignored)' if text in ignored else ''}" for text in found)]


def _privacy_line(recipe: "Recipe", prepared: "Prepared") -> dict[str, str]:
    from paracosm.finetune.dp.accountant import budget_of, budget_words
    from paracosm.finetune.dp.privacy_unit import expected_units
    from paracosm.finetune.dp.settings import unit_of

    if recipe.privacy is None:
        return {}
    units = expected_units(recipe, prepared.schema, prepared.splits["train"])
    budget = budget_of(recipe.privacy, units, unit_of(recipe), with_corpus=recipe.adapt is not None)
    return {"privacy": budget_words(budget)}


def _cure(cost: "StageCost") -> str:
    return f"; lower {cost.cures} to shorten it" if cost.is_long and cost.cures else ""


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 2 * 3600 else f"{seconds / 3600:.1f} h"
