"""Train the models that an attack needs, with cost estimate, progress and resume.

Every model is trained in a separate run directory, so that a killed evaluation resumes there. The scores that the
attack needs are saved as a small `.npz` file and the model is deleted. The name of the file holds a digest of records,
recipe and query: an evaluation that asks the same again, under other gates for example, trains nothing.
"""

import os
import shutil
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pandas as pd
from joblib import cpu_count
from threadpoolctl import threadpool_limits

from paracosm.eval.measuring.attack_settings import AttackSettings
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Obstacle
from paracosm.foundation.digests import value_digest
from paracosm.foundation.files import replacing
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import run_if_stale
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import to_records, write_table

SECONDS_BETWEEN_LINES = 15


@dataclass(frozen=True)
class ShadowJob:
    """Training job of one shadow or auxiliary model, and the scores to read from it.

    Attributes:
        name: of the model, used in file names.
        train: typed table of its training records.
        control: typed table whose loss selects the epoch that is kept.
        recipe: how it is trained.
        query: describes the scores that are read from it; part of the digest, so that scores of another query are
            not reused.
    """

    name: str
    train: pd.DataFrame
    control: pd.DataFrame
    recipe: Recipe
    query: str

    @property
    def passes(self) -> int:
        """Upper bound of the training cost: records times epochs."""
        from paracosm.finetune.dp.settings import as_trained

        return len(self.train) * as_trained(self.recipe).finetune.epochs

    def key(self, schema: Schema) -> str:
        """Return a digest of everything that determines the scores: recipe, base model, schema, tables, query."""
        from paracosm.finetune.models.base_model import base_digest

        sections = self.recipe.model_dump(mode="json", include={"model", "adapt", "finetune", "privacy"})
        tables = [table_digest(table) for table in (self.train, self.control)]
        return value_digest([sections, base_digest(self.recipe.model), schema.to_json(), *tables, self.query])


ReadScores = Callable[[Path], Mapping[str, np.ndarray]]
"""Reads arrays of scores from an adapter folder."""


@dataclass
class ShadowTraining:
    """Trains the shadow models of one attack, with cost estimate, progress and resume.

    Attributes:
        settings: recipe, folder and progress of the attacks.
        schema: of the records.
        label: name of the models in progress lines.
    """

    settings: AttackSettings
    schema: Schema
    label: str
    _last_line: float = field(default=0.0, init=False)

    def train_and_read(self, jobs: Sequence[ShadowJob], read: ReadScores) -> list[Mapping[str, np.ndarray]]:
        """Train the models that have no saved scores yet, one after the other, and return the scores of all.

        Args:
            jobs: one for each model.
            read: computes the scores of a model; called once, right after its training.

        Returns:
            What `read` returned for each job, in the order of `jobs`.
        """
        files = [self.settings.folder / f"{job.name}-{job.key(self.schema)[:12]}.npz" for job in jobs]
        missing = [index for index, path in enumerate(files) if not path.is_file()]
        if missing:
            self._announce_cost([jobs[index] for index in missing])
        began, costs = time.monotonic(), [jobs[index].passes for index in missing]
        for done, index in enumerate(missing):
            line = f"{self.label} {index + 1} of {len(jobs)}"
            if done:
                elapsed = time.monotonic() - began
                remaining = elapsed * sum(costs[done:]) / sum(costs[:done])
                line += f" · about {remaining / 60:.1f} min left for all"
            self._train_one(jobs[index], files[index], read, line)
        return [_load_arrays(path) for path in files]

    def _announce_cost(self, jobs: Sequence[ShadowJob]) -> None:
        pace = self._estimated_pace(jobs[0]) if self.settings.pace is None else self.settings.pace
        seconds = pace * sum(job.passes for job in jobs)
        sizes = sorted({len(job.train) for job in jobs})
        span = f"{sizes[0]:,}" if len(sizes) == 1 else f"{sizes[0]:,} to {sizes[-1]:,}"
        self.settings.progress(
            f"{self.label}: {len(jobs)} adapter{'s' if len(jobs) > 1 else ''} to train on {span} records each, "
            f"up to about {max(seconds / 60, 0.1):.1f} min in all; a killed evaluation resumes where it stopped"
        )

    def _estimated_pace(self, job: ShadowJob) -> float:
        """Return the estimated seconds per record and epoch."""
        from paracosm.finetune.cost_estimate import estimate_cost

        records = to_records(job.train, self.schema)
        return estimate_cost(job.recipe, self.schema, records).seconds / (
            len(records) * job.recipe.finetune.epochs
        )

    def _train_one(self, job: ShadowJob, scores: Path, read: ReadScores, line: str) -> None:
        from paracosm.finetune.stage import train

        run = Run.create(scores.with_suffix(""))
        self._remove_outdated(job, run.root)
        run_if_stale(run, "records", {"job": scores.stem}, lambda: _write_splits(job, run, self.schema))
        self.settings.progress(line)
        self._last_line = time.monotonic()
        with threadpool_limits(int(os.environ.get("OMP_NUM_THREADS") or cpu_count())):
            train(
                recipe=job.recipe,
                run=run,
                progress=lambda detail: self._throttled(f"{line} · {detail}"),
                domain=self._domain(),
            )
        arrays = read(run.adapter)
        with replacing(scores) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **arrays)  # type: ignore[arg-type]  # arrays by name
        shutil.rmtree(run.root)

    def _domain(self) -> Path | None:
        """Return the weights that the attacked adapter stands on, where its run trained the base model on a corpus."""
        domain = Run(self.settings.folder.parent).adaptation
        return domain if domain.is_dir() else None

    def _throttled(self, line: str) -> None:
        """Pass on a progress line unless the last one is too recent."""
        if time.monotonic() - self._last_line > SECONDS_BETWEEN_LINES:
            self._last_line = time.monotonic()
            self.settings.progress(line)

    def _remove_outdated(self, job: ShadowJob, current: Path) -> None:
        """Remove what the same job left behind under other records or settings."""
        for path in self.settings.folder.glob(f"{job.name}-" + "[0-9a-f]" * 12 + "*"):
            if path.is_dir() and path != current:
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()


def training_obstacle(context: Context, attack: str) -> Obstacle | None:
    """Return why the named attack cannot train models here, or None."""
    if attack not in context.settings.attacks:
        return Obstacle(f"eval.attacks does not name {attack}", curable=False)
    if context.attackers is None:
        return Obstacle("there is no recipe to train adapters with", curable=False)
    if context.schema.sequence is not None:
        return Obstacle("attacks do not train adapters of sequences", curable=False)
    masked = context.attackers.recipe.finetune.objective == "masked"
    if masked and any(field.is_text for field in context.fields):
        return Obstacle(
            "a masked model gives a likelihood only to texts of lengths that occur in its training records",
            curable=False,
        )
    return None


def table_digest(table: pd.DataFrame) -> str:
    """Return a digest of the columns and cells of a table."""
    return value_digest([list(table.columns), table.to_csv(index=False, na_rep="\0")])


def _write_splits(job: ShadowJob, run: Run, schema: Schema) -> None:
    write_table(job.train, run.split("train"), schema)
    write_table(job.control, run.split("control"), schema)
    schema.save(run.schema)


def _load_arrays(path: Path) -> Mapping[str, np.ndarray]:
    with np.load(path) as arrays:
        return dict(arrays)
