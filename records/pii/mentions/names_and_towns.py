"""Names of people and towns in running text, by rules, by lists and by the named entities of a model; names of things stay."""

import re
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass

from paracosm.records.pii.lexicon.ambiguous_names import always_ambiguous
from paracosm.records.pii.lexicon.common_words import is_common
from paracosm.records.pii.lexicon.name_lists import name_lists
from paracosm.records.pii.lexicon.name_parts import ENDINGS, NAME_WORD, PARTICLES, TITLES, is_titled
from paracosm.records.pii.lexicon.regions import countries_and_states
from paracosm.records.pii.mentions.terms import FIRM_WORDS, find_terms
from paracosm.records.pii.mentions.whole_names import WholeNames, is_masked

PERSON_LABELS, PLACE_LABELS = ("PERSON", "PER"), ("GPE", "LOC")
MOST_WORDS = 4
"""Most words of a person's name."""
COMPANY_WORDS = (
    "the inc llc ltd corp company co group bank gmbh plc act party parties agreement date holdings university hospital"
    " court state loan services of"
)
NOT_PERSON = frozenset(COMPANY_WORDS.split())
"""Words of companies, laws and headings."""
DOUBTFUL = "doubtful"
"""`Span.by` of a name that only the model or one list found: it counts if no other text uses its words in small letters."""
INTRODUCED = re.compile(
    r"(?:(?i:\b(?:my|his|her|their|your|the|maiden|full|last|first|patient|partner['’]s) names?(?: is|:)|^name:)|\b[Cc]all(?:s|ed)? me(?= [A-Z]))[ \n]"
    r"(?:(?i:dr|mr|mrs|ms|miss)\.? )?(?P<value>[^\W\d_][\w'’-]+(?: [^\W\d_]\.?(?= ))?(?: [A-ZÀ-Ž][\w'’-]+){0,2})",
    re.M,
)
BEFORE_TOWN = re.compile(
    r"(?:\b(?:in|at|from|near|to|around|visit(?:ed|ing|s)?|downtown|city:?|city of)[ \n]|, ?)$",
    re.I,
)
AFTER_TOWN = re.compile(r",? [A-Z]{2}\b|,? \d{5}\b|, [A-Z]")
SHORTEST_CAPITALS = 5
"""Letters of the shortest town in capitals; shorter words are abbreviations."""
LONGER_NAME = re.compile(r" (?!and\b)(?P<next>[A-Z][a-z]+)")
"""A capitalized word after a town, which is then part of the name of an organisation: `Boston Scientific`."""


@dataclass(frozen=True)
class _Name:
    start: int
    end: int
    listed: bool


