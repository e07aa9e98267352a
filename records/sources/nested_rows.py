"""Lists inside JSON records that become rows: messages of a dialogue (OpenAI, ShareGPT) and questions on a text (SQuAD)."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeGuard

DIALOGUES = ("messages", "conversations", "conversation", "dialogue", "dialog", "turns")
ROLES = ("role", "from", "speaker")
CONTENTS = ("content", "value", "text", "utterance")
CONVERSATION, TURN, DOCUMENT = "conversation", "turn", "document"


@dataclass
class RowDivision:
    """Divides records, and remembers what it saw.

    Attributes:
        subject: column of what several rows belong to; empty if every record was one row.
        sequence: column that orders the rows of a subject, or empty.
        divided: records that became rows.
        seen: records so far.
        rows: how many rows they became.
        answers: questions whose list of answers became the columns of one.
        further_answers: answers beside the first one of a question, which are left out.
    """

    subject: str = ""
    sequence: str = ""
    divided: int = 0
    rows: int = 0
    answers: int = 0
    further_answers: int = 0
    seen: int = 0

    def rows_of(self, record: Mapping[str, Any], drop: tuple[str, ...]) -> Iterator[dict[str, Any]]:
        """Yield the rows of a record: one a message, or one a question; else the record itself.

        Args:
            record: a JSON object.
            drop: keys that are not divided.
        """
        self.seen += 1
        for key in DIALOGUES:
            if key in record and key not in drop and is_dialogue(record[key]):
                self.subject, self.sequence = CONVERSATION, TURN
                yield from self._counted(self._messages(record, key))
                return
        paragraphs = record.get("paragraphs")
        if (
            "paragraphs" not in drop
            and _is_list_of_objects(paragraphs)
            and any("qas" in each for each in paragraphs)
        ):
            self.subject = DOCUMENT
            yield from self._counted(self._questions(record, paragraphs))
            return
        yield self._with_answer(record) if "question" in record and "answers" not in drop else dict(record)

    def _counted(self, rows: Iterator[dict[str, Any]]) -> Iterator[dict[str, Any]]:
        self.divided += 1
        for row in rows:
            self.rows += 1
            yield row

    def _messages(self, record: Mapping[str, Any], key: str) -> Iterator[dict[str, Any]]:
        rest = {name: value for name, value in record.items() if name != key}
        for turn, message in enumerate(record[key], start=1):
            cells = {
                f"{key}.{name}" if name in rest or name in (CONVERSATION, TURN) else name: _joined(
                    name, value
                )
                for name, value in message.items()
            }
            yield {**rest, CONVERSATION: str(self.seen), TURN: turn, **cells}

    def _questions(
        self, record: Mapping[str, Any], paragraphs: list[dict[str, Any]]
    ) -> Iterator[dict[str, Any]]:
        rest = {name: value for name, value in record.items() if name != "paragraphs"}
        for paragraph in paragraphs:
            outer = {name: value for name, value in paragraph.items() if name != "qas"}
            for question in paragraph.get("qas", ()):
                yield self._with_answer({**rest, DOCUMENT: str(self.seen), **outer, **question})

    def _with_answer(self, record: Mapping[str, Any]) -> dict[str, Any]:
        """Return a question with the keys of its first answer instead of a list of answers."""
        answers = record.get("answers")
        if _is_list_of_objects(answers):
            count, first = len(answers), answers[0]
        elif (
            isinstance(answers, dict) and answers and all(isinstance(each, list) for each in answers.values())
        ):
            count = max(map(len, answers.values()))
            first = {name: each[0] if each else None for name, each in answers.items()}
        elif answers == []:
            count, first = 0, {"text": None, "answer_start": None}
        else:
            return dict(record)
        self.answers += 1
        self.further_answers += max(0, count - 1)
        rest = {name: value for name, value in record.items() if name != "answers"}
        return {
            **rest,
            **{name if name not in rest else f"answers.{name}": value for name, value in first.items()},
        }

    def lines(self, name: str) -> Iterator[str]:
        """Yield what was divided, for the warnings of a source."""
        if self.divided:
            what = "message" if self.subject == CONVERSATION else "question"
            yield (
                f"{name}: {self.divided:,} records hold lists and became {self.rows:,} rows, one a {what}; {self.subject!r} tells which"
                " rows belong together (data.nested)"
            )
        if self.further_answers:
            yield f"{name}: only the first answer of each question is read; {self.further_answers:,} further ones are left out"


def is_dialogue(value: Any) -> bool:
    """Return whether a value is a list of messages, each with a role and a content."""
    return _is_list_of_objects(value) and all(
        any(key in each for key in ROLES) and any(key in each for key in CONTENTS) for each in value
    )


def _is_list_of_objects(value: Any) -> TypeGuard[list[dict[str, Any]]]:
    return isinstance(value, list) and bool(value) and all(isinstance(each, dict) for each in value)


def _joined(name: str, value: Any) -> Any:
    """Return a content of several parts as one text, if all parts are texts."""
    if (
        name in CONTENTS
        and _is_list_of_objects(value)
        and all(isinstance(part.get("text"), str) for part in value)
    ):
        return "\n".join(part["text"] for part in value)
    return value
