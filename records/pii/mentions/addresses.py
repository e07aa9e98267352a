"""Addresses in texts: streets with and without a word for them, boxes and military post, with the town after them."""

import re
from collections.abc import Iterator
from functools import cache

from paracosm.records.pii.lexicon.common_words import word_set
from paracosm.records.pii.lexicon.regions import countries, states

CAPITALIZED = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’.-]*"
STREET = re.compile(
    # 12 North Main Street, 12 Main St Apt 3
    rf"\b(?:\d{{1,6}} )?\d{{1,6}}[A-Za-z]?,? (?:[NSEW]\.? )?(?:{CAPITALIZED},? ){{1,4}}"
    r"(?:Street|St|Avenue|Ave|Road|Rd|Boulevard|Blvd|Lane|Ln|Drive|Dr|Court|Ct|Place|Pl|Square|Sq|Highway|Hwy|Parkway|Pkwy"
    r"|Terrace|Ter|Trail|Trl|Way|Circle|Cir|Crescent|Close|Loop|Run|Mews|Gardens|Grove)\b\.?(?:,? (?:(?:Apt|Apartment|Suite|Ste|Unit|Floor|Room|Rm)\.? ?#?|#)\w{1,6})?"
    # Hauptstraße 5, Drottninggatan 12
    r"|\b(?:\d{1,6} )?[A-ZÀ-ÖØ-Þ]\w*(?:straße|strasse|str\.|weg|gasse|platz|allee|gatan|vägen|vej|gade|katu|tie|straat|laan|gracht|utca)"
    r" \d{1,4} ?[a-z]?\b"
    # 3 rue de la Paix 12, Calle Mayor 5
    r"|\b(?:\d{1,6} )?(?:[Rr]ue|[Aa]venue|[Bb]oulevard|[Cc]alle|[Vv]ia|[Vv]iale|[Pp]iazza|[Pp]laza|[Rr]ua|[Aa]venida|[Ii]mpasse|ul\.) (?:[\w'’.-]+ ){1,5}?\d{1,4}\b"
    r"|\b(?:Apt|Apartment|Suite)\b\.? ?#?\d{1,5}[A-Z]?\b|\bP\.? ?O\.? Box \d{1,6}\b"
)
UNNAMED_STREET = re.compile(
    rf"(?<![\d.,/-])\b\d{{1,5}} (?P<street>[A-ZÀ-ÖØ-ÞĀ-Ž][a-zà-ÿ'’.-][\w'’.-]+(?: (?:{CAPITALIZED}|de|del|della|delle|dei|la|las|los|el|van|der|den|do|da|dos|du|des)){{0,4}}) \d{{1,4}}(?![\d/%-]|[.,]\d|\w)"
)
"""641 Dašická 688: a number, a street without a word for it, a number. So are `Temp 37 Pulse 72` and `2 Tylenol 500`."""
BEFORE_STREET = re.compile(
    r"(?:\b(?:address(?: is)?|addr|liv(?:es?|ing|ed) (?:at|in|on)|resid(?:es?|ing|ed) at|home|located at|moved to|stay(?:s|ing)? at|deliver(?:ed)? to"
    r"|sent to|ship(?:ped)? to|mail(?:ed)? to|office (?:is )?at|street|visit us at|based at)[ :,\n]+)$",
    re.I,
)
AFTER_STREET = re.compile(
    rf",?[ \n?]+(?:(?:Apt|Suite|Ste|Unit)\.? ?#?\d+|\d{{4,6}}\b|{CAPITALIZED}(?: {CAPITALIZED}){{0,3}},?[ \n?]+(?:[A-Z]{{2}}\b|\d{{4,6}}\b))"
)
"""A unit, or a town with its state or postcode."""
STREET_TAIL = re.compile(
    rf"(?:[ ,\n?]+(?:(?:Apt|Suite|Ste|Unit)\.? ?\d+|{CAPITALIZED}|\({CAPITALIZED}\)|[a-z]{{1,3}})){{0,9}}[ ,\n?]+\d{{5}}(?:-\d{{4}})?\b"
)
"""What follows a street, up to and including a postcode."""
STREET_WORD = r"[A-ZÀ-ÖØ-ÞĀ-Ž][\w'’-]*"
MORE_STREETS = re.compile(
    # Paseo del Prado 81, C/ Mayor 5, Postfach 53
    r"(?<!\w)(?:\d{1,6} )?(?:Paseo|Carrera|Camino|Ronda|Passeig|Carrer|C/|Avda\.?|Rúa|Chemin|Allée|Quai|Largo|Corso|Strada|Postbox"
    r"|Postboks|Postfach|Λεωφόρος|Πλατεία|Οδός) (?:[\w'’.-]+ ){0,5}?\d{1,4}\b"
    # Dalbraut 99, Lyngveien 46, Kauppakuja 3
    r"|\b(?:\d{1,6} )?[A-ZÀ-ÖØ-Þ]\w*(?:vegur|braut|stræti|veien|väg|gränd|stigen|stien|kuja|polku|tänav|terrasse|dreef|plein"
    r"|plantsoen|singel|gata) \d{1,4}\b"
    # Hoge Wei 32 St., Hansinegata 120 street
    rf"|\b(?:\d{{1,6}} )?{STREET_WORD}(?: {STREET_WORD}){{0,3}} \d{{1,4}}\.?,? (?:[Ss]treet\b|[Ss]t\.(?=\s|$))"
    # 2505 Heatherleigh Suite 620
    rf"|(?<![\d.,/-])\b(?:\d{{1,6}} )?\d{{1,6}} {STREET_WORD}(?: {STREET_WORD}){{0,3}}[ ,\n?]+(?:Apt|Suite|Ste)\.? ?#?\d{{1,5}}\b"
    # the corner of Bygget 64 and Komel Club
    rf"|(?<=corner of )(?:\d{{1,5}} )?{STREET_WORD}(?: {STREET_WORD}){{0,3}}(?: \d{{1,4}})? and (?:\d{{1,5}} )?{STREET_WORD}(?: {STREET_WORD}){{0,3}}(?: \d{{1,4}}\b)?"
    # 605 whatever lane 210 apt. 99, in any case
    r"|(?<![\d.,/-])\b(?:\d{1,6} )?\d{1,6} (?:[^\W\d_][\w'’.-]* ){1,4}\d{1,4}[ ,\n?]+(?i:apt|suite|ste)\.? ?#?\d{1,5}\b"
)
MILITARY = re.compile(
    r"\b(?:PSC \d{1,6},? Box \d{1,6}|Unit \d{1,6},? Box \d{1,6}|US(?:S|NS|NV|CGC) [A-Za-z][\w'’.-]+)[,\s]+[AFD]PO,? A[AEP] \d{5}\b",
    re.I,
)
"""Addresses of the military post of the United States."""
UNIT = r"(?:Apartment|Apt|Suite|Ste|Unit|Flat)\.? ?#?\d{1,5}[A-Za-z]?\b"
TOWN_WORD = r"(?!(?:Dr|Mr|Mrs|Ms|Prof)\b)[A-ZÀ-ÖØ-ÞĀ-ŽΑ-ΩΆ-Ώ∆А-Я][\w'’-]*(?![\w:.])"
TOWN_NAME = (
    rf"{TOWN_WORD}(?:[ -](?:{TOWN_WORD}|de|del|do|da|di|la|le|am|an der|sur|of)){{0,4}}(?: \({TOWN_WORD}\))?"
)
BETWEEN = r"[ ,\n?]+"
NOT_STREET = word_set(
    "temp temperature pulse resp weight height bp hr rr rate over level stage grade type class score room bed page item section article"
    " title chapter schedule exhibit rule part day days week month year hour lot block dose para sat flow days units u.s.c usc cfr"
    " u.s.c."
)
"""Words between two numbers that show measurements, references or terms."""