class NamesAndTowns:
    """Finds names of people and towns in the texts of one language."""

    def __init__(self, language: str):
        """Load the lists of a language, one of the keys of `name_lists.LOCALES`."""
        self._language, self._lists = language, name_lists(language)
        self._whole = WholeNames(self._lists, language, NOT_PERSON)

    def find(
        self, text: str, entities: Iterable[tuple[int, int, str]], kinds: Collection[str]
    ) -> Iterator[tuple[int, int, str, str]]:
        """Yield start, end, kind (`name` or `place`) and detector of names and towns, surest first; they may overlap.

        Args:
            text: the text.
            entities: start, end and label of the named entities that a model found.
            kinds: the kinds to search for.
        """
        if not {"name", "place"} & set(kinds):
            return
        terms = find_terms(text, self._lists)
        entities = list(entities)
        doubtful: list[tuple[int, int]] = []
        if "name" in kinds:
            for start, end in self._whole.titled(text):
                yield start, end, "name", "list"
            for match in INTRODUCED.finditer(text):
                if not is_masked(match["value"]):
                    yield *match.span("value"), "name", "pattern"
            for start, end, by in self._names(text, entities):
                if is_titled(text, start) or not _is_within(text, start, end, terms):
                    if by == DOUBTFUL and _overlaps(start, end, terms):
                        continue
                    if by == DOUBTFUL:
                        doubtful.append((start, end))
                    else:
                        yield start, end, "name", by
        if "place" in kinds:
            for start, end, label in entities:
                if (
                    label in PLACE_LABELS
                    and self._is_town(text, start, end)
                    and not _is_within(text, start, end, terms)
                ):
                    yield start, end, "place", "ner"
        # Last, because Boston and Austin are given names too.
        for start, end in doubtful:
            yield start, end, "name", DOUBTFUL

    def _names(self, text: str, entities: list[tuple[int, int, str]]) -> Iterator[tuple[int, int, str]]:
        """Yield start, end and detector of the names that a rule, a list or the model shows, surest first."""
        for start, end, is_sure in self._whole.introduced(text):
            yield start, end, "list" if is_sure else "ner"
        for start, end, is_listed in self._whole.kin(text):
            yield start, end, "list" if is_listed else "ner"
        for start, end, label in entities:
            # A small model labels names as places or companies, and drugs as persons, so the name lists decide too.
            name = self._name_within(text, start, end)
            if name is not None and (
                label in PERSON_LABELS or (name.listed and " " in text[name.start : name.end])
            ):
                yield *self._whole.widened(text, name.start, name.end), "ner" if name.listed else DOUBTFUL
        yield from self._listed_names(text)

    def _is_town(self, text: str, start: int, end: int) -> bool:
        """Return whether the words around a span confirm that it is a town: the model also labels drugs as places."""
        name = text[start:end]
        if not re.fullmatch(r"[^\W\d_][^\d_/\n]+", name) or not name[0].isupper() or is_masked(name):
            return False
        if (name.isupper() and len(name) < SHORTEST_CAPITALS) or is_common(name, self._language):
            return False
        if name.casefold() in countries_and_states(self._language):
            return False
        if AFTER_TOWN.match(text, end) is not None:
            return True
        if longer := LONGER_NAME.match(text, end):
            after = longer["next"].casefold()
            if after in FIRM_WORDS or not is_common(after, self._language):
                return after in countries_and_states(self._language)
        return BEFORE_TOWN.search(text[max(0, start - 14) : start]) is not None

    def _name_within(self, text: str, start: int, end: int) -> _Name | None:
        """Return the part of a span that can be a person's name, or None if there is none."""
        line = text[start:end].split("\n")[0]
        words = [
            (match.start() + start, match.end() + start, match.group()) for match in NAME_WORD.finditer(line)
        ]
        while words and (
            words[0][2].casefold() in TITLES or (len(words) > 1 and self._is_plain(words[0][2]))
        ):
            words.pop(0)
        while len(words) > 1 and (words[-1][2].casefold() in ENDINGS | {"s"} or self._is_plain(words[-1][2])):
            words.pop()
        if not words or not all(word[0].isupper() or word.casefold() in PARTICLES for *_, word in words):
            return None
        first, last = words[0][0], words[-1][1]
        small = [word.casefold() for *_, word in words]
        # `XXXX` is an earlier mask, and a company is not a person.
        if len(words) > MOST_WORDS or not NOT_PERSON.isdisjoint(small) or any(map(is_masked, small)):
            return None
        known = [self._lists.is_known(word) for *_, word in words]
        if len(words) > 1 and all(known):
            return _Name(first, last, True)
        if is_titled(text, first):
            return None if self._is_plain(words[0][2]) else _Name(first, last, True)
        is_plain = not any(map(str.isdigit, text[first:last]))
        if not is_plain or (len(words) == 1 and not known[0]):
            return None
        return _Name(first, last, len(words) == 1 or (known[-1] and small[0] in self._lists.known_given))

    def _is_plain(self, word: str) -> bool:
        """Return whether a word at the end of a name is a frequent word and not a name too, such as Young."""
        return is_common(word, self._language) and word.casefold() not in always_ambiguous() | PARTICLES

    def _begins_name(self, text: str, match: re.Match[str]) -> bool:
        """Return whether a word is a given name that is not an ordinary word, so that what follows it is a family name."""
        small = match.group().casefold()
        return (
            small in self._lists.known_given
            and small not in always_ambiguous()
            and not is_common(small, self._language)
            and match.group()[1:].islower()
        )

    def _listed_names(self, text: str) -> Iterator[tuple[int, int, str]]:
        """Yield the names that lists identify without a model: a given name, alone or with a family name."""
        lists = self._lists
        before: re.Match[str] | None = None
        for match in NAME_WORD.finditer(text):
            word = match.group()
            if not word[0].isupper() or word.casefold() in TITLES | ENDINGS:
                before = None
                continue
            if before is not None and re.fullmatch(r" (?:[A-Z]\.? )?", text[before.end() : match.start()]):
                given = before.group().casefold() in lists.common_given
                if (
                    given
                    and word.casefold() in lists.known_family
                    and word.casefold() not in lists.common_given
                ):
                    yield *self._whole.widened(text, before.start(), match.end()), "list"
            if self._begins_name(text, match):
                start, end = self._whole.chain(text, match.start())
                if end > match.end():
                    yield start, end, DOUBTFUL
            if word.casefold() in lists.common_given and word.casefold() not in lists.common_family:
                yield *self._whole.widened(text, *match.span()), DOUBTFUL
            before = match


def _overlaps(start: int, end: int, terms: list[tuple[int, int]]) -> bool:
    return any(first < end and start < last for first, last in terms)


def _is_within(text: str, start: int, end: int, terms: list[tuple[int, int]]) -> bool:
    """Return whether all words of a span are words of things."""
    return all(
        any(first < match.end() and match.start() < last for first, last in terms)
        for match in NAME_WORD.finditer(text, start, end)
        if match.group().casefold() not in PARTICLES
    )
