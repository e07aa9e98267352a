"""Named entities of texts, counted by type."""

from collections import Counter
from collections.abc import Sequence

from paracosm.foundation.errors import DataError
from paracosm.records.pii.detectors import MODELS, entity_labels, ner_model

MOST_TYPES = 6
LEAST_SHARE = 0.05
"""Share of the texts that mention a type which becomes a column."""
FEWEST_TEXTS = 5
LONGEST_TEXT = 10_000
"""Characters of a text that are read."""


def entity_counts(texts: Sequence[str], language: str) -> list[Counter[str]]:
    """Return how often each text mentions each type of entity, such as `PERSON` or `DATE`.

    Args:
        texts: the texts.
        language: of the texts, as a code of two letters.

    Raises:
        DataError: there is no entity recogniser for the language, or it is not installed.
    """
    if language not in MODELS:
        raise DataError(
            f"data.features: entities are found in {', '.join(MODELS)}; the texts are in {language!r}"
        )
    if ner_model(language) is None:
        how = 'pip install "paracosm[pii]"' if language == "en" else f"pip install {MODELS[language][0]}"
        raise DataError(f"data.features: entities need the spaCy model {MODELS[language][0]}; run: {how}")
    return [
        Counter(labels)
        for labels in entity_labels([text[:LONGEST_TEXT] for text in texts], language=language)
    ]


def common_types(counts: Sequence[Counter[str]]) -> list[str]:
    """Return the types that at least 5% and at least five texts mention, the most frequent first; at most six."""
    texts = Counter(label for of_text in counts for label in of_text)
    fewest = max(FEWEST_TEXTS, LEAST_SHARE * len(counts))
    ranked = sorted(texts.items(), key=lambda pair: (-pair[1], pair[0]))
    return [label for label, count in ranked if count >= fewest][:MOST_TYPES]
