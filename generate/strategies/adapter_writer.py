"""A trained adapter as a writer of a chain: it writes the texts of a record whose columns are given."""

import time
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from paracosm.foundation.digests import folder_digest
from paracosm.foundation.errors import ModelError, RecipeError
from paracosm.generate.answers.task import Answer, Task, Usage
from paracosm.generate.constraints.allowed_values import EVERYTHING, AllowedValues, listed
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.strategies.language_model import LanguageModel
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.generate import Generate
from paracosm.records.schema.schema import Field, Value


class Given:
    """The guide of a record whose known values are fixed; values that the adapter never saw are drawn instead."""

    def __init__(
        self, fields: Sequence[Field], known: Mapping[str, Value], lists: dict[Any, AllowedValues]
    ) -> None:
        self.fields = fields
        self.known = known
        self.lists = lists

    def allowed(
        self,
        index: int,
        values: Mapping[str, Value],
        previous: Mapping[str, Value],
        *,
        every_condition: bool = False,
    ) -> AllowedValues | None:
        field = self.fields[index]
        if field.name not in self.known or not field.allows(self.known[field.name]) or field.is_text:
            return EVERYTHING
        key = (index, self.known[field.name])
        if key not in self.lists:
            self.lists[key] = listed(field, [self.known[field.name]]) or EVERYTHING
        return self.lists[key]

    def is_checked_later(self, index: int) -> bool:
        return False

    def given_text(self, index: int) -> Value:
        field = self.fields[index]
        return self.known.get(field.name) if field.is_text else None

    def violation(self, index: int, values: Mapping[str, Value]) -> str | None:
        return None

    def conflict(self, index: int, values: Mapping[str, Value]) -> str:
        return f"the values of {self.fields[index].name!r}"


class AdapterWriter:
    """The adapter of another run; see `Writer`.

    Attributes:
        folder: of the adapter.
        where: its place in the recipe, for errors.
        settings: of the sampling.
    """

    def __init__(self, run: Path, where: str, settings: Generate) -> None:
        self.folder = Run(run).adapter
        if not self.folder.is_dir():
            raise ModelError(
                f"{where}: {run} holds no adapter; name the directory of a run with the strategy finetuned"
            )
        self.where = where
        self.settings = settings
        self._lists: dict[Any, AllowedValues] = {}

    @cached_property
    def model(self) -> LanguageModel:
        return LanguageModel(self.folder, self.settings)

    @property
    def batch_size(self) -> int:
        return self.model.batch_size

    def identity(self) -> dict[str, Any]:
        generate = self.settings.model_dump(
            mode="json", include={"temperature", "temperatures", "top_p", "top_k", "min_p"}
        )
        return {"adapter": folder_digest(self.folder)} | generate

    def write(self, tasks: Sequence[Task], *, seed: int, tally: Tally) -> list[Answer]:
        abilities = self.model.abilities
        fields = abilities.schema.modelled
        names = [field.name for field in fields]
        requests = []
        for task in tasks:
            order = self._order(names, task, abilities.any_order)
            requests.append(Request(task.number, order, Given(fields, task.known, self._lists), task.redraw))
        began, before = time.monotonic(), tally.tokens
        groups = self.model.records(requests, seed=seed, tally=tally)
        seconds, tokens = (time.monotonic() - began) / len(tasks), (tally.tokens - before) // len(tasks)
        usage = {"calls": 1, "records": 1, "first_try": 1, "input_tokens": tokens, "seconds": seconds}
        return [
            Answer({name: record[name] for name in task.fields}, Usage(**usage))  # type: ignore[arg-type]
            for task, (record,) in zip(tasks, groups, strict=True)
        ]

    def _order(self, names: Sequence[str], task: Task, any_order: bool) -> tuple[int, ...] | None:
        """Return the order in which known fields come first.

        Raises:
            RecipeError: the adapter does not write a field, or writes it before what it should depend on.
        """
        if unknown := [name for name in task.fields if name not in names]:
            raise RecipeError(f"{self.where}: the adapter was not trained on a field {unknown[0]!r}")
        known = [index for index, name in enumerate(names) if name in task.known]
        rest = [index for index in range(len(names)) if index not in known]
        if any_order:
            return (*known, *rest)
        first = min(names.index(name) for name in task.fields)
        if late := [names[index] for index in known if index > first]:
            raise RecipeError(
                f"{self.where}: the adapter writes {names[first]!r} before {late[0]!r}, so it cannot depend on it; train it with"
                " finetune.order=shuffled"
            )
        return None
