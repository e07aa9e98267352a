"""A chain's steps over many records: each step's result is kept under the hash of everything above it.

A change of the last step therefore repeats the last step alone, and a killed run repeats nothing that was done.
"""

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from paracosm.foundation.digests import value_digest
from paracosm.generate.answers.answer_store import AnswerStore
from paracosm.generate.answers.cached_writer import CachedWriter
from paracosm.generate.answers.plain_values import from_plain, to_plain
from paracosm.generate.answers.task import Task, Usage
from paracosm.generate.chains.steps import KEEP, Step
from paracosm.generate.chains.templates import StepPrompt
from paracosm.generate.chains.writers import Writers
from paracosm.generate.constraints.guide import first_violation
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.prompting.wording import SYSTEM, Wording
from paracosm.records.schema.schema import Record, Schema, Value

Draw = Callable[[Sequence[Request], int, int, Tally], Sequence[Record | None]]
"""Draws the columns of some requests by the seed and the number of the attempt; None for a refused record."""
KEPT_SETTINGS = {"kind", "name", "fields", "prompt", "max_length", "times"}
"""Settings of a step that its key holds; those of its model are in the model's identity."""


@dataclass
class InWork:
    """A record in the making.

    Attributes:
        request: for the record.
        key: hash of everything that made what there is so far.
        values: the fields so far.
        thoughts: what steps thought.
        blamed: the field that the last check blamed; empty for none.
        refusal: why the record is refused; None if it is not.
    """

    request: Request
    key: str
    values: Record = field(default_factory=dict)
    thoughts: dict[str, Value] = field(default_factory=dict)
    blamed: str = ""
    refusal: str | None = None


