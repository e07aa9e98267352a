"""`paracosm.Model`: a trained model, which samples records, fills gaps and is evaluated."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.filled_cells import with_filled_cells
from paracosm.foundation.errors import DataError, RunError
from paracosm.foundation.files import replacing
from paracosm.foundation.progress import Progress, indented, to_stderr
from paracosm.foundation.temporary import temporary_folder
from paracosm.python_recipe import python_overrides
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.record_set import RecordSet

RUN = "paracosm.run"
"""Key of `DataFrame.attrs`: the run whose model sampled the table."""
MADE = {
    "statistical": "{method}, fitted",
    "combined": "{method}, and texts from {base}",
    "prompt": "prompts, nothing trained",
    "chain": "chained prompts, nothing trained",
    "augment": "augmentation, nothing trained",
}
"""Strategy -> how a model was made; other strategies train the base model."""

if TYPE_CHECKING:
    import pandas as pd

    from paracosm.records.schema.schema import Schema
    from paracosm.report import Report


@dataclass(frozen=True, repr=False, eq=False)
class Model:
    """A trained model: a run whose `finetune` stage is done. `fit` and `load` make one.

    Attributes:
        run: its directory. It holds the records that the model was trained on, and is readable by its owner alone.
        temporary: whether the directory goes away with this object; `save` keeps it.
    """

    run: Run
    temporary: bool = False

    @property
    def recipe(self) -> Recipe:
        """The recipe as trained."""
        return load_recipe(self.run.recipe)

    @property
    def schema(self) -> "Schema":
        """The fields with their domains."""
        from paracosm.records.schema.schema import Schema

        return Schema.load(self.run.schema)

    def sample(
        self,
        records: int | None = None,
        *,
        where: Mapping[str, Any] | None = None,
        quotas: Mapping[str, Any] | None = None,
        given: "pd.DataFrame | None" = None,
        seed: int | None = None,
        overrides: Mapping[str, Any] | None = None,
        progress: Progress = to_stderr,
    ) -> "pd.DataFrame":
        """Sample synthetic records.

        The same arguments give the same records; another `seed` gives others.

        Args:
            records: how many; as many as the model was trained on by default.
            where: values that every record has, such as `{"outcome": "dead"}`; None is a missing cell.
            quotas: per field `"balanced"`, or the share of records per value.
            given: partial records to complete in turn; missing cells are sampled.
            seed: of the sampling.
            overrides: other keys of the recipe's `generate` or `rules` section, such as `{"generate.temperature": 0.8}`.
            progress: takes progress lines.

        Returns:
            A table with the column order and the dtypes of the source.

        Raises:
            RecipeError: a field or a value is unknown, or the model cannot be conditioned on it.
            DataError: conditions and rules refuse nearly every attempt.
        """
        import pandas as pd

        from paracosm.generate.stage import sample

        asked = {"records": records, "where": where, "quotas": quotas, "seed": seed}
        section = {key: value for key, value in asked.items() if value is not None}
        with temporary_folder() as folder:
            if given is not None:
                section["seeds"] = str(folder / "given.parquet")
                given.to_parquet(folder / "given.parquet", index=False)
            changes = python_overrides(overrides, {"generate": section}, caller="sample")
            into = RecordSet.of(folder / "records", self.run)
            sample(
                recipe=load_recipe(self.run.recipe, changes),
                run=self.run,
                into=into,
                progress=indented(progress),
            )
            table = pd.read_parquet(into.root)
        # `paracosm.evaluate` finds the records that the model was trained on by this.
        table.attrs[RUN] = str(self.run.root)
        return table

    def impute(
        self, table: "pd.DataFrame", *, times: int = 1, method: str = "model", progress: Progress = to_stderr
    ) -> "pd.DataFrame | list[pd.DataFrame]":
        """Fill the missing cells of a table; other cells are kept.

        Args:
            table: its columns are fields of the model, in any order; others are kept as they are.
            times: how many completed tables to draw; their differences show the uncertainty (multiple imputation).
            method: `model` draws cells from the model, which must have been trained with `finetune.order=shuffled`; `mean`, `median`,
                `mode`, `knn`, `iterative` and `forest` are fitted to the training records.
            progress: takes progress lines.

        Returns:
            The completed table, with the index and the dtypes of `table`; with several `times`, a list of tables.

        Raises:
            DataError: the table does not fit the model, or the model cannot be conditioned on its known cells.
        """
        import pandas as pd

        from paracosm.generate.imputation import impute

        if times < 1:
            raise DataError(f"impute: times must be at least 1; got {times}")
        schema = self.schema
        with temporary_folder() as folder:
            path = folder / "table.parquet"
            table.reset_index(drop=True).to_parquet(path, index=False)
            written = impute(
                recipe=self.recipe,
                run=self.run,
                table=path,
                out=folder / "completed.csv",
                times=times,
                method=method,
                root=self.run.recipe_folder,
                progress=indented(progress),
            )
            texts = [pd.read_csv(each, dtype=str, keep_default_na=False, na_values=[""]) for each in written]
        completed = [with_filled_cells(table, each, schema) for each in texts]
        return completed[0] if times == 1 else completed

    def evaluate(self, *, progress: Progress = to_stderr) -> "Report":
        """Sample the run's set of records, measure it against the splits of the run, attack the adapter, and write the card.

        The records that the model was trained on and those that it never saw are known, so that leakage can be measured.

        Returns:
            The report. Finished stages are not repeated.
        """
        from paracosm.pipeline import run_stages
        from paracosm.recipes.run.open_run import open_run
        from paracosm.report import Report

        run_stages(open_run(self.run.root), progress=progress)
        return Report.of_run(self.run)

    def save(self, folder: PathLike[str] | str) -> "Model":
        """Copy the run to a new folder that only its owner can read; return the model there.

        `paracosm generate FOLDER` and the other commands take it from there.

        Raises:
            RunError: the folder exists.
        """
        target = Path(folder)
        if target.exists():
            raise RunError(f"{target}: exists already; name a new folder")
        with replacing(target) as partial:
            partial.mkdir(mode=0o700, parents=True)
            shutil.copytree(
                self.run.root, partial, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".lock")
            )
            partial.chmod(0o700)
        return Model(Run(target))

    def __repr__(self) -> str:
        return "\n".join(f"{name:<9}{text}" for name, text in self._lines().items())

    def _repr_html_(self) -> str:
        from html import escape

        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(name)}</th><td style='text-align:left'>{escape(text)}</td></tr>"
            for name, text in self._lines().items()
        )
        return f"<table>{rows}</table>"

    def _lines(self) -> dict[str, str]:
        """Return what the model is, by heading."""
        recipe, schema, journal = self.recipe, self.schema, self.run.journal.read()["stages"]
        rows = journal.get("records", {}).get("facts", {}).get("rows", {})
        names = [field.name for field in schema]
        target = recipe.data.target
        where = (
            f"{self.run.root}" if not self.temporary else "temporary; model.save('runs/NAME') keeps the model"
        )
        made = MADE.get(recipe.strategy, "trained from {base}").format(
            base=recipe.model.base, method=recipe.statistical.method
        )
        made += f", {rows['train']:,} records" if rows else ""
        fields = ", ".join(names[:8]) + (f" and {len(names) - 8} more" if len(names) > 8 else "")
        lines = {
            "model": f"{recipe.name}, {made}",
            "fields": f"{len(names)}: {fields}",
            **({"target": target} if target else {}),
            "folder": where,
            "next": "model.sample(1000)  model.evaluate()",
        }
        return lines
