"""A model behind a server that writes records as JSON; every answer is checked, and asked for again where it is not valid."""

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import cached_property
from typing import Any

from paracosm.foundation.digests import value_digest
from paracosm.foundation.errors import ModelError
from paracosm.generate.answers.task import Answer, Task, Usage
from paracosm.generate.constraints.allowed_values import AllowedValues
from paracosm.generate.constraints.request import Tally
from paracosm.generate.prompting.wording import domain
from paracosm.generate.remote.answers import Invalid, check_values, read_answer, with_derived
from paracosm.generate.remote.client import ChatClient, Refused, Reply
from paracosm.generate.remote.json_schema import answer_schema
from paracosm.generate.remote.probe import Support, json_schema, probe
from paracosm.recipes.sections.generate import Generate
from paracosm.records.schema.schema import Field, Schema

TASKS_PER_CONNECTION = 4
ONLY_JSON = "Answer with one JSON object of this form, and nothing else:\n"
"""What takes the place of a schema. A small model repeats a schema instead of an object that has it."""
LARGEST_SEED = 2**31


class RemoteModel:
    """The model of a server; see `Writer`.

    Attributes:
        client: of the server.
        schema: of the records; scratch fields of a chain come last.
        settings: of the sampling.
        step: name under which failures are noted.
    """

    def __init__(self, client: ChatClient, schema: Schema, settings: Generate, step: str) -> None:
        self.client = client
        self.schema = schema
        self.settings = settings
        self.step = step
        # Constraints keep what they computed, and are not made for several threads.
        self._checks = threading.Lock()

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size or TASKS_PER_CONNECTION * self.client.server.concurrency

    def identity(self) -> dict[str, Any]:
        server = self.client.server
        plain = server.model_dump(mode="json", include={"url", "model", "tries", "max_tokens"})
        return plain | self.settings.model_dump(mode="json", include={"temperature", "top_p"})

    @cached_property
    def support(self) -> Support:
        """What the server does with a JSON schema."""
        return probe(self.client)

    def write(self, tasks: Sequence[Task], *, seed: int, tally: Tally) -> list[Answer]:
        _ = self.support
        answers = []
        with ThreadPoolExecutor(self.client.server.concurrency) as threads:
            futures = [threads.submit(self._done, task, seed) for task in tasks]
            try:
                for future in futures:
                    answer = future.result()
                    usage = answer.usage
                    tally.attempts += usage.calls
                    tally.finished += answer.values is not None
                    tally.refusals.update(usage.reasons)
                    tally.count_pass(usage.input_tokens + usage.output_tokens)
                    answers.append(answer)
            finally:
                # Where one fails or Ctrl-C comes, those that have not begun are not asked; cancelling a finished one does nothing.
                for future in futures:
                    future.cancel()
        return answers

    def _done(self, task: Task, seed: int) -> Answer:
        usage = Usage(records=1)
        schema = answer_schema(self.schema, task.fields, self._allowed(task))
        first = messages = self._messages(task)
        for attempt in range(self.client.server.tries):
            reply = self._ask(messages, schema, _seed(seed, task, attempt))
            _count(usage, reply)
            try:
                values = read_answer(reply.text, self.schema, task.fields)
                with self._checks:
                    whole = with_derived(task.guide, {**task.known, **values}, task.fields)
                    check_values(
                        task.guide, self.schema, whole, [name for name in whole if name not in task.known]
                    )
            except Invalid as invalid:
                usage.reasons[invalid.reason] += 1
                self.client.store.note_failure(
                    self.step, task.number, invalid.reason, reply.text, self._secrets
                )
                # A wrong answer in the conversation can lead to more of them, so every second try begins afresh.
                messages = (
                    first
                    if attempt % 2
                    else [
                        *first,
                        {"role": "assistant", "content": reply.text},
                        {
                            "role": "user",
                            "content": f"That is not valid: {invalid.remark}. Write the whole JSON object again.",
                        },
                    ]
                )
                continue
            usage.first_try = int(attempt == 0)
            return Answer({name: whole[name] for name in whole if name not in task.known}, usage)
        usage.given_up = 1
        return Answer(None, usage)

    @property
    def _secrets(self) -> list[str]:
        return [self.client.key] if self.client.key else []

    def _ask(self, messages: Sequence[dict[str, str]], schema: dict[str, Any], seed: int) -> Reply:
        enforced = self.support == "enforced"
        try:
            return self.client.ask(
                messages,
                seed=seed,
                temperature=self.settings.temperature,
                top_p=self.settings.top_p,
                response_format=json_schema(schema) if enforced else None,
            )
        except Refused as refused:
            raise ModelError(
                f"{self.client.where}: {self.client.server.url} refuses a request ({refused.status}: {refused.message})"
            ) from refused

    def _messages(self, task: Task) -> list[dict[str, str]]:
        prompt = task.prompt
        if self.support != "enforced":
            parts = [
                f"{json.dumps(name, ensure_ascii=False)}: <{domain(self.schema[name])}>"
                for name in task.fields
            ]
            prompt = f"{prompt}\n\n{ONLY_JSON}{{{', '.join(parts)}}}"
        return [{"role": "system", "content": task.system}, {"role": "user", "content": prompt}]

    def _allowed(self, task: Task) -> dict[str, AllowedValues]:
        """Return the values that constraints leave the fields of a task, as far as they do before anything is written."""
        if task.guide is None:
            return {}
        fields: list[Field] = list(self.schema.modelled)
        found = {}
        with self._checks:
            for index, field in enumerate(fields):
                if field.name in task.fields and not field.is_text:
                    allowed = task.guide.allowed(index, task.known, {})
                    if allowed is not None:
                        found[field.name] = allowed
        return found


def _seed(seed: int, task: Task, attempt: int) -> int:
    return int(value_digest([seed, task.number, task.redraw, attempt])[:16], 16) % LARGEST_SEED


def _count(usage: Usage, reply: Reply) -> None:
    usage.calls += 1
    usage.input_tokens += reply.input_tokens
    usage.output_tokens += reply.output_tokens
    usage.seconds += reply.seconds
    usage.unanswered += reply.unanswered
