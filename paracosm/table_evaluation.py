"""`paracosm.evaluate`: synthetic records against real ones, as tables in memory."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, indented, to_stderr
from paracosm.foundation.temporary import temporary_folder
from paracosm.model import RUN
from paracosm.python_recipe import IN_MEMORY, python_overrides
from paracosm.recipes.loading.load import recipe_of
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.recipes.run.open_run import is_run
from paracosm.report import Report

if TYPE_CHECKING:
    import pandas as pd

    from paracosm.eval.evaluation import Evaluation


def evaluate(
    *,
    synthetic: Any,
    real: Any = None,
    train: Any = None,
    control: Any = None,
    test: Any = None,
    target: str | None = None,
    profile: Literal["internal", "partner", "public"] | None = None,
    overrides: Mapping[str, Any] | None = None,
    progress: Progress = to_stderr,
    **sections: Any,
) -> Report:
    """Measure synthetic records of any generator against real ones.

    Leakage is measured by comparing records that the generator was trained on with records that it never saw. They are known
    if `synthetic` was sampled by a Paracosm model that was fitted on `real`, and if you give `train` and `control`.
    Otherwise what compares the two is not measured, its gates are INCONCLUSIVE, and the best verdict is INCONCLUSIVE.

    Args:
        synthetic: the records to measure: a pandas DataFrame, a pyarrow Table, a `datasets.Dataset`, or a list of dicts.
        real: all real records.
        train: the records that the generator was trained on.
        control: real records that it was not trained on.
        test: further real records that it was not trained on; usefulness is measured on them.
        target: the column that a model would predict; that of the run where the records were sampled by a model.
        profile: who will see the records, which sets the limits; `internal` by default.
        overrides: keys of the recipe's `eval` and `release` sections, such as `{"release.gates": {"c2st": 0.6}}`.
        progress: takes progress lines.
        **sections: the same as sections, such as `eval={"repeats": 3}`.

    Returns:
        The report.

    Raises:
        DataError: a table is missing, cannot be used or lacks a column.
        RecipeError: an override is not valid.
    """
    from paracosm.records.sources.read_source import from_object

    given = {} if profile is None else {"release.profile": profile}
    changes = python_overrides({**(overrides or {}), **given}, sections, caller="evaluate")
    plain = {"name": "tables", "data": {"source": IN_MEMORY, "target": target}}
    recipe = recipe_of(plain, changes)
    frame = from_object(synthetic, nested="json")
    pairs = {"train": train, "control": control, "test": test}
    parts = {name: from_object(each, nested="json") for name, each in pairs.items() if each is not None}
    say = indented(progress)
    if real is not None and parts:
        raise DataError(f"evaluate: give real, or {' and '.join(parts)}, not both")
    if real is not None:
        whole = from_object(real, nested="json")
        run = _run_of(getattr(synthetic, "attrs", {}), real)
        if run is not None:
            return Report.of_evaluation(_against_run(run, frame, recipe, say), "synthetic")
        return Report.of_evaluation(_against_tables({"real": whole}, frame, recipe, say), "synthetic")
    if missing := [name for name in ("train", "control") if name not in parts]:
        raise DataError(f"evaluate: needs real, or train and control; {' and '.join(missing)} is missing")
    return Report.of_evaluation(_against_tables(parts, frame, recipe, say), "synthetic")


def _run_of(attributes: Mapping[Any, Any], real: Any) -> Run | None:
    """Return the run whose model sampled a table, if its model was fitted on `real`."""
    from paracosm.recipes.loading.load import load_recipe
    from paracosm.records.sources.read_source import from_object, table_digest

    folder = attributes.get(RUN)
    if folder is None or not is_run(Path(folder)):
        return None
    run = Run(Path(folder))
    data = load_recipe(run.recipe).data
    raw = from_object(real, drop=data.drop, nested=data.nested)
    digest = table_digest(raw.drop(columns=data.drop, errors="ignore"))
    return run if run.journal.stage("records").get("inputs", {}).get("source") == digest else None


def _against_run(run: Run, synthetic: "pd.DataFrame", recipe: Recipe, progress: Progress) -> "Evaluation":
    """Measure records against the splits of the run that they were sampled from; the adapter is not attacked."""
    from paracosm.eval.evaluation import rule_on
    from paracosm.eval.measure_tables import measure
    from paracosm.eval.shared_schema import read_synthetic
    from paracosm.recipes.loading.load import load_recipe
    from paracosm.records.schema.schema import Schema
    from paracosm.records.schema.table import read_table

    schema, data = Schema.load(run.schema), load_recipe(run.recipe).data
    splits = {name: read_table(run.split(name), schema) for name in SPLITS}
    records, notes = read_synthetic(synthetic, Schema(schema.modelled), "synthetic")
    measurements = measure(
        train=splits["train"],
        control=splits["control"],
        test=splits["test"],
        synthetic=records,
        schema=Schema(schema.modelled),
        target=recipe.data.target or data.target,
        settings=recipe.eval,
        notes=notes,
        progress=progress,
    )
    return rule_on(measurements, recipe.release)


def _against_tables(
    real: Mapping[str, "pd.DataFrame"], synthetic: "pd.DataFrame", recipe: Recipe, progress: Progress
) -> "Evaluation":
    from paracosm.eval.evaluate_files import evaluate_sets

    with temporary_folder() as folder:
        paths = {name: folder / f"{name}.parquet" for name in (*real, "synthetic")}
        for name, table in {**real, "synthetic": synthetic}.items():
            _write(table, paths[name])
        results = evaluate_sets(
            real={name: paths[name] for name in real},
            synthetic={"synthetic": paths["synthetic"]},
            target=recipe.data.target,
            release=recipe.release,
            settings=recipe.eval,
            progress=progress,
        )
    return results["synthetic"]


def _write(table: "pd.DataFrame", path: Path) -> None:
    """Write the cells of a raw table as text in Parquet, so that equal cells of two tables are equal whatever their dtypes are."""
    import pandas as pd

    from paracosm.records.formats.cells import to_source_strings

    plain = pd.DataFrame({name: to_source_strings(table[name]) for name in table.columns})
    plain.to_parquet(path, index=False)
