"""Augmentation of one text: operations in turn, each checked against the facts that the text must keep."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from typing import Any

import numpy as np

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.extras import require_extra
from paracosm.generate.augmentation.grammar.restructuring import Restructuring
from paracosm.generate.augmentation.masked_choice import masked_model
from paracosm.generate.augmentation.protection import cell_words, keeps_facts
from paracosm.generate.augmentation.segments import CausalSegments, MaskedSegments
from paracosm.generate.augmentation.synonyms import Synonyms
from paracosm.generate.augmentation.variation import SentenceVariation
from paracosm.generate.augmentation.wordnet import open_wordnet
from paracosm.recipes.sections.texts import Augment
from paracosm.records.pii.detectors import MODELS, ner_model

LONGEST_TEXT = 20_000
"""Characters of a text that is augmented; a longer one keeps its end."""
Operation = Callable[[Any, frozenset[str], np.random.Generator], str | None]


@dataclass(frozen=True)
class AugmentedText:
    """A text and the operations that changed it, in order; none where the text is the one that was given."""

    text: str
    operations: tuple[str, ...]


class Augmenter:
    """Augments texts. The same text, record, settings and random numbers give the same text.

    Attributes:
        operations: by name, in the order in which they are applied.
        parse: parses a text with spaCy.
    """

    def __init__(self, settings: Augment) -> None:
        """Load what the settings need.

        Raises:
            MissingExtraError: the extra `augment` is not installed.
            ModelError: the masked or the causal model is missing.
        """
        self.parse = parser()
        made: dict[str, Callable[[], Operation]] = {
            "restructuring": lambda: Restructuring(self.parse),
            "variation": SentenceVariation,
            "synonyms": lambda: Synonyms(
                open_wordnet(settings.wordnet), masked_model(settings.model), settings.share, settings.slack
            ),
            "segments": lambda: (
                MaskedSegments(masked_model(settings.model))
                if settings.segments == "masked"
                else CausalSegments(settings.causal_model)
            ),
        }
        # Synonyms come after the operations that need a parse of plain words.
        self.operations = {name: make() for name, make in made.items() if name in settings.operations}

    def augment(self, record: Mapping[str, Any], name: str, random: np.random.Generator) -> AugmentedText:
        """Return one text of a record, augmented.

        Args:
            record: values by field; words of its other cells stay.
            name: of the text.
            random: random numbers.
        """
        text = str(record[name])
        head, tail = text[:LONGEST_TEXT], text[LONGEST_TEXT:]
        kept = cell_words(record, name)
        document, done = self.parse(head), []
        before = document
        for operation, change in self.operations.items():
            changed = change(document, kept, random)
            if changed is None or changed == document.text:
                continue
            after = self.parse(changed)
            if keeps_facts(before, after, kept):
                document = after
                done.append(operation)
        return AugmentedText(document.text + tail, tuple(done))


@cache
def parser() -> Callable[[str], Any]:
    """Return spaCy's English pipeline.

    Raises:
        MissingExtraError: spaCy or its model is not installed.
    """
    spacy = require_extra("spacy", "augment", "generate.augment")
    name = ner_model("en")
    if name is None:
        require_extra(MODELS["en"][-1], "augment", "generate.augment")
    return spacy.load(name)


def refuse_language(language: str) -> None:
    """Check that texts are in a language that can be augmented.

    Raises:
        RecipeError: they are not.
    """
    if language != "en":
        raise RecipeError(
            f"generate.augment: texts in English (en) can be augmented; card.language is {language!r}"
        )
