"""A person's name, part by part: `Dr. John A. Smith`, `SMITH, John` and `Mrs. Smith` have parts in common."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from paracosm.records.pii.lexicon.name_lists import NameLists

Role = Literal["given", "family", "initial", "kept"]
PART = re.compile(r"(?<![^\W\d_]['’])[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FEMALE_TITLES = _words("mrs ms miss frau mme madame mlle signora sra señora mevrouw dona")
MALE_TITLES = _words("mr mister herr sir monsieur signor sr señor meneer dom")
TITLES = (
    FEMALE_TITLES
    | MALE_TITLES
    | _words("dr doctor prof professor rev father sister judge justice nurse officer hon dott")
)
ENDINGS = _words("jr sr ii iii iv md do phd rn np pa esq dds facp mph msw lcsw pharmd cpa msn bsn")
PARTICLES = _words("von van de der den del della di da dos du la le el al bin ibn ter zu zur und and y e st")
TITLED = re.compile(rf"\b(?:{'|'.join(sorted(TITLES, key=len, reverse=True))})\b ?\.?[ \t]+$", re.IGNORECASE)


@dataclass(frozen=True)
class Part:
    """One word of a name, and what it is there."""

    text: str
    start: int
    end: int
    role: Role

    @property
    def key(self) -> str:
        return self.text.casefold()


def parts_of(name: str, lists: NameLists, *, column: str = "full", titled: bool = False) -> list[Part]:
    """Return the words of a name with their roles; titles, academic endings and particles are `kept`.

    Args:
        name: a cell, or a span of a text.
        lists: tell whether a single word is a given or a family name.
        column: `given`, `family` or `full`: what the column that it stands in holds.
        titled: whether a title stands before it, so that a single word is a family name.
    """
    found = [(match.group(), match.start(), match.end()) for match in PART.finditer(name)]
    is_name = [word.casefold() not in TITLES | ENDINGS | PARTICLES for word, *_ in found]
    if not any(is_name):
        # `Dr. Le` and a column of surnames hold particles that are all there is of the name.
        is_name = [word.casefold() not in TITLES for word, *_ in found]
    titled = titled or any(word.casefold() in TITLES for word, *_ in found)
    names = [number for number, counts in enumerate(is_name) if counts]
    comma = name.find(",")
    before = [number for number in names if found[number][1] < comma]
    inverted = 0 < len(before) < len(names)
    family = set(before) if inverted else _family_places(name, found, names, lists, column, titled)
    return [
        Part(word, start, end, _role(word, number, is_name[number], family, column))
        for number, (word, start, end) in enumerate(found)
    ]


def _role(word: str, number: int, is_name: bool, family: set[int], column: str) -> Role:
    if not is_name:
        return "kept"
    if len(word) == 1:
        return "initial"
    return "family" if number in family and column != "given" else "given"


def _family_places(
    name: str,
    found: list[tuple[str, int, int]],
    names: list[int],
    lists: NameLists,
    column: str,
    titled: bool,
) -> set[int]:
    if column == "family":
        return set(names)
    if column == "given" or not names:
        return set()
    last = names[-1]
    hyphened = _hyphened(name, found, names, last)
    if len(names) > len(hyphened):
        return hyphened
    return hyphened if titled or not lists.is_rather_given(found[last][0]) else set()


def _hyphened(name: str, found: list[tuple[str, int, int]], names: list[int], last: int) -> set[int]:
    """Return the last word's number and those before it that a hyphen ties to it (`Smith-Jones`)."""
    places = {last}
    for number in reversed(names[:-1]):
        if name[found[number][2] : found[number + 1][1]] != "-" or number + 1 not in places:
            break
        places.add(number)
    return places


def is_titled(text: str, start: int) -> bool:
    """Return whether a title ends right before `start`."""
    return TITLED.search(text[max(0, start - 16) : start]) is not None


def title_gender(text: str, start: int) -> str | None:
    """Return `female` or `male` where the title before `start` says so."""
    found = TITLED.search(text[max(0, start - 16) : start])
    word = found.group().strip(" .\t").casefold() if found else ""
    return "female" if word in FEMALE_TITLES else "male" if word in MALE_TITLES else None


def like(new: str, old: str) -> str:
    """Return `new` in the letter case of `old`."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.lower() if old.islower() else new


def replaced(text: str, parts: Iterator[tuple[int, int, str]]) -> str:
    """Return `text` with (start, end, new) put in; the parts follow each other."""
    out, place = [], 0
    for start, end, new in parts:
        out += [text[place:start], new]
        place = end
    return "".join([*out, text[place:]])
