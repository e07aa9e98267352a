"""Keys by the shape of their cells: addresses of networks, hashes, UUIDs, links and long numbers; and cells that are never keys."""

import re
from collections.abc import Collection, Mapping
from itertools import islice

from paracosm.records.formats.coordinate_pairs import are_pairs
from paracosm.records.formats.datetimes.months import MONTHS, SHORT_MONTHS
from paracosm.records.formats.identifier_pattern import shape
from paracosm.records.formats.numbers.affixes import CURRENCIES

HEX = "[0-9a-fA-F]"
UUID = rf"{HEX}{{8}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{4}}-{HEX}{{12}}"
KEY_SHAPES = {
    "e-mail addresses": re.compile(r"[^@\s]+@[^@\s]+\.[A-Za-z]{2,}"),
    "UUIDs": re.compile(rf"{UUID}|\{{{UUID}\}}|urn:uuid:{UUID}"),
    "hashes": re.compile(rf"(?:0x)?(?:{HEX}{{32}}|{HEX}{{40}}|{HEX}{{56}}|{HEX}{{64}}|{HEX}{{96}}|{HEX}{{128}})"),
    "IP addresses": re.compile(r"(?:\d{1,3}\.){3}\d{1,3}(?:/\d{1,2}|:\d{1,5})?|(?=.*::|(?:[^:]*:){7})[0-9a-fA-F:]{2,39}(?:/\d{1,3})?"),
    "MAC addresses": re.compile(rf"{HEX}{{2}}(?:[:-]{HEX}{{2}}){{5}}|(?:{HEX}{{4}}\.){{2}}{HEX}{{4}}"),
    "links": re.compile(r"[a-z][a-z0-9+.-]{1,11}://\S+|www\.\S+"),
}  # fmt: skip
DIRECT = ("e-mail addresses", "UUIDs")
"""Keys of persons or records even where few differ."""
LONG_NUMBER = re.compile(r"[+(]?\d[\d ()./-]*\d", re.ASCII)
FEWEST_DIGITS = 9
"""Digits of a long number with separators, such as of a phone or a social security number."""
LONG_WIDTH = 10
"""Digits from which on whole numbers of one width are keys rather than quantities."""
MOST_SHAPES = 3
EPOCHS = ((10**9, 22 * 10**8), (10**12, 22 * 10**11), (10**15, 22 * 10**14), (10**18, 22 * 10**17))
"""Seconds, milliseconds, microseconds and nanoseconds since 1970, from 2001 to 2039."""
MOST_ROUNDED = 0.05
"""Share of numbers that end in 000 above which they are amounts: keys do so in 1 of 1,000 cases."""
LETTERS = re.compile(r"[^\W\d_]+")
WORD = re.compile(r"\S+")
QUANTITY_WORDS = frozenset(
    WORD.findall(
        "am pm t z utc gmt cet cest est edt cst cdt mst mdt pst pdt bst day days hour hours hr hrs h min mins minute"
        " minutes sec secs s ms d week weeks month months year years yr yrs kg g mg µg ug ng lb lbs oz l ml dl cl µl km m"
        " cm mm nm ft in mmhg bpm iu mol mmol k mio mrd tsd cr dr e n w ne nw se sw x point multipoint linestring polygon srid uhr 年 月 日 時 时 分 秒 元 円 圆 万 年 원 년 월 일 명 人 個 个 บาท"
    )
) | {currency.strip(".").lower() for currency in CURRENCIES} | {
    name.rstrip(".").lower() for names in (*MONTHS.values(), *SHORT_MONTHS.values()) for name in names
}  # fmt: skip
MOSTLY = 0.9
SAMPLE = 2000
"""Cells whose shapes are looked at."""


def direct_shape(cells: Collection[str]) -> str | None:
    """Return what all cells are if their shape alone makes them identifiers, however often they repeat, or None."""
    first = next(iter(cells))
    for kind in DIRECT:
        pattern = KEY_SHAPES[kind]
        if pattern.fullmatch(first) and all(map(pattern.fullmatch, cells)):
            return kind
    return None


def key_shape(cells: Collection[str]) -> str | None:
    """Return what kind of key all cells have the shape of, such as `hashes`, or None."""
    first = next(iter(cells))
    for kind, pattern in KEY_SHAPES.items():
        if pattern.fullmatch(first) and all(map(pattern.fullmatch, cells)):
            return kind
    if _are_long_numbers(cells):
        return "long numbers of one shape"
    return None


def are_long_keys(numbers: Mapping[int, int], width: int) -> bool:
    """Return whether whole numbers of one width look like keys: ten digits or more, not rounded, and not seconds since 1970."""
    if width < LONG_WIDTH:
        return False
    low, high = min(numbers), max(numbers)
    if any(first <= low and high < last for first, last in EPOCHS):
        return False
    return sum(number % 1000 == 0 for number in numbers) <= MOST_ROUNDED * len(numbers)


def are_quantities(cells: Collection[str]) -> bool:
    """Return whether cells consist of digits and punctuation, with months, currencies and units at most: never a key by default."""
    sample = list(islice(cells, SAMPLE))
    return sum(map(_is_quantity, sample)) >= MOSTLY * len(sample)


def _is_quantity(cell: str) -> bool:
    return any(map(str.isdecimal, cell)) and all(
        word.lower() in QUANTITY_WORDS for word in LETTERS.findall(cell)
    )


def _are_long_numbers(cells: Collection[str]) -> bool:
    if are_pairs(cells):
        return False
    if not all(map(LONG_NUMBER.fullmatch, cells)):
        return False
    sample = list(islice(cells, SAMPLE))
    if len({shape(cell) for cell in sample}) > MOST_SHAPES:
        return False
    return all(sum(map(str.isdecimal, cell)) >= FEWEST_DIGITS for cell in sample)
