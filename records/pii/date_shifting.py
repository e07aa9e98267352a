"""Dates in texts: found however they are written, and moved by some days in the same writing."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

MONTHS = tuple(
    months.split()
    for months in (
        "January February March April May June July August September October November December",
        "Januar Februar März April Mai Juni Juli August September Oktober November Dezember",
        "enero febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre",
        "janvier février mars avril mai juin juillet août septembre octobre novembre décembre",
        "gennaio febbraio marzo aprile maggio giugno luglio agosto settembre ottobre novembre dicembre",
        "januari februari maart april mei juni juli augustus september oktober november december",
        "janeiro fevereiro março abril maio junho julho agosto setembro outubro novembro dezembro",
    )
)
LANGUAGES = ("en", "de", "es", "fr", "it", "nl", "pt")
EARLIEST, LATEST = 1880, 2150
"""Years outside stand for `never` or `unknown`, and stay."""
SUFFIXES = {1: "st", 2: "nd", 3: "rd"}
ENGLISH_SUFFIXES = ("st", "nd", "rd", "th")


@dataclass(frozen=True)
class TextDate:
    """A date in a text: where it stands, and where its day, month and year stand in it."""

    start: int
    end: int
    match: re.Match[str]


class DateWriting:
    """How dates are written in one language."""

    def __init__(self, language: str, *, day_first: bool | None = None):
        """Take the months of a language.

        Args:
            language: one of `LANGUAGES`.
            day_first: whether 3/4/2021 is the 3rd of April; the language's habit when None.
        """
        self.months = MONTHS[LANGUAGES.index(language)]
        self.day_first = (language != "en") if day_first is None else day_first
        full = {month.casefold(): number for number, month in enumerate(self.months, start=1)}
        short = [(month[:width].casefold(), number) for width in (3, 4) for month, number in full.items()]
        self._numbers = {
            word: number for word, number in short if len({n for w, n in short if w == word}) == 1
        }
        self._numbers |= full
        words = "|".join(sorted(map(re.escape, self._numbers), key=len, reverse=True))
        year = r"(?P<y>(?:1[89]|20|21)\d\d|'\d\d)"
        day = r"(?P<d>[12]\d|3[01]|0?[1-9])(?P<s>st|nd|rd|th|º|\.)?"
        month = rf"(?P<w>{words})\b\.?"
        self._patterns = (
            re.compile(
                r"(?<![\d/.-])(?P<y>\d{4})(?P<p>[-/.])(?P<m>\d{1,2})(?P=p)(?P<d>\d{1,2})(?![\d/-]|\.\d)"
            ),
            re.compile(
                r"(?<![\d/.-])(?P<a>\d{1,2})(?P<p>[-/.])(?P<b>\d{1,2})(?P=p)(?P<y>\d{4}|\d\d)(?![\d/-]|\.\d)"
            ),
            re.compile(rf"\b{month}[ ,-]+(?:the )?{day}(?:,? +(?:of )?|[, -]+){year}\b", re.I),
            re.compile(rf"(?<![\d.]){day}[ -]+(?:of |de )?{month},?[ -]+(?:of |de )?{year}\b", re.I),
            re.compile(rf"\b{month}(?: +of)?,? +{year}\b", re.I),
            re.compile(
                rf"\b{month} +(?:the )?{day}(?![\d%]|[.,:/]\d| ?(?:mg|ml|%|units?|patients?)\b)(?=\W|$)", re.I
            ),
            re.compile(rf"(?<![\d.]){day} +(?:of |de )?{month}(?=\W|$)", re.I),
        )

    def find(self, text: str) -> list[TextDate]:
        """Return the dates of a text, in order; a span of time, a weekday or a bare year is none."""
        found: list[TextDate] = []
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                free = all(match.end() <= each.start or match.start() >= each.end for each in found)
                if free and self._is_meant(match) and self._moment(match) is not None:
                    found.append(TextDate(match.start(), match.end(), match))
        return sorted(found, key=lambda each: each.start)

    def shifted(self, date: TextDate, days: int) -> str:
        """Return the date's text, moved by `days` and written in the same way."""
        moment = self._moment(date.match)
        assert moment is not None
        if not EARLIEST <= moment.year <= LATEST:
            return date.match.group()
        return _written(date.match, self._pieces(date.match, moment + timedelta(days=days)))

    def _is_meant(self, match: re.Match[str]) -> bool:
        """Return whether a month's name without a year is one: `may 5` and `march 3` in small letters are verbs."""
        groups = match.groupdict()
        word = groups.get("w")
        if not word or groups.get("y") or word[0].isupper() or groups.get("s") in ENGLISH_SUFFIXES:
            return True
        return len(word) > 3 and word != "march" and match.group()[0].isalpha()

    def _moment(self, match: re.Match[str]) -> datetime | None:
        groups = match.groupdict()
        year = _year(groups.get("y"))
        if groups.get("a"):
            one, other = int(groups["a"]), int(groups["b"])
            day, month = (one, other) if self._has_day_first(one, other) else (other, one)
        else:
            day = int(groups.get("d") or 15)
            month = self._numbers[groups["w"].casefold()] if groups.get("w") else int(groups["m"])
        try:
            return datetime(year, month, day)
        except ValueError:
            return None

    def _has_day_first(self, one: int, other: int) -> bool:
        return self.day_first if max(one, other) <= 12 else one > 12

    def _pieces(self, match: re.Match[str], moment: datetime) -> Iterator[tuple[int, int, str]]:
        groups = match.groupdict()
        if groups.get("a"):
            is_first = self._has_day_first(int(groups["a"]), int(groups["b"]))
            first, second = (moment.day, moment.month) if is_first else (moment.month, moment.day)
            yield *match.span("a"), _padded(groups["a"], first, in_words=False)
            yield *match.span("b"), _padded(groups["b"], second, in_words=False)
        if groups.get("m"):
            yield *match.span("m"), _padded(groups["m"], moment.month, in_words=False)
        if groups.get("d"):
            yield *match.span("d"), _padded(groups["d"], moment.day, in_words=bool(groups.get("w")))
        if groups.get("s") in ENGLISH_SUFFIXES:
            ending = "th" if 10 < moment.day < 14 else SUFFIXES.get(moment.day % 10, "th")
            yield *match.span("s"), ending
        if groups.get("w"):
            yield *match.span("w"), self._month_like(groups["w"], moment.month)
        if groups.get("y"):
            yield *match.span("y"), _year_like(groups["y"], moment.year)

    def _month_like(self, word: str, month: int) -> str:
        new = self.months[month - 1]
        if word.casefold() not in [each.casefold() for each in self.months] or len(word) == 3 == len(new):
            new = new[: max(3, len(word))] if len(word) < 5 else new
        return new.upper() if word.isupper() else new.lower() if word.islower() else new.capitalize()


def shifted_moment(moment: datetime, days: int) -> datetime:
    """Return a moment moved by `days`; one that stands for `never` or `unknown` stays."""
    return moment + timedelta(days=days) if EARLIEST <= moment.year <= LATEST else moment


def _year(text: str | None) -> int:
    if text is None:
        return 2001
    number = int(text.strip("'"))
    if len(text.strip("'")) == 4:
        return number
    return number + (2000 if number < 69 else 1900)


def _year_like(old: str, year: int) -> str:
    return f"'{year % 100:02d}" if old[0] == "'" else f"{year % 100:02d}" if len(old) == 2 else f"{year:04d}"


def _padded(old: str, number: int, *, in_words: bool) -> str:
    """Return a day or a month in two digits where `old` has two; beside a month's name only where it has a zero."""
    return f"{number:02d}" if (old[0] == "0" if in_words else len(old) == 2) else str(number)


def _written(match: re.Match[str], pieces: Iterator[tuple[int, int, str]]) -> str:
    out, place = [], match.start()
    for start, end, new in sorted(pieces):
        out += [match.string[place:start], new]
        place = end
    return "".join([*out, match.string[place : match.end()]])
