"""A writer whose answers are kept: a question that was answered is not asked again."""

from collections.abc import Sequence
from typing import Any

from paracosm.foundation.digests import value_digest
from paracosm.generate.answers.answer_store import AnswerStore
from paracosm.generate.answers.plain_values import from_plain, to_plain
from paracosm.generate.answers.task import Answer, Task, Usage, Writer
from paracosm.generate.constraints.request import Tally
from paracosm.records.schema.schema import Schema


class CachedWriter:
    """A writer before a store.

    Attributes:
        writer: is asked what the store does not know.
        store: the answers of the run.
        schema: of the records, with the scratch fields of a chain.
        step: name under which answers are counted.
    """

    def __init__(self, writer: Writer, store: AnswerStore, schema: Schema, step: str) -> None:
        self.writer = writer
        self.store = store
        self.schema = schema
        self.step = step
        self.identity = writer.identity()

    def key(self, task: Task, seed: int, above: str) -> str:
        """Return the hash of all that an answer depends on."""
        known = to_plain(self.schema, task.known)
        asked = [self.identity, task.system, task.prompt, list(task.fields), known]
        return value_digest([self.step, asked, task.number, task.redraw, seed, above])

    def write(self, tasks: Sequence[Task], *, seed: int, tally: Tally, above: Sequence[str]) -> list[Answer]:
        """Return an answer to each task; those that the store knows are not asked again.

        Args:
            tasks: of different records.
            seed: of the answers.
            tally: counts tokens and refusals of what is asked now.
            above: per task, the hash of what else its answer depends on, such as rules and earlier steps.
        """
        keys = [self.key(task, seed, over) for task, over in zip(tasks, above, strict=True)]
        found = self.store.read(keys)
        missing = [(key, task) for key, task in zip(keys, tasks, strict=True) if key not in found]
        size = self.writer.batch_size
        for part in (missing[begin : begin + size] for begin in range(0, len(missing), size)):
            answers = self.writer.write([task for _, task in part], seed=seed, tally=tally)
            self.store.write(
                self.step, [self._stored(*asked, answer) for asked, answer in zip(part, answers, strict=True)]
            )
        found = self.store.read(keys)
        return [
            Answer(
                None if (plain := found[key].values) is None else from_plain(self.schema, plain),
                found[key].usage,
            )
            for key in keys
        ]

    def _stored(self, key: str, task: Task, answer: Answer) -> tuple[str, int, dict[str, Any] | None, Usage]:
        values = None if answer.values is None else to_plain(self.schema, answer.values)
        return key, task.number, values, answer.usage
