"""Regular expressions for identifiers, and the spans of a text that match them.

The spans come from three sources: Presidio's recognizers with check digits, words that announce a number (`MRN`, `account no.`),
and streets and postcodes by their form.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from paracosm.records.pii.check_digits import iban_is_valid
from paracosm.records.pii.mentions.addresses import addresses

EMAIL = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]+@[\w-]+(?:\.[\w-]+)+")
WEB = re.compile(r"(?:https?://|www\.)[^\s<>\"']+")
IPV4 = re.compile(r"(?:(?:25[0-5]|2[0-4]\d|1?\d?\d)\.){3}(?:25[0-5]|2[0-4]\d|1?\d?\d)")
IPV6 = r"(?=[\da-f:]*::|(?:[\da-f]{1,4}:){7})(?:[\da-f]{0,4}:){2,7}[\da-f]{0,4}"
IP = re.compile(
    rf"(?<![\w:.])(?:{IPV4.pattern}|{IPV6}|(?:[\da-f]{{2}}[:-]){{5}}[\da-f]{{2}})(?![\w:]|\.\d)", re.I
)
ACCOUNT = re.compile(r"\b[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?\b")
POSTCODE = re.compile(
    r"(?<=\b[A-Z]{2} )\d{5}(?:-\d{4})?\b|(?i:(?<=zip code )|(?<=zip code: )|(?<=zip )|(?<=zip: )|(?<=postcode )|(?<=postcode: ))\d{4,6}(?:-\d{4})?\b"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b|\b[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d\b"
)
ANNOUNCED: tuple[tuple[str, re.Pattern[str]], ...] = (
    (
        "card",
        re.compile(
            r"(?i:\b(?:card|cc|visa|mastercard|amex|maestro)\b)[\w ]{0,12}[ :#]{1,3}(?P<value>\d(?:[ -]?\d){11,18})\b"
        ),
    ),
    (
        "phone",
        re.compile(
            r"(?i:\b(?:phone|mobile|cell|tel|telephone|fax|desk|call(?:ing)?|answering|reach(?:ed)?|whatsapp)(?: (?:no|number|is|at|on|me|him|her|us|them))*"
            r"[.:# \n]{1,3})(?P<value>\+?\(?\+?\d[\d ().-]{5,18}\d(?:x\d{1,5})?)"
        ),
    ),
    (
        "national_id",
        re.compile(
            r"(?i:\b(?:licen[cs]e|passport|social security|ssn|national insurance|tax|tin|itin|ein|npi|medicare|medicaid|dea)(?:[ -]?(?:id|no\.?|number|num\.?|nr\.?|#))?)"
            r"(?: is| was)?[ :#]{1,3}(?P<value>\d{3} \d\d \d{4}\b|(?=(?:[\w-]*?\d){4})[A-Za-z0-9][\w-]{3,24})"
        ),
    ),
    (
        "record_id",
        re.compile(
            r"(?i:\b(?:MRN|medical record(?: number| no\.?)?|(?:patient|account|acct|policy|claim|case|member|chart|visit|encounter"
            r"|loan|complaint|invoice|reference)[ -]?(?:id|no\.?|number|num\.?|nr\.?|#)))(?: is)?[ :#]{1,3}"
            r"(?P<value>(?=(?:[\w-]*?\d){3})[A-Za-z0-9][\w-]{2,24})"
        ),
    ),
)
"""Kind and pattern of values that the words before them announce, surest first; the group `value` is the value."""
IDENTIFIER_SHAPES: Mapping[str, re.Pattern[str]] = {
    "e-mail": EMAIL,
    "web address": WEB,
    "phone": re.compile(r"(?<!\w)\+?\(?\d{2,4}\)?[ .-]\d{3,4}[ .-]\d{3,6}\b"),
    "bank account": re.compile(r"\b[A-Z]{2}\d{2}(?: ?[A-Z0-9]{4}){3,7}\b"),
    "code": re.compile(r"\b(?=[^\W_]*\d)(?=[^\W_]*[A-Za-z])[^\W_]{6,}\b|\b[A-Z]{1,5}[-/ ]?\d{4,}\b"),
    "number": re.compile(r"\b\d(?:[ -]?\d){5,}\b"),
    "date": re.compile(r"\b\d{1,4}([-/.])\d{1,2}\1\d{1,4}\b"),
    "titled name": re.compile(r"\b(?:Mr|Mrs|Ms|Miss|Dr|Prof)\.? +[A-Z][\w'’-]+(?: [A-Z][\w'’-]+)?"),
    "name": re.compile(r"(?<=[a-z,;:] )[A-Z][a-z'’-]+(?: [A-Z]\.?)?(?: [A-Z][a-z'’-]+)+"),
}
"""Broad patterns of whatever may be an identifier, by its shape alone: no check digits, no model, no extra package.