class ChainRunner:
    """Runs the steps of a chain.

    Attributes:
        steps: in order.
        schema: of the records, in the order in which the steps make them.
        writers: of the steps.
        wording: what prompts tell of the table.
        store: keeps what the steps made.
        draw: draws columns; see `strategies.statistical`.
    """

    def __init__(
        self,
        steps: Sequence[Step],
        schema: Schema,
        writers: Writers,
        wording: Wording,
        store: AnswerStore,
        draw: Draw,
    ) -> None:
        self.steps = steps
        self.schema = schema
        self.writers = writers
        self.wording = wording
        self.store = store
        self.draw = draw
        self._prompts: dict[int, StepPrompt] = {}
        self._cached: dict[int, CachedWriter] = {}

    def run(
        self, requests: Sequence[Request], keys: Sequence[str], seed: int, attempt: int, tally: Tally
    ) -> list[Record | None]:
        """Return a record for each request, None for one that is refused.

        Args:
            requests: for the records.
            keys: hash of what each depends on before the first step.
            seed: of the run.
            attempt: 0, or how often these requests were refused before.
            tally: counts attempts, accepted records, refusals and tokens.
        """
        records = [
            InWork(request, value_digest([key, seed, attempt, request.number, request.redraw]))
            for request, key in zip(requests, keys, strict=True)
        ]
        tally.attempts += len(records)
        check: Step | None = None
        for step in self.steps:
            alive = [record for record in records if record.refusal is None]
            if not alive:
                break
            match step.settings.kind:
                case "draw":
                    self._draw(step, alive, seed, attempt, tally)
                case "check":
                    check = step
                    self._check(step, alive, seed, tally)
                case "refine":
                    assert check is not None
                    self._refine(step, check, alive, seed, tally)
                case _:
                    self._write(step, alive, seed, tally)
        return [self._finished(record, tally) for record in records]

    def _finished(self, record: InWork, tally: Tally) -> Record | None:
        if record.refusal is None:
            whole = {each.name: record.values[each.name] for each in self.schema.modelled}
            if record.request.guide is not None:
                record.refusal = first_violation(record.request.guide, whole)
            if record.refusal is None:
                tally.finished += 1
                return whole
        tally.refusals[record.refusal] += 1
        return None

    def _draw(self, step: Step, records: Sequence[InWork], seed: int, attempt: int, tally: Tally) -> None:
        """Draw columns from the statistics."""
        keys = [value_digest([record.key, *_identity(step)]) for record in records]
        found = self.store.read(keys)
        missing = [index for index, key in enumerate(keys) if key not in found]
        if missing:
            began, own = time.monotonic(), Tally()
            drawn = self.draw([records[index].request for index in missing], seed, attempt, own)
            tally.refusals.update(own.refusals)
            usage = Usage(records=1, first_try=1, seconds=(time.monotonic() - began) / len(missing))
            kept = [
                (index, values) for index, values in zip(missing, drawn, strict=True) if values is not None
            ]
            self.store.write(
                step.name,
                [
                    (keys[index], records[index].request.number, to_plain(self.schema, values), usage)
                    for index, values in kept
                ],
            )
            found |= self.store.read([keys[index] for index, _ in kept])
        for record, key in zip(records, keys, strict=True):
            plain = found[key].values if key in found else None
            if plain is None:
                # The draw counted why.
                record.refusal = "the draw of the columns"
            else:
                record.values |= from_plain(self.schema, plain)
            record.key = key

    def _write(self, step: Step, records: Sequence[InWork], seed: int, tally: Tally) -> None:
        """Write fields or a thought with the model of the step."""
        thinks = step.settings.kind == "think"
        answers = self._answers(step, records, seed, tally, guided=not thinks)
        for record, values in zip(records, answers, strict=True):
            if values is None:
                record.refusal = f"the answers of step {step.name!r}"
            else:
                (record.thoughts if thinks else record.values).update(values)
            record.key = value_digest([record.key, *self._identities(step)])

    def _check(self, step: Step, records: Sequence[InWork], seed: int, tally: Tally, turn: int = 0) -> None:
        """Ask the rules, then the model, which field does not fit."""
        for record in records:
            record.blamed = self._blamed_by_rules(step, record)
        open_ones = [record for record in records if not record.blamed]
        verdicts = self._answers(step, open_ones, seed + turn, tally, guided=False)
        for record, verdict in zip(open_ones, verdicts, strict=True):
            # Without a valid verdict there is nothing to hold against the record.
            word = KEEP if verdict is None else str(verdict[step.name])
            record.blamed = "" if word == KEEP else word
        for record in records:
            record.key = value_digest([record.key, *self._identities(step), turn])

    def _blamed_by_rules(self, step: Step, record: InWork) -> str:
        """Return the first field that a rule refuses and the chain may write again; empty for none."""
        guide, names = record.request.guide, [each.name for each in self.schema.modelled]
        if guide is None:
            return ""
        for name in record.values:
            if guide.violation(names.index(name), record.values) is not None:
                return name if name in step.blamable else step.blamable[-1]
        return ""

    def _refine(self, step: Step, check: Step, records: Sequence[InWork], seed: int, tally: Tally) -> None:
        """Write the blamed field of each record again, and check again, until the check keeps it."""
        blamed = [record for record in records if record.blamed]
        first = [record.key for record in blamed]
        left = blamed
        for turn in range(step.settings.times):
            if not left:
                break
            answers = self._answers(step, left, seed + turn, tally, guided=True)
            for record, values in zip(left, answers, strict=True):
                if values is not None:
                    record.values |= values
                record.key = value_digest([record.key, *self._identities(step), turn])
            self._check(check, left, seed, tally, turn + 1)
            left = [record for record in left if record.blamed]
        rows = [
            (
                value_digest([key, "outcome"]),
                record.request.number,
                {},
                Usage(blamed=1, mended=int(not record.blamed)),
            )
            for key, record in zip(first, blamed, strict=True)
        ]
        self.store.write(step.name, rows)
        for record in records:
            record.key = value_digest([record.key, *self._identities(step)])

    def _answers(
        self, step: Step, records: Sequence[InWork], seed: int, tally: Tally, *, guided: bool
    ) -> list[Mapping[str, Value] | None]:
        """Return what the model of a step writes for each record."""
        if not records:
            return []
        prompt, cached, form = self._prompt(step), self._cached_writer(step), self.writers.form(step)
        tasks = []
        for record in records:
            asked = prompt.asked(record.blamed)
            known = {name: value for name, value in record.values.items() if name not in asked}
            text = prompt.text(record.values, record.thoughts, form, record.blamed)
            guide = record.request.guide if guided else None
            tasks.append(
                Task(record.request.number, record.request.redraw, SYSTEM, text, asked, known, guide)
            )
        own = Tally(watch=tally.watch)
        mixed = int(value_digest([seed, step.name])[:15], 16)
        answers = cached.write(tasks, seed=mixed, tally=own, above=[record.key for record in records])
        tally.tokens += own.tokens
        tally.passes += own.passes
        tally.refusals.update(own.refusals)
        return [answer.values for answer in answers]

    def _prompt(self, step: Step) -> StepPrompt:
        if step.index not in self._prompts:
            self._prompts[step.index] = StepPrompt(step, self.wording, self.writers.schema)
        return self._prompts[step.index]

    def _cached_writer(self, step: Step) -> CachedWriter:
        if step.index not in self._cached:
            writer = self.writers.of(step)
            self._cached[step.index] = CachedWriter(writer, self.store, self.writers.schema, step.name)
        return self._cached[step.index]

    def _identities(self, step: Step) -> list[Any]:
        return [*_identity(step), self._cached_writer(step).identity]


def _identity(step: Step) -> list[Any]:
    """Return what a step itself adds to the key of a record."""
    return [step.settings.model_dump(mode="json", include=KEPT_SETTINGS), list(step.fields)]
