"""Adapters that an attack trains for itself: each in a run directory of its own, from which a killed evaluation resumes.

What an adapter was trained for is read off it, kept as a small file of numbers, and the adapter goes. The same records,
settings and questions find the file again, so that another profile of gates trains nothing anew.
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
    """What one adapter is to learn, and what is asked of it.

    Attributes:
        name: of the adapter, in progress lines and file names.
        train: typed table that it learns.
        control: typed table whose loss decides which epoch is kept.
        recipe: how it is trained.
        asked: what is read off it, so that other questions are not answered from an old file.
    """

    name: str
    train: pd.DataFrame
    control: pd.DataFrame
    recipe: Recipe
    asked: str

    @property
    def passes(self) -> int:
        """Records times epochs, at most."""
        from paracosm.finetune.dp.settings import as_trained

        return len(self.train) * as_trained(self.recipe).finetune.epochs

    def key(self, schema: Schema) -> str:
        """Return what identifies the answers: everything on which the adapter depends, and the question."""
        from paracosm.finetune.models.base_model import base_digest

        sections = self.recipe.model_dump(mode="json", include={"model", "finetune", "privacy"})
        tables = [table_digest(each) for each in (self.train, self.control)]
        return value_digest([sections, base_digest(self.recipe.model), schema.to_json(), *tables, self.asked])


Read = Callable[[Path], Mapping[str, np.ndarray]]
"""Reads arrays off an adapter folder."""


@dataclass
class ShadowTraining:
    """Several adapters for one attack: says beforehand what they cost, and how long is left.

    Attributes:
        attackers: with what they are trained.
        schema: of the records.
        attack: what the lines call it.
    """

    attackers: AttackSettings
    schema: Schema
    attack: str
    _spoken: float = field(default=0.0, init=False)

    def answers(self, lessons: Sequence[ShadowJob], read: Read) -> list[Mapping[str, np.ndarray]]:
        """Train the adapters that are not trained yet, one after the other; return what `read` gives for each."""
        keys = [each.key(self.schema) for each in lessons]
        files = [
            self.attackers.folder / f"{each.name}-{key[:12]}.npz"
            for each, key in zip(lessons, keys, strict=True)
        ]
        left = [number for number, path in enumerate(files) if not path.is_file()]
        if left:
            self._announce([lessons[number] for number in left])
        began, weights = time.monotonic(), [lessons[number].passes for number in left]
        for place, number in enumerate(left):
            said = f"{self.attack} {number + 1} of {len(lessons)}"
            if place:
                spent = time.monotonic() - began
                rest = spent * sum(weights[place:]) / sum(weights[:place])
                said += f" · about {rest / 60:.1f} min left for all"
            self._taught(lessons[number], files[number], read, said)
        return [_load(path) for path in files]

    def _announce(self, lessons: Sequence[ShadowJob]) -> None:
        pace = self._planned_pace(lessons[0]) if self.attackers.pace is None else self.attackers.pace
        seconds = pace * sum(each.passes for each in lessons)
        records = sorted({len(each.train) for each in lessons})
        span = f"{records[0]:,}" if len(records) == 1 else f"{records[0]:,} to {records[-1]:,}"
        self.attackers.progress(
            f"{self.attack}: {len(lessons)} adapter{'s' if len(lessons) > 1 else ''} to train on {span} records each, "
            f"up to about {max(seconds / 60, 0.1):.1f} min in all; a killed evaluation goes on where it was"
        )

    def _planned_pace(self, lesson: ShadowJob) -> float:
        from paracosm.finetune.cost_estimate import estimate_cost

        records = to_records(lesson.train, self.schema)
        return estimate_cost(lesson.recipe, self.schema, records).seconds / (
            len(records) * lesson.recipe.finetune.epochs
        )

    def _taught(self, lesson: ShadowJob, kept: Path, read: Read, said: str) -> None:
        from paracosm.finetune.stage import train

        run = Run.create(kept.with_suffix(""))
        self._sweep(lesson, run.root)
        run_if_stale(run, "records", {"lesson": kept.stem}, lambda: _write(lesson, run, self.schema))
        self.attackers.progress(said)
        self._spoken = time.monotonic()
        with threadpool_limits(int(os.environ.get("OMP_NUM_THREADS") or cpu_count())):
            train(recipe=lesson.recipe, run=run, progress=lambda line: self._say_seldom(f"{said} · {line}"))
        found = read(run.adapter)
        with replacing(kept) as partial, partial.open("wb") as file:
            np.savez_compressed(file, **found)  # type: ignore[arg-type]  # arrays by name
        shutil.rmtree(run.root)

    def _say_seldom(self, line: str) -> None:
        if time.monotonic() - self._spoken > SECONDS_BETWEEN_LINES:
            self._spoken = time.monotonic()
            self.attackers.progress(line)

    def _sweep(self, lesson: ShadowJob, mine: Path) -> None:
        """Remove what was left of the same lesson with other records or settings."""
        for path in self.attackers.folder.glob(f"{lesson.name}-" + "[0-9a-f]" * 12 + "*"):
            if path.is_dir() and path != mine:
                shutil.rmtree(path)
            elif path.is_file():
                path.unlink()


def training_obstacle(context: Context, attack: str) -> Obstacle | None:
    """Return why an attack of that name trains no adapters here, or None."""
    if attack not in context.settings.attacks:
        return Obstacle(f"eval.attacks does not name {attack}", curable=False)
    if context.attackers is None:
        return Obstacle("there is no recipe to train adapters with", curable=False)
    if context.schema.sequence is not None:
        return Obstacle("adapters of sequences are not trained for an attack", curable=False)
    masked = context.attackers.recipe.finetune.objective == "masked"
    if masked and any(each.type == "text" for each in context.fields):
        return Obstacle("a masked model knows only texts of the lengths that it learnt", curable=False)
    return None


def table_digest(table: pd.DataFrame) -> str:
    """Return what identifies the content of a table."""
    return value_digest([list(table.columns), table.to_csv(index=False, na_rep="\0")])


def _write(lesson: ShadowJob, run: Run, schema: Schema) -> None:
    write_table(lesson.train, run.split("train"), schema)
    write_table(lesson.control, run.split("control"), schema)
    schema.save(run.schema)


def _load(path: Path) -> Mapping[str, np.ndarray]:
    with np.load(path) as found:
        return dict(found)