They have many false positives, so they serve to count replayed identifiers (`paracosm.eval`), not to replace them.
"""
LEAST_SCORE = 0.4
"""Score of a Presidio result from which on it counts."""
FEWEST_PHONE_DIGITS = 7
"""Presidio's lenient phone recognizer also takes a blood pressure of 120/80 for a number."""
CONTEXT_LETTERS = 40


@dataclass(frozen=True)
class Span:
    """Part of a text that identifies a person.

    Attributes:
        start: index of its first character.
        end: index after its last character.
        kind: a key of `kinds.KINDS`.
        by: which detector found it: `pattern`, `list`, `ner`, `doubtful`, `column` or `repeated`.
    """

    start: int
    end: int
    kind: str
    by: str


def spans_by_pattern(text: str, language: str, dates: Sequence[Span] = ()) -> Iterator[Span]:
    """Yield the spans that match a pattern and the dates, surest first; spans may overlap.

    Args:
        text: the text.
        language: language of the text.
        dates: its dates. Numbers that words announce precede them, streets do not.
    """
    yield from _web_spans(text)
    for match in ACCOUNT.finditer(text):
        if iban_is_valid(match.group()):
            yield Span(*match.span(), "bank_account", "pattern")
    full_dates = {(date.start, date.end) for date in dates}
    for kind, pattern in ANNOUNCED:
        for match in pattern.finditer(text):
            if match.span("value") not in full_dates:
                yield Span(*match.span("value"), kind, "pattern")
    yield from _presidio_spans(text, language)
    yield from dates
    for start, end in addresses(text, language):
        yield Span(start, end, "address", "pattern")
    for match in POSTCODE.finditer(text):
        yield Span(*match.span(), "postcode", "pattern")


def _web_spans(text: str) -> Iterator[Span]:
    for pattern, kind in ((EMAIL, "email"), (WEB, "url"), (IP, "ip")):
        for match in pattern.finditer(text):
            if not text[match.start() - 1 : match.start()].isalnum():
                yield Span(match.start(), match.start() + len(match.group().rstrip(".,;:)")), kind, "pattern")


def _presidio_spans(text: str, language: str) -> Iterator[Span]:
    for recognizer, kind in _recognizers(language):
        results = recognizer.analyze(text, recognizer.supported_entities, None)
        for result in sorted(results, key=lambda result: (-result.score, result.start)):
            if result.score >= LEAST_SCORE and _is_plausible(text, recognizer, kind, result):
                yield Span(result.start, result.end, kind, "pattern")


def _is_plausible(text: str, recognizer: Any, kind: str, result: Any) -> bool:
    if kind == "phone":
        return sum(map(str.isdigit, text[result.start : result.end])) >= FEWEST_PHONE_DIGITS
    if kind == "national_id" and recognizer.name.startswith("Nhs"):
        # One in eleven numbers of ten digits passes the check of an NHS number by chance.
        return "nhs" in text[max(0, result.start - CONTEXT_LETTERS) : result.start].casefold()
    return True


@cache
def _recognizers(language: str) -> list[tuple[Any, str]]:
    """Return Presidio's recognizers for a language, each with the kind that it finds."""
    from presidio_analyzer import predefined_recognizers as presidio

    national = {
        "en": ("UsSsnRecognizer", "UsItinRecognizer", "NhsRecognizer", "UkNinoRecognizer"),
        "de": ("DeTaxIdRecognizer", "DeSocialSecurityRecognizer"),
        "es": ("EsNifRecognizer", "EsNieRecognizer"),
        "it": ("ItFiscalCodeRecognizer",),
    }
    return [
        (presidio.CreditCardRecognizer(), "card"),
        *(
            (getattr(presidio, name)(), "national_id")
            for name in national.get(language, ())
            # Older versions of Presidio lack some of them.
            if hasattr(presidio, name)
        ),
        (presidio.PhoneRecognizer(leniency=1), "phone"),
    ]
