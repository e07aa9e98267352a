"""Detection of personal identifiers in texts: codes, numbers and addresses by their shape, names by titles and capitals.

False alarms occur on train and control alike and cancel out, so the patterns are broad.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from importlib.util import find_spec

from paracosm.records.pii.detectors import MODELS, find_spans, ner_model
from paracosm.records.pii.mentions.names_and_towns import DOUBTFUL
from paracosm.records.pii.patterns import IDENTIFIER_SHAPES

SHORTEST = 4
FEWEST_DIGITS = 6
"""Digits from which a number identifies somebody."""
KINDS_READ = (
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
    """Return everything in a text that may identify a person, case-folded."""
    return {
        match.group().strip().casefold()
        for pattern in IDENTIFIER_SHAPES.values()
        for match in pattern.finditer(text)
        if len(match.group().strip()) >= SHORTEST
    }


def read_by_model(texts: Sequence[str], language: str = "en") -> list[set[str]] | None:
    """Return the identifiers that Presidio's patterns and a local language model find in each text, case-folded.

    A name of one word is left out, since it identifies nobody.

    Args:
        texts: of any length.
        language: of the texts; decides which model reads them.

    Returns:
        None where the extra `pii` or the model of the language is not installed, or where the texts are so long that the model
        would take minutes.
    """
    if language not in MODELS or any(
        find_spec(name) is None for name in ("presidio_analyzer", "spacy", "faker")
    ):
        return None
    if not ner_model(language):
        return None
    if sum(map(len, texts)) > MOST_LETTERS:
        return None
    return [
        {
            identifier
            for span in spans
            if len(identifier := text[span.start : span.end].strip().casefold()) >= SHORTEST
            and span.by != DOUBTFUL
            and (span.kind != "name" or " " in identifier)
        }
        for text, spans in zip(texts, find_spans(texts, language=language, kinds=KINDS_READ), strict=True)
    ]


def is_personal_number(identifier: str) -> bool:
    """Return whether an identifier is a mail address, or a telephone number, account or code with 6 digits or more, not a date."""
    if "@" in identifier:
        return True
    digits = sum(map(str.isdigit, identifier))
    return digits >= FEWEST_DIGITS and IDENTIFIER_SHAPES["date"].fullmatch(identifier) is None


def of_subjects(
    records: Sequence[Iterable[str]], subjects: Sequence[int] | None, elsewhere: Iterable[str], number: int
) -> set[str]:
    """Return the identifiers that occur in the records of exactly `number` subjects.

    Args:
        records: the identifiers of each record.
        subjects: the subject of each record; None where every record is its own subject.
        elsewhere: identifiers of other records, which do not count.
        number: of subjects.
    """
    holders: dict[int, set[str]] = {}
    for row, identifiers in enumerate(records):
        subject = row if subjects is None else subjects[row]
        holders.setdefault(subject, set()).update(identifiers)
    counts = Counter(identifier for identifiers in holders.values() for identifier in identifiers)
    shared = set(elsewhere)
    return {name for name, count in counts.items() if count == number and name not in shared}
