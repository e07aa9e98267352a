"""The strategy `augment`: training records whose texts are augmented. They are near copies by construction, and for use inside only."""

import json
from collections import defaultdict
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import ModelError, RecipeError
from paracosm.foundation.files import replacing, write_text
from paracosm.foundation.json_files import read_json
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.augmentation.augmenter import Augmenter, refuse_language
from paracosm.generate.augmentation.parents import PARENT
from paracosm.generate.constraints.guide import NoConstraints, first_violation
from paracosm.generate.constraints.request import Abilities, Request, Tally
from paracosm.generate.redraws.retries import draw_until_accepted
from paracosm.generate.redraws.unused_settings import refuse_unused
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import check_unchanged, run_stage
from paracosm.recipes.sections.generate import Generate
from paracosm.records.schema.schema import Record, Schema, Value
from paracosm.records.schema.table import read_table, to_records

SETTINGS = "augmentation.json"
BATCH = 32
SAME_TARGET = 12
"""Attempts at a record that take a parent of the same target, so that texts too short to change do not shift its shares."""
UNCHANGED = "no operation that changes the text"
UNUSED = ("temperature", "temperatures", "top_p", "top_k", "min_p", "rewrite", "seeds", "order")
"""Settings of strategies that draw records field by field."""


class AugmentedRecords:
    """Augments training records; see `Strategy`.

    Attributes:
        run: holds the training records.
        settings: of the recipe's `generate` section.
    """

    def __init__(self, run: Run, settings: Generate) -> None:
        """Check what the finetune stage left.

        Raises:
            ModelError: the run was prepared for another strategy.
        """
        refuse_settings(settings)
        if not (run.statistics / SETTINGS).is_file():
            raise ModelError(
                f"{run.root}: was not prepared for augmentation; run the recipe with strategy=augment"
            )
        self.run = run
        self.settings = settings
        self.target: str | None = read_json(run.statistics / SETTINGS, ModelError)["target"]

    @cached_property
    def schema(self) -> Schema:
        return Schema.load(self.run.schema)

    @cached_property
    def parents(self) -> list[Record]:
        return to_records(read_table(self.run.split("train"), self.schema), self.schema)

    @cached_property
    def augmenter(self) -> Augmenter:
        return Augmenter(self.settings.augment)

    @cached_property
    def of_target(self) -> dict[Value, list[int]]:
        """Target -> the parents that have it."""
        groups: dict[Value, list[int]] = defaultdict(list)
        for number, parent in enumerate(self.parents):
            groups[None if self.target is None else parent[self.target]].append(number)
        return groups

    @property
    def abilities(self) -> Abilities:
        return abilities_for(self.schema)

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size or BATCH

    def facts(self) -> dict[str, Any]:
        return {}

    def records(self, requests: Sequence[Request], *, seed: int, tally: Tally) -> list[list[Record]]:
        groups: list[list[Record]] = []
        for begin in range(0, len(requests), self.batch_size):
            drawn = draw_until_accepted(
                requests[begin : begin + self.batch_size],
                lambda missing, attempt: [self._draw(request, seed, attempt, tally) for request in missing],
                tally,
                attempts=self.settings.attempts,
            )
            groups += [[record] for record in drawn]
        return groups

    def _draw(self, request: Request, seed: int, attempt: int, tally: Tally) -> Record | None:
        """Return one augmented record; None where its text cannot be changed, or a condition or rule refuses it."""
        random = np.random.default_rng([seed % 2**64, request.number, request.redraw, attempt])
        tally.attempts += 1
        number = request.number % len(self.parents)
        if attempt or request.redraw:
            first = self.parents[number]
            same = self.of_target[None if self.target is None else first[self.target]]
            number = int(random.choice(same if attempt <= SAME_TARGET else len(self.parents)))
        parent = self.parents[number]
        guide = request.guide or NoConstraints()
        fields = self.schema.modelled
        columns = {field.name: parent[field.name] for field in fields}
        # Before the texts are changed, which costs most: conditions are mostly on columns.
        reason = first_violation(guide, columns)
        if reason is None:
            done: list[str] = []
            for field in fields:
                if field.is_text and parent[field.name]:
                    augmented = self.augmenter.augment(parent, field.name, random)
                    if field.allows(augmented.text):
                        columns[field.name] = augmented.text
                        done += augmented.operations
            reason = first_violation(guide, columns) if done else UNCHANGED
            if reason is None:
                tally.finished += 1
                tally.count_pass(0)
                return {**columns, PARENT: json.dumps({"parent": number, "operations": done})}
        tally.refusals[reason] += 1
        return None


def prepare(*, recipe: Recipe, run: Run, root: Path | None = None, progress: Progress = silent) -> bool:
    """Run the `finetune` stage of a run that augments unless it is up to date: nothing is trained, what is needed is loaded once.

    Args:
        recipe: the whole recipe; `generate.augment` is read.
        run: a run whose `records` stage is done.
        root: not read; the verbs share one signature.
        progress: takes progress lines.

    Raises:
        RecipeError: the records hold no text, or form sequences.
        MissingExtraError: the extra `augment` is not installed.
    """
    return run_stage(_Prepare(), recipe=recipe, run=run, progress=progress)


class _Prepare:
    """The `finetune` stage."""

    name = "finetune"

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        check_unchanged(run, ("records",))
        return {
            "splits": {"train": file_digest(run.split("train"))},
            "schema": file_digest(run.schema),
            "strategy": recipe.strategy,
            "target": recipe.data.target,
        }

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        abilities_for(Schema.load(run.schema))
        refuse_recipe(recipe)

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        Augmenter(recipe.generate.augment)
        texts = [field.name for field in Schema.load(run.schema).modelled if field.is_text]
        progress(f"augments {', '.join(map(repr, texts))} by {', '.join(recipe.generate.augment.operations)}")
        with replacing(run.statistics) as folder:
            folder.mkdir()
            write_text(folder / SETTINGS, json.dumps({"target": recipe.data.target}) + "\n")
        return {"strategy": recipe.strategy, "texts": texts}


def abilities_for(schema: Schema) -> Abilities:
    """Return what augmentation can be asked for, after checking that there are texts.

    Raises:
        RecipeError: there is no text, or records form sequences.
    """
    if not any(field.is_text for field in schema.modelled):
        raise RecipeError(
            "strategy: augment changes texts, and no column is a text; use strategy statistical or finetuned"
        )
    if schema.sequence is not None:
        raise RecipeError(
            "strategy: augment changes single records, not the sequences of data.sequence; leave out data.sequence"
        )
    return Abilities(
        schema,
        advice="augmented records have the columns of their parents, so ask for values that training records have",
    )


def refuse_recipe(recipe: Recipe) -> None:
    """Check that a recipe asks for nothing that augmentation does not have.

    Raises:
        RecipeError: it does.
    """
    refuse_language(recipe.language)
    refuse_settings(recipe.generate)
    if recipe.release.profile != "internal":
        raise RecipeError(
            f"release.profile: {recipe.release.profile} is for records that leave the building, and augmented records are near copies of"
            " real ones; use internal with strategy augment"
        )


def refuse_settings(settings: Generate) -> None:
    """Check that the `generate` section sets nothing that augmentation does not have.

    Raises:
        RecipeError: it does.
    """
    refuse_unused(
        settings,
        UNUSED,
        "augment",
        "is not for strategy augment, which changes training records; leave it out",
    )
