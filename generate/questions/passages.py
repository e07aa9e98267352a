"""Passages of texts that a question can be about: a named entity whose form leaves no doubt what it is, and that stands there once."""

import re
from collections import Counter
from collections.abc import Sequence

Entities = Sequence[tuple[str, str]]
"""Passages and their types, as a named entity recogniser found them in one text."""
MONTHS = "jan|feb|mar|apr|may|jun|jul|aug|sep|oct|nov|dec"
FORMS = {
    # A year, a date in figures or with the name of a month, or a length of time; not a bare number.
    "DATE": re.compile(
        rf"\b(?:19|20)\d\d\b|\b[0-3]?\d/[0-3]?\d(?:/\d{{2,4}})?\b|\b[0-3]?\d/(?:19|20)\d\d\b|\b\d{{1,4}}[.-]\d{{1,2}}[.-]\d{{2,4}}\b"
        rf"|\b(?:{MONTHS})[a-z]*\.? \d{{1,2}}\b|\b\d{{1,2}} (?:{MONTHS})"
        r"|\d[ -](?:second|minute|hour|day|week|month|year)s?\b",
        re.IGNORECASE,
    ),
    "MONEY": re.compile(r"[$€£¥] ?\d|\d ?(?:[$€£¥]|dollars?\b|euros?\b)", re.IGNORECASE),
    "PERCENT": re.compile(r"\d ?(?:%|per ?cent\b)", re.IGNORECASE),
}
"""Type of an entity -> what its passages hold in figures. A text with several is not asked, whatever the recogniser found."""
AGE = re.compile(r"\b(?:year|month|week|day)s?[- ]old\b|\by/?o\b|\bage|\b\d+s\b", re.IGNORECASE)
"""An age, which recognisers take for a date."""
TELLING = ("DATE", "TIME")


def passages(text: str, entities: Entities) -> list[tuple[str, str]]:
    """Return the passages of a text, with their types, of which there can be no other that answers the same question."""
    counts = Counter(label for _, label in entities)
    return [
        (passage, label)
        for passage, label in entities
        if counts[label] == 1 and text.count(passage) == 1 and _is_sure(text, passage, label)
    ]


def _is_sure(text: str, passage: str, label: str) -> bool:
    """Return whether an entity is one for sure: a recogniser takes drugs and parts of the body for places and organisations."""
    if label == "PERSON":
        titled = re.findall(r"\b(?:Mr|Mrs|Ms|Dr)\b", text)
        return len(titled) == 1 and bool(
            re.search(rf"\b(?:Mr|Mrs|Ms|Dr)\.? {re.escape(passage)}(?!\w)", text)
        )
    form = FORMS.get(label)
    if form is None or not form.search(_around(text, passage)):
        return False
    # Of a date with a year two parts can match, so those inside the passage count as one.
    begin = text.index(passage)
    outside = [
        match
        for match in form.finditer(text)
        if match.end() <= begin or match.start() >= begin + len(passage)
    ]
    return not outside and not (label == "DATE" and AGE.search(_around(text, passage)))


def _around(text: str, passage: str) -> str:
    """Return a passage with the marks that touch it: recognisers leave out the sign of a currency, and `-old`."""
    begin = text.index(passage)
    end = begin + len(passage)
    before = re.search(r"[^\s{(]*$", text[:begin])
    after = re.match(r"[^\s})]*(?: old\b)?", text[end:])
    return (before.group() if before else "") + passage + (after.group() if after else "")


def names_a_moment(entities: Entities) -> bool:
    """Return whether a text names a moment, which may be that of a column."""
    return any(label in TELLING for _, label in entities)
