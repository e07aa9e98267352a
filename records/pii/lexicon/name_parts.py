"""Parser of person names: the words of `Dr. John A. Smith` or `SMITH, John`, each with its role."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Literal

from paracosm.records.pii.lexicon.name_lists import NameLists

Role = Literal["given", "family", "initial", "unchanged"]
NAME_WORD = re.compile(r"(?<![^\W\d_]['’])[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)*")


def _words(text: str) -> frozenset[str]:
    return frozenset(text.split())


FEMALE_TITLES = _words("mrs ms miss frau mme madame mlle signora sra señora mevrouw dona")
MALE_TITLES = _words("mr mister herr sir monsieur signor sr señor meneer dom")
TITLES = (
    FEMALE_TITLES
    | MALE_TITLES
    | _words(
        "dr doctor prof professor rev reverend father sister judge justice nurse officer hon dott capt captain sgt sergeant"
        " atty detective trooper deputy rabbi pastor chaplain imam senator counselor mx"
    )
)
ENDINGS = _words(
    "jr sr ii iii iv md do phd rn np pa esq dds facp mph msw lcsw pharmd cpa msn bsn crna cnm fnp aprn arnp lpn lmft lpc mbbs psyd dpt dmd dpm dvm cfa"
)
PARTICLES = _words(
    "von van de der den del della dello degli di da das do dos du la las le lo los el al bin bint ibn abu ter ten op zu zum zur vom"
    " af av und and y e st"
)
TITLED = re.compile(rf"\b(?:{'|'.join(sorted(TITLES, key=len, reverse=True))})\b ?\.?[ \t]+$", re.IGNORECASE)


@dataclass(frozen=True)
class NamePart:
    """One word of a name, its position in the text, and its role."""

    text: str
    start: int
    end: int
    role: Role

    @property
    def key(self) -> str:
        return self.text.casefold()


def parts_of(name: str, lists: NameLists, *, column: str = "full", titled: bool = False) -> list[NamePart]:
    """Return the words of a name with their roles; titles, academic suffixes and particles are `unchanged`.

    Args:
        name: a cell, or a span of a text.
        lists: decide whether a single word is a given or a family name.
        column: what the column of the name holds: `given`, `family` or `full`.
        titled: whether a title precedes the name, so that a single word is a family name.
    """
    words = [(match.group(), match.start(), match.end()) for match in NAME_WORD.finditer(name)]
    is_name = [
        word.casefold() not in TITLES | ENDINGS | PARTICLES or (len(word) == 1 and word.isupper())
        for word, *_ in words
    ]
    if not any(is_name):
        # In `Dr. Le` the particle is the whole name.
        is_name = [word.casefold() not in TITLES for word, *_ in words]
    titled = titled or any(word.casefold() in TITLES for word, *_ in words)
    names = [index for index, counts in enumerate(is_name) if counts]
    comma = name.find(",")
    before = [index for index in names if words[index][1] < comma]
    inverted = 0 < len(before) < len(names)
    family = set(before) if inverted else _family_words(name, words, names, lists, column, titled)
    return [
        NamePart(word, start, end, _role(word, index, is_name[index], family, column))
        for index, (word, start, end) in enumerate(words)
    ]


def _role(word: str, index: int, is_name: bool, family: set[int], column: str) -> Role:
    if not is_name:
        return "unchanged"
    if len(word) == 1:
        return "initial"
    return "family" if index in family and column != "given" else "given"


def _family_words(
    name: str,
    words: list[tuple[str, int, int]],
    names: list[int],
    lists: NameLists,
    column: str,
    titled: bool,
) -> set[int]:
    """Return the indices of the words that are the family name."""
    if column == "family":
        return set(names)
    if column == "given" or not names:
        return set()
    last = names[-1]
    family = _with_hyphens(name, words, names, last)
    if len(names) > len(family):
        return family
    return family if titled or not lists.is_rather_given(words[last][0]) else set()


def _with_hyphens(name: str, words: list[tuple[str, int, int]], names: list[int], last: int) -> set[int]:
    """Return the index of the last word and of those before it that a hyphen joins to it (`Smith-Jones`)."""
    indices = {last}
    for index in reversed(names[:-1]):
        if name[words[index][2] : words[index + 1][1]] != "-" or index + 1 not in indices:
            break
        indices.add(index)
    return indices


def is_titled(text: str, start: int) -> bool:
    """Return whether a title such as `Dr.` ends right before the index `start`."""
    return TITLED.search(text[max(0, start - 16) : start]) is not None


def title_gender(text: str, start: int) -> str | None:
    """Return `female` or `male` if the title before the index `start` implies it, else None."""
    title = TITLED.search(text[max(0, start - 16) : start])
    word = title.group().strip(" .\t").casefold() if title else ""
    return "female" if word in FEMALE_TITLES else "male" if word in MALE_TITLES else None


def match_case(new: str, old: str) -> str:
    """Return `new` in the letter case of `old`."""
    if old.isupper() and len(old) > 1:
        return new.upper()
    return new.lower() if old.islower() else new


def replace_spans(text: str, replacements: Iterable[tuple[int, int, str]]) -> str:
    """Return `text` with its spans replaced.

    Args:
        text: the text.
        replacements: start, end and new text of each span, in order, without overlaps.
    """
    pieces, position = [], 0
    for start, end, new in replacements:
        pieces += [text[position:start], new]
        position = end
    return "".join([*pieces, text[position:]])
