"""The `finetune` stage of a run with the strategy `statistical`: fits the statistics, instead of training an adapter."""

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from paracosm.foundation.digests import file_digest
from paracosm.foundation.files import replacing
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.columns import fit_column
from paracosm.generate.statistics.stored_chain import method_of, save_chain
from paracosm.generate.strategies.statistical import abilities_for, refuse_settings
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import check_unchanged, run_stage
from paracosm.recipes.sections.statistical import Statistical
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records


def fit(*, recipe: Recipe, run: Run, root: Path | None = None, progress: Progress = silent) -> bool:
    """Run the `finetune` stage of a statistical run unless it is up to date: fit and store the statistics.

    Args:
        recipe: the whole recipe; `statistical` is read.
        run: a run whose `records` stage is done.
        root: not read; the verbs share one signature.
        progress: takes progress lines.

    Returns:
        Whether anything was fitted (False: the stage was up to date).

    Raises:
        RecipeError: the records have a free text, or form sequences.
    """
    return run_stage(_Fit(), recipe=recipe, run=run, progress=progress)


class _Fit:
    """The `finetune` stage."""

    name = "finetune"

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        check_unchanged(run, ("records",))
        return {
            "splits": {name: file_digest(run.split(name)) for name in ("train", "control")},
            "schema": file_digest(run.schema),
            "strategy": recipe.strategy,
            "statistical": recipe.statistical.model_dump(mode="json"),
            "target": recipe.data.target,
            "subject": recipe.data.subject,
        }

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        abilities_for(Schema.load(run.schema), recipe.data.target)
        refuse_settings(recipe.generate)

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        schema, settings = Schema.load(run.schema), recipe.statistical
        chain = fitted_chain(recipe, run, abilities_for(schema, recipe.data.target).schema, progress)
        with replacing(run.statistics) as folder:
            folder.mkdir()
            save_chain(chain, settings, folder)
        return {
            "strategy": recipe.strategy,
            "method": settings.method,
            "best_control_bits": control_bits(chain, run),
            "control_records_with_unknown_values": len(_control(run)) - len(_known_control(run)),
            "stored_bytes": sum(path.stat().st_size for path in run.statistics.iterdir()),
        }


def fitted_chain(recipe: Recipe, run: Run, columns: Schema, progress: Progress) -> Chain:
    """Fit the recipe's method to the training records of a run.

    Args:
        recipe: `statistical` and `data.subject` are read.
        run: a run whose `records` stage is done.
        columns: the fields to fit, in the order of the chain; none is a text.
        progress: takes a line.
    """
    schema, settings = Schema.load(run.schema), recipe.statistical
    train = read_table(run.split("train"), schema)
    people = np.arange(len(train))
    if recipe.data.subject in train.columns:
        people = pd.factorize(train[recipe.data.subject])[0]
    progress(f"{len(train)} records · {len(columns.modelled)} columns · {settings.method}")
    return fit_chain(columns, to_records(train, schema), people, settings)


def control_bits(chain: Chain, run: Run) -> float | None:
    """Return the mean bits of the control records under a chain; None where all hold values that training never saw."""
    known = _known_control(run)
    return round(float(-chain.log_likelihood(known).sum(axis=1).mean()), 4) if known else None


def _control(run: Run) -> list[Record]:
    schema = Schema.load(run.schema)
    return to_records(read_table(run.split("control"), schema), schema)


def _known_control(run: Run) -> list[Record]:
    schema = Schema.load(run.schema)
    return [record for record in _control(run) if schema.allows(record)]


def fit_chain(schema: Schema, records: list[Record], people: np.ndarray, settings: Statistical) -> Chain:
    """Fit the method of some settings to training records.

    Args:
        schema: its modelled fields in the order of the chain; none is a text.
        records: the training records.
        people: (records,) number of the person whom each record is about.
        settings: method, its settings and its seed.
    """
    columns, codes = [], []
    positions = np.full((len(records), len(schema.modelled)), np.nan)
    for index, field in enumerate(schema.modelled):
        values = [record[field.name] for record in records]
        column = fit_column(field, values, people)
        columns.append(column)
        codes.append(column.nearest_codes(values))
        absent = np.array([value is None for value in values], dtype=bool)
        positions[:, index] = column.positions(column.numbers(values), absent)
    fit_method, _ = method_of(settings.method)
    return Chain(schema, columns, fit_method(columns, codes, positions, settings))
