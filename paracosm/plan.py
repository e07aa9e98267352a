"""Before a run: `paracosm.init` writes a recipe for a data file, `paracosm.validate` checks a recipe and plans the run."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.finetune.tracking.servers import check_tracker
from paracosm.foundation.progress import Progress, to_stderr
from paracosm.generate.written_table import refuse_destination
from paracosm.python_recipe import RecipeLike, python_overrides, recipe_from
from paracosm.recipes.recipe import Recipe
from paracosm.refusals import refuse_recipe, refuse_records

if TYPE_CHECKING:
    from paracosm.eval.outlook.questions import Outlook
    from paracosm.finetune.adaptation_cost import AdaptationCost
    from paracosm.finetune.cost_estimate import CostEstimate
    from paracosm.records.assembly import Prepared
    from paracosm.stage_costs import StageCost


@dataclass(frozen=True, repr=False, eq=False)
class Plan:
    """What a run would do.

    Attributes:
        recipe: as it would be trained.
        prepared: schema, splits and warnings of the records.
        preparation: CPU time and memory of the records stage, as they were measured for this plan.
        cost: tokens, weights, seconds and bytes, as they are expected; None where nothing is trained.
        adaptation: documents, tokens and seconds of the training on a corpus, as they are expected; None where there is none.
    """

    recipe: Recipe
    prepared: "Prepared"
    preparation: "StageCost"
    cost: "CostEstimate | None"
    adaptation: "AdaptationCost | None" = None

    @cached_property
    def outlook(self) -> "list[Outlook]":
        """What the sizes of the table can settle, by question; computed on first use, in seconds."""
        from paracosm.eval.outlook.questions import outlook
        from paracosm.finetune.dp.settings import as_trained

        recipe = as_trained(self.recipe) if self.cost is not None else self.recipe
        return outlook(recipe, self.prepared.schema, self.prepared.splits)

    @property
    def warnings(self) -> tuple[str, ...]:
        """Warnings about the records."""
        return self.prepared.warnings

    def __repr__(self) -> str:
        rows = ", ".join(f"{len(part):,} {name}" for name, part in self.prepared.splits.items())
        fields = ", ".join(f"{field.name} ({field.type})" for field in self.prepared.schema)
        work = f"fitting   {self.recipe.statistical.method}; seconds, and no language model"
        if self.recipe.strategy in ("prompt", "chain"):
            work = f"{self.recipe.strategy:<9} no training; a language model writes the records"
        if self.cost is not None:
            work = f"training  about {self.cost.seconds / 60:.1f} minutes, {self.cost.bytes / 1e9:.1f} GB of memory"
        lines = [f"records   {rows}", f"fields    {fields}", work]
        lines.append("verdict   plan.outlook says which questions these sizes can settle")
        return "\n".join([*lines, *(f"warning   {warning}" for warning in self.warnings)])


def init(
    data: PathLike[str] | str,
    *,
    out: PathLike[str] | str = "recipe.yaml",
    target: str | None = None,
    query: str | None = None,
    private: bool = False,
    force: bool = False,
    progress: Progress = to_stderr,
) -> Path:
    """Write a commented recipe for a data file, as `paracosm init` does, and say what was decided.

    For a table in memory, `fit` makes the same decisions.

    Args:
        data: the path or URL of a table.
        out: the recipe file to write.
        target: the column that a model would predict.
        query: the SELECT statement, if `data` is a database URL.
        private: for differential privacy: declare every field, to be checked and confirmed.
        force: replace an existing file.
        progress: takes the lines that say what was decided.

    Returns:
        The path of the recipe.

    Raises:
        RecipeError: `out` exists already, or cannot be written.
        DataError: the data cannot be used, or the target is not a column.
    """
    from paracosm.records.drafting.recipe_template import write_draft

    lines = write_draft(
        source=str(data), out=Path(out), target=target, query=query, force=force, private=private
    )
    for line in lines:
        progress(line)
    return Path(out)


def validate(
    recipe: RecipeLike,
    *,
    data: Any = None,
    root: PathLike[str] | str | None = None,
    overrides: Mapping[str, Any] | None = None,
    **sections: Any,
) -> Plan:
    """Check a recipe with its data and its base model; train and write nothing.

    Args:
        recipe: a recipe, its keys as a dict, its path, or the name of a shipped one.
        data: a table in memory to use instead of `data.source`.
        root: the folder that relative paths of the recipe start from; the recipe's folder by default.
        overrides: recipe keys, such as `{"finetune.epochs": 2}`.
        **sections: recipe sections, such as `finetune={"epochs": 2}`.

    Returns:
        What the run would do.

    Raises:
        ParacosmError: what would stop the run, in one line.
    """
    changes = python_overrides(overrides, sections, caller="validate")
    resolved, start = recipe_from(recipe, changes)
    return plan_of(resolved, root=start if root is None else Path(root), data=data)


def plan_of(recipe: Recipe, *, root: Path, data: Any = None) -> Plan:
    """Return the plan of a recipe; see `validate`."""
    from paracosm.finetune.adaptation_cost import adaptation_cost
    from paracosm.finetune.cost_estimate import estimate_cost
    from paracosm.finetune.dp.settings import as_trained
    from paracosm.records.assembly import assemble
    from paracosm.records.schema.table import to_records
    from paracosm.records.sources.read_source import from_object, read_source
    from paracosm.records.splitting.given_splits import read_given
    from paracosm.stage_costs import measured

    refuse_recipe(recipe)
    check_tracker(recipe.track)
    refuse_destination(recipe, None, root)

    def records() -> "Prepared":
        given = read_given(recipe.data, root=root)
        raw = (
            read_source(recipe.data, root=root)
            if data is None
            else from_object(data, drop=recipe.data.drop, nested=recipe.data.nested)
        )
        return assemble(recipe, raw, given=given)

    prepared, preparation = measured(recipe, records)
    train = to_records(prepared.splits["train"], prepared.schema)
    violations = refuse_records(recipe, prepared.schema, prepared.splits, root)
    warnings = [f"training records: {line}" for line in violations]
    prepared = replace(prepared, warnings=(*prepared.warnings, *warnings))
    if recipe.strategy in ("statistical", "prompt", "chain", "augment"):
        return Plan(recipe, prepared, preparation, None)
    cost = estimate_cost(as_trained(recipe), prepared.schema, train)
    return Plan(recipe, prepared, preparation, cost, adaptation_cost(recipe, root=root))
