"""Rewording of questions by a model: the answer stays, and a wording that may ask for something else is not taken."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from paracosm.generate.answers.cached_writer import CachedWriter
from paracosm.generate.answers.task import Task
from paracosm.generate.constraints.request import Tally
from paracosm.generate.prompting.wording import Form
from paracosm.generate.questions.asking import Question
from paracosm.generate.questions.phrasing import KEYWORDS, OPENERS, spoken
from paracosm.records.schema.schema import Field, Schema

WORDING = "question"
"""Name of the only field that the model writes."""
SCHEMA = Schema((Field(name=WORDING, type="text", min_length=8, max_length=240),))
SYSTEM = "You word questions in another way. You answer with the question alone."
ANSWER = {
    "lines": f"Write one line, as `{WORDING}: ...`.",
    "json": f"Answer with one JSON object that has the key {WORDING}.",
}
MOST_ADDED = 10
"""Words by which a wording may be longer than the template."""
NEGATIONS = frozenset(["not", "no", "never", "without", "except", "n't", "unless", "none"])
OTHER_AIMS = frozenset(
    [
        "why",
        "mean",
        "means",
        "meaning",
        "define",
        "definition",
        "purpose",
        "difference",
        "explain",
        "reason",
        "example",
        "best",
        "correct",
        "average",
        "maximum",
        "minimum",
        "total",
        "change",
        "changed",
        "should",
    ]
)
"""Words of a question that asks for something else than what the record holds."""
BARE = frozenset(["what", "s", "which", "is", "are", "the", "a", "an", "of"])
"""Words of a question that says nothing of a record, and may ask what its field means."""
REQUESTS = frozenset(
    ["according", "can", "could", "for", "from", "in", "on", "please", "tell", "under", "would"]
)
LONGEST_REQUEST = 7


@dataclass
class Reworded:
    """What became of the questions.

    Attributes:
        questions: in their order, each in the new or the old words.
        taken: how many have new words.
        kept: why the others have not, and how often.
    """

    questions: list[Question]
    taken: int = 0
    kept: Counter[str] = field(default_factory=Counter)


def reword(
    questions: Sequence[Question],
    writer: CachedWriter,
    *,
    names: Sequence[str],
    form: Form,
    instruction: str | None = None,
    seed: int = 0,
    tally: Tally | None = None,
) -> Reworded:
    """Return questions in the words of a model, as far as they still ask for the same.

    Args:
        questions: to word in another way; only the question is shown to the model, not the record.
        writer: writes the field of `SCHEMA`.
        names: of all fields, which no other question may name.
        form: of the model's answers.
        instruction: stands first in the prompt.
        seed: of the answers.
        tally: counts tokens.
    """
    tasks = []
    for number, question in enumerate(questions):
        asked = (
            f'Word this question in another way. Keep "{spoken(question.about)}" as it is.\n\n{question.text}'
        )
        prompt = "\n\n".join(part for part in (instruction, asked, ANSWER[form]) if part)
        tasks.append(Task(number, 0, SYSTEM, prompt, (WORDING,)))
    answers = writer.write(tasks, seed=seed, tally=tally or Tally(), above=[""] * len(tasks))
    made = Reworded([])
    for question, answer in zip(questions, answers, strict=True):
        text = "" if answer.values is None else " ".join(str(answer.values[WORDING]).split())
        against = objection(question, text, names) if text else "no valid answer of the model"
        if against is None:
            made.taken += 1
            made.questions.append(replace(question, text=text))
        else:
            made.kept[against] += 1
            made.questions.append(question)
    return made


def objection(question: Question, text: str, names: Sequence[str]) -> str | None:
    """Return why a wording is not taken; None if it asks for the same as the question.

    Args:
        question: in the words of a template.
        text: the wording.
        names: of all fields.
    """
    old, new = _words(question.text), _words(text)
    added = set(new) - set(old)
    name, answer = spoken(question.about), question.answer
    if new == old:
        return "the same words"
    if not text.endswith("?") or text.count("?") > 1 or re.search(r"[.!:;]\s", text):
        return "not one question"
    if not _holds(new, _words(name)):
        return "does not name its field"
    if not all(any(word in new for word in words) for words in KEYWORDS.get(question.kind, ())):
        return "does not say which passage is meant"
    if not _opens_with(new, OPENERS.get(question.kind, OPENERS["word"])):
        return "asks in another way than its answer is"
    if added & NEGATIONS or "n't" in text.casefold().replace("\N{RIGHT SINGLE QUOTATION MARK}", "'"):
        return "a negation"
    others = [words for each in names if each != question.about and (words := _words(spoken(each)))]
    if added & OTHER_AIMS or len(new) > len(old) + MOST_ADDED or set(new) <= {*BARE, *_words(name)}:
        return "asks for something else"
    if any(_holds(new, words) and not _holds(old, words) for words in others):
        return "names another field"
    told = answer is not None and _holds(new, _words(answer)) and not _holds(old, _words(answer))
    return "tells a value" if told or any(_is_value(word, old) for word in _spelled(text)[1:]) else None


def _opens_with(words: Sequence[str], openers: Sequence[str]) -> bool:
    """Return whether a question begins with one of some words, or with a request that leads to it: "could you tell me what"."""
    first = next((index for index, word in enumerate(words) if word in openers), None)
    return first is not None and (first == 0 or (words[0] in REQUESTS and first <= LONGEST_REQUEST))


def _spelled(text: str) -> list[str]:
    return re.findall(r"[^\W_]+", text)


def _words(text: str) -> list[str]:
    return [word.casefold() for word in _spelled(text)]


def _holds(words: Sequence[str], passage: Sequence[str]) -> bool:
    """Return whether some words stand one after the other among others."""
    return bool(passage) and any(window == list(passage) for window in _windows(words, len(passage)))


def _windows(words: Sequence[str], length: int) -> Iterator[list[str]]:
    return (list(words[begin : begin + length]) for begin in range(len(words) - length + 1))


def _is_value(word: str, old: Sequence[str]) -> bool:
    """Return whether a word that the template does not have is a number or a name."""
    known = word.casefold() in old or word == "I"
    return not known and (any(letter.isdigit() for letter in word) or word[0].isupper())
