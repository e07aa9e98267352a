"""The strategy `prompt`: a language model that was not trained on the records writes them after a prompt."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from paracosm.foundation.digests import file_digest, folder_digest, value_digest
from paracosm.generate.answers.answer_store import AnswerStore
from paracosm.generate.answers.cached_writer import CachedWriter
from paracosm.generate.answers.constraint_digest import ConstraintDigest
from paracosm.generate.answers.task import Task, Writer
from paracosm.generate.answers.usage_facts import usage_facts
from paracosm.generate.chains.prompt_plan import plan_of, refuse_prompting
from paracosm.generate.constraints.record_constraints import RecordConstraints
from paracosm.generate.constraints.request import Abilities, Request, Tally
from paracosm.generate.prompting.needs import Plan
from paracosm.generate.prompting.stored_material import load_material
from paracosm.generate.prompting.wording import SYSTEM, Wording
from paracosm.generate.redraws.retries import draw_until_accepted
from paracosm.generate.remote.client import ChatClient
from paracosm.generate.statistics.stored_chain import load_chain
from paracosm.generate.strategies.example_rows import drawn_rows, training_rows
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Record, Schema, Value

STEP = "prompt"


class AskingStrategy:
    """What strategies share whose records are the answers of models.

    Attributes:
        recipe: the whole recipe.
        run: the run directory, which keeps the answers.
    """

    def __init__(self, recipe: Recipe, run: Run) -> None:
        refuse_prompting(recipe)
        self.recipe = recipe
        self.run = run

    @cached_property
    def schema(self) -> Schema:
        return Schema.load(self.run.schema)

    @cached_property
    def _plan(self) -> Plan:
        return plan_of(self.recipe, self.schema)

    @property
    def abilities(self) -> Abilities:
        return self._plan.abilities

    @cached_property
    def store(self) -> AnswerStore:
        return store_of(self.recipe, self.run)

    @cached_property
    def digest(self) -> ConstraintDigest:
        return ConstraintDigest(base_digest(self.run), self.recipe.generate.drop_copies)


class PromptStrategy(AskingStrategy):
    """A prompted model, on this machine or behind a server; see `Strategy`."""

    @property
    def batch_size(self) -> int:
        return self.writer.batch_size

    @cached_property
    def writer(self) -> Writer:
        server, schema = self.recipe.prompt.server, self.abilities.schema
        if server is None:
            from paracosm.generate.prompting.local_model import LocalModel

            return LocalModel(self.recipe.model, schema, self.recipe.generate)
        from paracosm.generate.remote.remote_model import RemoteModel

        client = ChatClient(server, self.store, "prompt.server")
        return RemoteModel(client, schema, self.recipe.generate, STEP)

    @cached_property
    def cached(self) -> CachedWriter:
        return CachedWriter(self.writer, self.store, self.abilities.schema, STEP)

    @cached_property
    def wording(self) -> Wording:
        settings, schema = self.recipe.prompt, self.abilities.schema
        material = load_material(self.run.statistics, self.recipe.strategy)
        examples: Sequence[Sequence[Record]] = ()
        if settings.examples == "synthetic":
            chain = load_chain(self.run.statistics)
            examples = drawn_rows(chain, settings.rows, settings.sets, self.recipe.generate.seed)
        elif settings.examples == "real":
            examples = training_rows(
                self.run, schema, settings.rows, settings.sets, self.recipe.generate.seed
            )
        return Wording(schema, self.recipe.description, settings.instruction, material.summaries, examples)

    def records(self, requests: Sequence[Request], *, seed: int, tally: Tally) -> list[list[Record]]:
        attempts = self.recipe.generate.attempts
        if self.recipe.prompt.server is not None:
            # Refused answers are paid for.
            attempts = min(attempts, 2 * self.recipe.prompt.server.tries)
        groups: list[list[Record]] = []
        for begin in range(0, len(requests), self.batch_size):
            written = draw_until_accepted(
                requests[begin : begin + self.batch_size],
                lambda missing, attempt: self._written(missing, seed, attempt, tally),
                tally,
                attempts=attempts,
            )
            groups += [[record] for record in written]
        return groups

    def _written(
        self, requests: Sequence[Request], seed: int, attempt: int, tally: Tally
    ) -> list[Record | None]:
        tasks = [self._task(request) for request in requests]
        drawn = seed if not attempt else int(value_digest([seed, attempt])[:15], 16)
        answers = self.cached.write(
            tasks, seed=drawn, tally=tally, above=[self.digest.of(request) for request in requests]
        )
        names = [field.name for field in self.abilities.schema.modelled]
        records: list[Record | None] = []
        for task, answer in zip(tasks, answers, strict=True):
            if answer.values is None:
                records.append(None)
                continue
            whole = {**task.known, **answer.values}
            records.append({name: whole[name] for name in names if name in whole})
        return records

    def _task(self, request: Request) -> Task:
        """Return what the model is asked; a server gets known values in the prompt and does not repeat them."""
        fields = self.abilities.schema.modelled
        order = range(len(fields)) if request.order is None else request.order
        names = [fields[index].name for index in order]
        known = given_values(request)
        remote = self.recipe.prompt.server is not None
        prompt = self.wording.record_prompt(
            request.number, "json" if remote else "lines", known if remote else {}
        )
        if not remote:
            return Task(request.number, request.redraw, SYSTEM, prompt, tuple(names), {}, request.guide)
        derived = (
            request.guide.shared.derived if isinstance(request.guide, RecordConstraints) else frozenset()
        )
        asked = tuple(name for name in names if name not in known and name not in derived)
        return Task(request.number, request.redraw, SYSTEM, prompt, asked, known, request.guide)

    def facts(self) -> dict[str, Any]:
        settings = self.recipe.prompt
        rows = sum(map(len, self.wording.examples)) if settings.examples == "real" else 0
        left = settings.server is not None and not settings.server.is_here
        shown = {
            "examples": settings.examples,
            "real_rows_shown": rows,
            "real_rows_left_the_machine": bool(rows and left),
        }
        servers = {} if settings.server is None else {STEP: settings.server}
        support = {} if settings.server is None else {"schema_support": getattr(self.writer, "support", None)}
        return {"prompting": shown | support | {"steps": usage_facts(self.store, servers)}}


def given_values(request: Request) -> dict[str, Value]:
    """Return the values that a request sets exactly."""
    if not isinstance(request.guide, RecordConstraints):
        return {}
    return {
        name: value
        for name, values in request.guide.conditions.items()
        if len(values) == 1
        for value in values
    }


def store_of(recipe: Recipe, run: Run) -> AnswerStore:
    """Return the store of a run's answers, which counts those of this recipe's records."""
    stage = recipe.model_dump(
        mode="json", include={"strategy", "prompt", "chain", "generate", "rules", "model"}
    )
    return AnswerStore(run.answers, value_digest([stage, base_digest(run)]))


def base_digest(run: Run) -> str:
    """Return the digest of what all answers of a run depend on: what the finetune stage left, and the schema."""
    return value_digest([folder_digest(run.statistics), file_digest(run.schema)])
