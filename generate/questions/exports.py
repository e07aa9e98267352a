"""Questions as SQuAD 2.0 JSON (Rajpurkar et al. 2018) and as chat messages, one JSON object a line."""

import json
from collections.abc import Sequence
from itertools import groupby
from pathlib import Path

from paracosm.foundation.errors import DataError
from paracosm.foundation.files import write_text
from paracosm.generate.questions.asking import Question

UNKNOWN = "The record does not say."
FORMATS = {"squad": ".json", "chat": ".jsonl"}
"""Form -> suffix of its files."""


def squad(questions: Sequence[Question], title: str) -> str:
    """Return questions in the form of SQuAD 2.0, one paragraph a record."""
    paragraphs = [
        {
            "context": context,
            "qas": [
                {
                    "id": each.id,
                    "question": each.text,
                    "answers": []
                    if each.answer is None
                    else [{"text": each.answer, "answer_start": each.start}],
                    "is_impossible": each.answer is None,
                }
                for each in of_record
            ],
        }
        for context, of_record in groupby(questions, key=lambda each: each.context)
    ]
    plain = {"version": "v2.0", "data": [{"title": title, "paragraphs": paragraphs}]}
    return json.dumps(plain, ensure_ascii=False, indent=1) + "\n"


def chat(questions: Sequence[Question]) -> str:
    """Return questions as messages of a user and an assistant, one conversation a line."""
    lines = [
        {
            "messages": [
                {"role": "user", "content": f"{each.context}\n\n{each.text}"},
                {"role": "assistant", "content": UNKNOWN if each.answer is None else each.answer},
            ]
        }
        for each in questions
    ]
    return "".join(f"{json.dumps(line, ensure_ascii=False)}\n" for line in lines)


def write_questions(questions: Sequence[Question], path: Path, title: str | None = None) -> None:
    """Write questions as SQuAD (`.json`) or as chat messages (`.jsonl`).

    Args:
        questions: to write.
        path: of the file.
        title: of the records, which SQuAD states; the name of the file by default.

    Raises:
        DataError: the suffix is another one.
    """
    check_suffix(path)
    write_text(
        path, squad(questions, title or path.stem) if path.suffix == FORMATS["squad"] else chat(questions)
    )


def check_suffix(path: Path) -> None:
    """Check that a path names a form that is written.

    Raises:
        DataError: it does not.
    """
    if path.suffix not in FORMATS.values():
        raise DataError(f"{path}: write questions to a .json file (SQuAD) or a .jsonl file (chat messages)")