def addresses(text: str, language: str) -> list[tuple[int, int]]:
    """Return start and end of each address of a text, in order; what overlaps is one address.

    Args:
        text: the text.
        language: language of the text.
    """
    found = [match.span() for match in MILITARY.finditer(text)]
    found += [_with_town(text, match) for match in (*STREET.finditer(text), *MORE_STREETS.finditer(text))]
    # A street without a word for it may run into the next sentence, so that a surer one precedes it.
    for match in _unnamed_streets(text, language):
        if all(match.end() <= start or match.start() >= end for start, end in found):
            found.append(_with_town(text, match))
    joined: list[tuple[int, int]] = []
    for start, end in sorted(found):
        if joined and start < joined[-1][1]:
            joined[-1] = (joined[-1][0], max(end, joined[-1][1]))
        else:
            joined.append((start, end))
    return joined


def _with_town(text: str, street: re.Match[str]) -> tuple[int, int]:
    tail = STREET_TAIL.match(text, street.end()) or _town().match(text, street.end())
    return street.start(), tail.end() if tail else street.end()


@cache
def _town() -> re.Pattern[str]:
    """Return the pattern of units and a town after a street, which a country, a state or a unit shows to be one."""
    lands = "|".join(sorted(map(re.escape, countries()), key=len, reverse=True))
    of_states = "|".join(sorted(map(re.escape, states())))
    return re.compile(
        rf"(?:{BETWEEN}{UNIT}){{0,2}}{BETWEEN}{TOWN_NAME}{BETWEEN}(?:{TOWN_NAME}{BETWEEN})?(?:{lands})\b(?: \(\w+\))?(?:{BETWEEN}\d{{4,6}}\b)?"
        rf"|(?:{BETWEEN}{UNIT}){{0,2}}{BETWEEN}{TOWN_NAME}{BETWEEN}(?:(?:{of_states})\b(?: \d{{5}}(?:-\d{{4}})?\b)?|[A-Z]{{1,3}}{BETWEEN}\d{{4,6}}\b)"
        rf"|(?:{BETWEEN}{UNIT}){{1,2}}(?:{BETWEEN}{TOWN_NAME}(?:{BETWEEN}\d{{4,6}}\b)?)?"
    )


def _unnamed_streets(text: str, language: str) -> Iterator[re.Match[str]]:
    """Yield the streets without a word for a street that something else shows to be an address."""
    for match in UNNAMED_STREET.finditer(text):
        words = match["street"].split()
        if any(word.casefold().strip(".,") in NOT_STREET for word in words):
            continue
        if (
            not match["street"].isascii()
            or BEFORE_STREET.search(text[max(0, match.start() - 24) : match.start()])
            or AFTER_STREET.match(text, match.end())
            or (language != "en" and len(words) > 1)
        ):
            yield match
