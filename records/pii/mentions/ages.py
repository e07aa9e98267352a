"""Ages of persons in running text: `93-year-old`, `aged 93`, `93F`, `ninety-three years old`."""

import re
from collections.abc import Iterator
from functools import cache

TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
ONES = ("one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
WORDS = {
    **{ten: 10 * index for index, ten in enumerate(TENS, start=2)},
    **{
        f"{ten} {one}": 10 * index + unit
        for index, ten in enumerate(TENS, start=2)
        for unit, one in enumerate(ONES, start=1)
    },
    **{f"{hundred} hundred": 100 for hundred in ("one", "a")},
    **{
        f"{hundred} hundred{joint} {one}": 100 + unit
        for hundred in ("one", "a")
        for joint in ("", " and")
        for unit, one in enumerate(ONES, start=1)
    },
}
"""English number words, with a blank in place of a hyphen -> the number, from 20 to 109."""
UNITS = {
    "en": r"years?|yrs?|y/?o|y\.? ?o\b",
    "de": r"jahren?\b|jährige[rnsm]?\b|jährig\b|j\.",
    "es": r"años",
    "fr": r"ans\b",
    "it": r"anni\b|enne\b",
    "nl": r"jaar\b|jarige?\b",
    "pt": r"anos\b",
}
BEFORE = {
    "en": r"age(?:d)?(?: of| is|:| =|=)?|turn(?:s|ed|ing)",
    "de": r"alter:?|im alter von",
    "es": r"edad:?|edad de",
    "fr": r"[âa]g[ée]e?s? de|[âa]ge ?:?",
    "it": r"et[àa]:?|et[àa] di",
    "nl": r"leeftijd:?|leeftijd van",
    "pt": r"idade:?|idade de",
}
TEMPERATURE = re.compile(
    r"\b(?:t|tmax|temp\w*|fever\w*|febrile|afebrile|heat\w*|oven)\b[^.;\n]{0,24}$", re.IGNORECASE
)
TERM_OF_YEARS = re.compile(
    r"\b(?:for|term of|period of|lease of|within|over|past|last|next|every|after|in|these)"
    r"(?: the| a| some| up to)?(?: (?:last|past|next|over))? $",
    re.IGNORECASE,
)
OF_AGE = re.compile(
    r"[ -]?(?:years?|yrs?|jahren?|y)?\.?[ -]?(?:old|of age|alt\b|o\b)|[ -]?y\.?/?o", re.IGNORECASE
)


@cache
def _pattern(language: str) -> re.Pattern[str]:
    digits = r"(?P<{}>1[0-3]\d|\d\d)"
    forms = [
        rf"\b{digits.format('unit')}(?=[ -]?(?:{UNITS[language]}))",
        rf"\b(?:{BEFORE[language]}) {{0,2}}{digits.format('after')}\b(?![.,/:-]\d|%| ?(?:mg|kg|cm|percent|days?|weeks?|months?)\b)",
    ]
    if language == "en":
        words = "|".join(sorted((word.replace(" ", "[- ]") for word in WORDS), key=len, reverse=True))
        forms += [
            rf"\b{digits.format('sex')}(?=[MF]\b(?! ?(?:\(|temp|fever|degrees)))",
            rf"\b(?P<word>{words})(?=[ -](?:years?|yrs?|y/?o|y\.o\b))",
            rf"\b(?:aged|age|age of|turn(?:s|ed|ing)|was|is) (?P<said>{words})\b(?![- ]?(?:percent|days?|weeks?|months?|dollars?|hundred|thousand))",
        ]
    return re.compile("|".join(forms), re.IGNORECASE)


def find_ages(text: str, language: str) -> Iterator[tuple[int, int, int]]:
    """Yield start, end and number of the ages in a text; terms of years and temperatures do not count.

    Args:
        text: the text.
        language: one of the keys of `UNITS`.
    """
    for match in _pattern(language).finditer(text):
        kind = match.lastgroup or ""
        value, before = match[kind], text[max(0, match.start() - 40) : match.start()]
        if kind == "sex" and (not text[match.end()].isupper() or TEMPERATURE.search(before)):
            continue
        if (
            kind in ("unit", "word")
            and TERM_OF_YEARS.search(before)
            and not OF_AGE.match(text, match.end(kind))
        ):
            continue
        yield (
            *match.span(kind),
            int(value) if value.isdecimal() else WORDS[re.sub(r"[- ]+", " ", value.casefold())],
        )
