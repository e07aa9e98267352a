"""Questions about one record: over its cells, over what its text names once, and about what it does not state."""

import re
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from paracosm.generate.questions.passages import Entities, names_a_moment, passages
from paracosm.generate.questions.phrasing import KINDS, TEMPLATES, spoken
from paracosm.records.schema.schema import Field, Schema

SEXES = frozenset({"male", "female", "m", "f", "man", "woman"})
"""Cells that a text tells by its pronouns."""


@dataclass(frozen=True)
class Question:
    """A question about a record.

    Attributes:
        id: unique within its export.
        context: what it is asked about: a line for each field, then the texts.
        text: the question.
        answer: a passage of the context; None where the context does not hold it.
        start: where the answer begins in the context; -1 without one.
        about: name of the field.
        kind: what is asked for, one of the keys of `phrasing.TEMPLATES`.
    """

    id: str
    context: str
    text: str
    answer: str | None
    start: int
    about: str
    kind: str


def ask(
    number: int,
    cells: Mapping[str, str | None],
    schema: Schema,
    *,
    most: int,
    unanswerable: float,
    random: np.random.Generator,
    entities: Mapping[str, Entities] | None = None,
    codes: Collection[str] = (),
    labels: Mapping[str, str] | None = None,
) -> list[Question]:
    """Return at most `most` questions about a record, which share one context.

    An unanswerable question asks for a field that is left out of the context, of whose value the texts hold no word, or whose
    cell is missing.

    Args:
        number: of the record, for the ids.
        cells: as the source writes them; None for a missing one.
        schema: of the record.
        most: number of questions.
        unanswerable: share of questions without an answer, as far as there are fields for them.
        random: random numbers.
        entities: per text, what is named in it.
        codes: texts that hold one word each, such as postcodes, and are asked about like any other cell.
        labels: type of entity that the values of a column are, such as ORG; a text that names another one may tell the cell.
    """
    texts = [field for field in schema.modelled if _is_prose(field, codes) and cells.get(field.name)]
    fields = [field for field in schema.modelled if not _is_prose(field, codes)]
    named = entities or {}
    body = "\n\n".join(str(cells[field.name]) for field in texts)
    spans = sum(len(passages(str(cells[field.name]), named.get(field.name, ()))) for field in texts)
    possible = min(most, len(fields) + spans)
    wanted = sum(float(random.random()) < unanswerable for _ in range(possible))
    order = [fields[index] for index in random.permutation(len(fields)).tolist()]
    told = {label for field in texts for _, label in named.get(field.name, ())}
    moments = any(names_a_moment(named.get(field.name, ())) for field in texts)
    hidden: list[Field] = []
    for field in order:
        # A context without any field would have nothing to ask about.
        enough = len(fields) - len(hidden) > 1 or body
        open_text = (labels or {}).get(field.name) in told or (field.is_moment and moments)
        if len(hidden) < wanted and enough and not open_text and not _may_tell(body, cells.get(field.name)):
            hidden.append(field)
    shown = [field for field in fields if field not in hidden and cells.get(field.name)]
    others = {cells.get(field.name) for field in shown}
    # The value of another field would be a wrong answer that looks right.
    hidden = [
        field for field in hidden if cells.get(field.name) not in others or cells.get(field.name) is None
    ]
    lines, starts = [], {}
    for field in shown:
        begin = sum(len(line) + 1 for line in lines)
        starts[field.name] = begin + len(f"{spoken(field.name)}: ")
        lines.append(f"{spoken(field.name)}: {cells[field.name]}")
    head = "\n".join(lines)
    context = "\n\n".join(part for part in (head, body) if part)
    made = [_question(field, None, -1, random) for field in hidden]
    answerable = [_question(field, str(cells[field.name]), starts[field.name], random) for field in shown]
    answerable += _named(context, len(context) - len(body), texts, cells, named, random)
    chosen = random.permutation(len(answerable))[: max(0, most - len(made))].tolist()
    made += [answerable[index] for index in chosen]
    questions = [
        replace(question, id=f"record-{number}-{index}", context=context)
        for index, question in enumerate(made[:most])
    ]
    return [each for each in questions if is_valid(each)]


def is_valid(question: Question) -> bool:
    """Return whether the answer is the passage of the context that the question points at, or there is none."""
    if question.answer is None:
        return question.start == -1
    end = question.start + len(question.answer)
    return bool(question.answer) and question.context[question.start : end] == question.answer


def _is_prose(field: Field, codes: Collection[str]) -> bool:
    return field.is_text and field.name not in codes


def _question(field: Field, answer: str | None, start: int, random: np.random.Generator) -> Question:
    kind = KINDS[field.kind.expressed_as]
    templates = TEMPLATES[kind]
    text = templates[int(random.integers(len(templates)))].format(name=spoken(field.name))
    return Question("", "", text, answer, start, field.name, kind)


def _named(
    context: str,
    begin: int,
    texts: Sequence[Field],
    cells: Mapping[str, str | None],
    entities: Mapping[str, Entities],
    random: np.random.Generator,
) -> list[Question]:
    """Return a question for each type of entity that a text names exactly once."""
    questions = []
    for field in texts:
        text = str(cells[field.name])
        at = context.index(text, begin)
        for passage, label in passages(text, entities.get(field.name, ())):
            if context.count(passage) == 1:
                templates = TEMPLATES[label]
                wording = templates[int(random.integers(len(templates)))].format(name=spoken(field.name))
                start = at + text.index(passage)
                questions.append(Question("", "", wording, passage, start, field.name, label))
    return questions


def _may_tell(text: str, cell: str | None) -> bool:
    """Return whether a text may tell a cell: it holds one of its words or its number, or says the sex by any pronoun."""
    if cell is None or not text:
        return False
    words = [word for word in re.findall(r"[^\W_]+", re.sub(r"\.0+(?!\d)", "", cell.casefold())) if word]
    if set(words) & SEXES:
        return True
    spelled = set(re.findall(r"[^\W_]+", text.casefold()))
    return bool(spelled.intersection(words))
