"""What names a person in a text: codes, numbers and addresses by their shape, names by titles and capitals."""

import re
from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.util import find_spec

from paracosm.records.pii.detectors import DOUBTFUL, find_spans, ner_model

PATTERNS = {
    "e-mail": re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"),
    "web address": re.compile(r"\b(?:https?://|www\.)\S+"),
    "phone": re.compile(r"(?<!\w)\+?\(?\d{2,4}\)?[ .-]\d{3,4}[ .-]\d{3,6}\b"),
    "bank account": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
    "code": re.compile(r"\b(?=[^\W_]*\d)(?=[^\W_]*[A-Za-z])[^\W_]{6,}\b|\b[A-Z]{1,5}[-/ ]?\d{4,}\b"),
    "number": re.compile(r"\b\d(?:[ -]?\d){5,}\b"),
    "date": re.compile(r"\b\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b"),
    "titled name": re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? +[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?"),
    "name": re.compile(r"(?<=[a-z,;:] )[A-Z][a-z'’-]+(?: [A-Z]\.?)?(?: [A-Z][a-z'’-]+)+"),
}
SHORTEST = 4
READ = (
    "name",
    "email",
    "phone",
    "national_id",
    "record_id",
    "bank_account",
    "card",
    "ip",
    "url",
    "address",
    "date",
)
MOST_LETTERS = 3_000_000
"""Letters that the language model reads, at about fifty thousand a second."""


def found_in(text: str) -> set[str]:
    """Return everything in a text that may name a person, in small letters."""
    return {
        match.group().strip().casefold()
        for pattern in PATTERNS.values()
        for match in pattern.finditer(text)
        if len(match.group().strip()) >= SHORTEST
    }


def read_by_model(texts: Sequence[str]) -> list[set[str]] | None:
    """Return what Presidio's patterns and a local language model find in each text, in small letters.

    None where the extra `pii` is not installed, or where the texts are so long that the model would take minutes.
    A name of one word names nobody.
    """
    if any(find_spec(name) is None for name in ("presidio_analyzer", "spacy", "faker")) or not ner_model(
        "en"
    ):
        return None
    if sum(map(len, texts)) > MOST_LETTERS:
        return None
    return [
        {
            found
            for span in spans
            if len(found := text[span.start : span.end].strip().casefold()) >= SHORTEST
            and span.by != DOUBTFUL
            and (span.kind != "name" or " " in found)
        }
        for text, spans in zip(texts, find_spans(texts, language="en", kinds=READ), strict=True)
    ]


def of_one_subject(
    records: Sequence[Iterable[str]], subjects: Sequence[int] | None, elsewhere: Iterable[str]
) -> set[str]:
    """Return the identifiers that one subject's records hold and nobody else's.

    Args:
        records: the identifiers of each record.
        subjects: whom each record is about; None where every record is its own subject.
        elsewhere: identifiers of other records, which are left out.
    """
    holders: dict[int, set[str]] = {}
    for number, identifiers in enumerate(records):
        whose = number if subjects is None else subjects[number]
        holders.setdefault(whose, set()).update(identifiers)
    counts = Counter(identifier for held in holders.values() for identifier in held)
    known_elsewhere = set(elsewhere)
    return {name for name, count in counts.items() if count == 1 and name not in known_elsewhere}
