"""Date shifting: detection of dates in texts, and the same dates some days later in the same notation."""

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
"""Dates with a year outside this range stand for `never` or `unknown`, and are not shifted."""
SUFFIXES = {1: "st", 2: "nd", 3: "rd"}
ENGLISH_SUFFIXES = ("st", "nd", "rd", "th")


@dataclass(frozen=True)
class TextDate:
    """A date in a text.

    Attributes:
        start: index of its first character.
        end: index after its last character.
        match: groups of its parts: `y` year, `m` month, `d` day, `a` and `b` day and month in the order of the language,
            `w` name of the month, `s` suffix of the day, `p` separator.
    """

    start: int
    end: int
    match: re.Match[str]


class DateShifter:
    """Finds and shifts the dates of texts in one language."""

    def __init__(self, language: str, *, day_first: bool | None = None):
        """Compile the patterns of a language.

        Args:
            language: one of `LANGUAGES`.
            day_first: whether 3/4/2021 is the 3rd of April; None takes the convention of the language.
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
        """Return the dates of a text, in order; durations, weekdays and years alone do not count."""
        dates: list[TextDate] = []
        for pattern in self._patterns:
            for match in pattern.finditer(text):
                free = all(match.end() <= date.start or match.start() >= date.end for date in dates)
                if free and self._is_date(match) and self._moment(match) is not None:
                    dates.append(TextDate(match.start(), match.end(), match))
        return sorted(dates, key=lambda date: date.start)

    def shifted(self, date: TextDate, days: int) -> str:
        """Return the text of a date that is `days` later, in the same notation."""
        moment = self._moment(date.match)
        assert moment is not None
        if not EARLIEST <= moment.year <= LATEST:
            return date.match.group()
        return _with_parts(date.match, self._new_parts(date.match, moment + timedelta(days=days)))

    def _is_date(self, match: re.Match[str]) -> bool:
        """Return whether a month and a day without a year are a date: `may 5` and `march 3` in small letters are verbs."""
        groups = match.groupdict()
        word = groups.get("w")
        if not word or groups.get("y") or word[0].isupper() or groups.get("s") in ENGLISH_SUFFIXES:
            return True
        return len(word) > 3 and word != "march" and match.group()[0].isalpha()

    def _moment(self, match: re.Match[str]) -> datetime | None:
        groups = match.groupdict()
        year = _year(groups.get("y"))
        if groups.get("a"):
            first, second = int(groups["a"]), int(groups["b"])
            day, month = (first, second) if self._has_day_first(first, second) else (second, first)
        else:
            day = int(groups.get("d") or 15)
            month = self._numbers[groups["w"].casefold()] if groups.get("w") else int(groups["m"])
        try:
            return datetime(year, month, day)
        except ValueError:
            return None

    def _has_day_first(self, first: int, second: int) -> bool:
        return self.day_first if max(first, second) <= 12 else first > 12

    def _new_parts(self, match: re.Match[str], moment: datetime) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and new text of every part of a date."""
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
            yield *match.span("w"), self._month_name(groups["w"], moment.month)
        if groups.get("y"):
            yield *match.span("y"), _year_text(groups["y"], moment.year)

    def _month_name(self, word: str, month: int) -> str:
        new = self.months[month - 1]
        if word.casefold() not in [month.casefold() for month in self.months] or len(word) == 3 == len(new):
            new = new[: max(3, len(word))] if len(word) < 5 else new
        return new.upper() if word.isupper() else new.lower() if word.islower() else new.capitalize()


def shifted_moment(moment: datetime, days: int) -> datetime:
    """Return a datetime that is `days` later; one that stands for `never` or `unknown` stays."""
    return moment + timedelta(days=days) if EARLIEST <= moment.year <= LATEST else moment


def _year(text: str | None) -> int:
    if text is None:
        return 2001
    number = int(text.strip("'"))
    if len(text.strip("'")) == 4:
        return number
    return number + (2000 if number < 69 else 1900)


def _year_text(old: str, year: int) -> str:
    return f"'{year % 100:02d}" if old[0] == "'" else f"{year % 100:02d}" if len(old) == 2 else f"{year:04d}"


def _padded(old: str, number: int, *, in_words: bool) -> str:
    """Return a day or month in two digits if `old` has two digits; beside the name of a month, if `old` begins with 0."""
    return f"{number:02d}" if (old[0] == "0" if in_words else len(old) == 2) else str(number)


def _with_parts(match: re.Match[str], parts: Iterator[tuple[int, int, str]]) -> str:
    pieces, position = [], match.start()
    for start, end, new in sorted(parts):
        pieces += [match.string[position:start], new]
        position = end
    return "".join([*pieces, match.string[position : match.end()]])
