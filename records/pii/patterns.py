"""Where a text names a person, by patterns: Presidio's with check digits, and streets and numbers that words announce."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from typing import Any

from paracosm.records.pii.check_digits import iban_is_valid
from paracosm.records.pii.kinds import EMAIL, IP, WEB

LEAST_SCORE = 0.4
CAPITAL = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’.-]*"
STREET = re.compile(
    # 12 North Main Street, 12 Main St Apt 3
    rf"\b\d{{1,6}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:{CAPITAL},? ){{1,4}}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Highway|Hwy|Parkway|Pkwy"
    r"|Terrace|Ter|Trail|Trl|Way|Circle|Cir|Crescent|Close|Loop|Run|Mews|Gardens|Grove)\b\.?(?:,? (?:Apt|Suite|Ste|Unit|Floor|#)\.? ?\w{1,6})?"
    # Hauptstraße 5, Drottninggatan 12
    r"|\b(?:\d{1,6} )?[A-ZÀ-ÖØ-Þ]\w*(?:straße|strasse|str\.|weg|gasse|platz|allee|gatan|vägen|vej|gade|katu|tie|straat|laan|gracht|utca)"
    r" \d{1,4} ?[a-z]?\b"
    # 3 rue de la Paix 12, Calle Mayor 5
    r"|\b(?:\d{1,6} )?(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]alle|[Vv]ia|[Vv]iale|[Pp]iazza|[Pp]laza|[Rr]ua|[Aa]venida|[Ii]mpasse|ul\.) (?:[\w'’.-]+ ){1,5}?\d{1,4}\b"
    # 641 Dašická 688: a number, a street without a word for it, a number
    rf"|(?<![\d.,/-])\b\d{{1,5}} [A-ZÀ-ÖØ-ÞĀ-Ž][a-zà-ÿ'’.-][\w'’.-]+(?: (?:{CAPITAL}|de|del|della|delle|dei|la|las|los|el|van|der|den|do|da|dos|du|des)){{0,4}} \d{{1,4}}(?![\d.,/%-]|\w)"
    r"|\b(?:Apt|Apartment|Suite)\b\.? ?\d{1,5}\b|\bP\.? ?O\.? Box \d{1,6}\b"
)
TAIL = re.compile(
    rf"(?:[ ,\n?]+(?:(?:Apt|Suite|Ste|Unit)\.? ?\d+|{CAPITAL}|\({CAPITAL}\)|[a-z]{{1,3}})){{0,9}}[ ,\n?]+\d{{5}}(?:-\d{{4}})?\b"
)
"""What follows a street up to a postcode."""
POSTCODE = re.compile(
    r"(?<=\b[A-Z]{2} )\d{5}(?:-\d{4})?\b|(?i:(?<=zip code )|(?<=zip code: )|(?<=zip )|(?<=zip: )|(?<=postcode )|(?<=postcode: ))\d{4,6}(?:-\d{4})?\b"
    r"|\b[A-Z]{1,2}\d[A-Z\d]? \d[A-Z]{2}\b|\b[ABCEGHJ-NPRSTVXY]\d[A-Z] \d[A-Z]\d\b"
)
CALLED = re.compile(
    r"(?i:\b(?:phone|mobile|cell|tel|telephone|fax|desk|call(?:ing)?|answering|reach(?:ed)?|whatsapp)(?: (?:no|number|is|at|on|me|him|her|us|them))*"
    r"[.:# \n]{1,3})(?P<value>\+?\(?\+?\d[\d ().-]{5,18}\d(?:x\d{1,5})?)"
)
PAID = re.compile(
    r"(?i:\b(?:card|cc|visa|mastercard|amex|maestro)\b)[\w ]{0,12}[ :#]{1,3}(?P<value>\d(?:[ -]?\d){11,18})\b"
)
NUMBERED = re.compile(
    r"(?i:\b(?:MRN|medical record(?: number| no\.?)?|(?:patient|account|acct|policy|claim|case|member|chart|visit|encounter"
    r"|loan|complaint|invoice|reference)[ -]?(?:id|no\.?|number|num\.?|nr\.?|#)))(?: is)?[ :#]{1,3}"
    r"(?P<value>(?=(?:[\w-]*?\d){3})[A-Za-z0-9][\w-]{2,24})"
)
OFFICIAL = re.compile(
    r"(?i:\b(?:licen[cs]e|passport|social security|ssn|national insurance|tax|npi|medicare|medicaid|dea)(?:[ -]?(?:id|no\.?|number|num\.?|nr\.?|#))?)"
    r"(?: is)?[ :#]{1,3}(?P<value>(?=(?:[\w-]*?\d){4})[A-Za-z0-9][\w-]{3,24})"
)
ACCOUNT = re.compile(r"\b[A-Za-z]{2}\d{2}(?: ?[A-Za-z0-9]{4}){2,7}(?: ?[A-Za-z0-9]{1,3})?\b")
FEWEST_PHONE_DIGITS = 7


@dataclass(frozen=True)
class Span:
    """What names a person in a text: where it stands, its kind, and which detector found it."""

    start: int
    end: int
    kind: str
    by: str


def spans_by_pattern(text: str, language: str) -> Iterator[Span]:
    """Yield what patterns, check digits and the words before a number tell; spans may overlap, the surest come first."""
    for pattern, kind in ((EMAIL, "email"), (WEB, "url"), (IP, "ip")):
        for match in pattern.finditer(text):
            if not text[match.start() - 1 : match.start()].isalnum():
                yield Span(match.start(), match.start() + len(match.group().rstrip(".,;:)")), kind, "pattern")
    for match in ACCOUNT.finditer(text):
        if iban_is_valid(match.group()):
            yield Span(*match.span(), "bank_account", "pattern")
    for recogniser, kind in _recognisers(language):
        found = recogniser.analyze(text, recogniser.supported_entities, None)
        for result in sorted(found, key=lambda each: (-each.score, each.start)):
            # Ten digits pass the check of an NHS number by chance once in eleven times.
            meant = (
                kind != "national_id"
                or not recogniser.name.startswith("Nhs")
                or "nhs" in _before(text, result.start)
            )
            # A blood pressure of 120/80 is a number that somebody could be called on, says the library.
            long = (
                kind != "phone"
                or sum(map(str.isdigit, text[result.start : result.end])) >= FEWEST_PHONE_DIGITS
            )
            if result.score >= LEAST_SCORE and meant and long:
                yield Span(result.start, result.end, kind, "pattern")
    for pattern, kind in (
        (PAID, "card"),
        (CALLED, "phone"),
        (OFFICIAL, "national_id"),
        (NUMBERED, "record_id"),
    ):
        for match in pattern.finditer(text):
            yield Span(*match.span("value"), kind, "pattern")
    for match in STREET.finditer(text):
        tail = TAIL.match(text, match.end())
        yield Span(match.start(), tail.end() if tail else match.end(), "address", "pattern")
    for match in POSTCODE.finditer(text):
        yield Span(*match.span(), "postcode", "pattern")


def _before(text: str, start: int) -> str:
    return text[max(0, start - 40) : start].casefold()


@cache
def _recognisers(language: str) -> list[tuple[Any, str]]:
    from presidio_analyzer import predefined_recognizers as presidio

    own = {
        "en": ("UsSsnRecognizer", "UsItinRecognizer", "NhsRecognizer", "UkNinoRecognizer"),
        "de": ("DeTaxIdRecognizer", "DeSocialSecurityRecognizer"),
        "es": ("EsNifRecognizer", "EsNieRecognizer"),
        "it": ("ItFiscalCodeRecognizer",),
    }
    found = [
        (presidio.CreditCardRecognizer(), "card"),
        *(
            (getattr(presidio, name)(), "national_id")
            for name in own.get(language, ())
            if hasattr(presidio, name)
        ),
        (presidio.PhoneRecognizer(leniency=1), "phone"),
    ]
    return found
