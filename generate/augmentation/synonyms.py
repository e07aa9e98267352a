"""Synonyms: some nouns, verbs, adjectives and adverbs give way to a word of the same meaning, form and fit."""

import re
from dataclasses import dataclass
from typing import Any

import numpy as np

from paracosm.foundation.extras import require_extra
from paracosm.generate.augmentation.masked_choice import MaskedModel
from paracosm.generate.augmentation.protection import is_protected
from paracosm.generate.augmentation.wordnet import WordNet

PARTS = {"NOUN": "n", "VERB": "v", "ADJ": "a", "ADV": "r"}
"""Part of speech of spaCy -> of WordNet."""
LIGHT = frozenset(
    [
        "be",
        "come",
        "do",
        "get",
        "give",
        "go",
        "have",
        "keep",
        "know",
        "left",
        "let",
        "make",
        "need",
        "put",
        "right",
        "say",
        "see",
        "take",
        "use",
        "very",
        "want",
        "well",
    ]
)
"""Verbs and other words with so many uses that a synonym is seldom one in place."""
VOWEL = re.compile(r"[aeiou]", re.IGNORECASE)


@dataclass(frozen=True)
class Synonyms:
    """Replaces words by synonyms that a masked model finds fitting in their place.

    Attributes:
        wordnet: where synonyms come from.
        model: chooses among them.
        share: of the words with a synonym that are replaced.
        slack: how much less likely (in nats per word piece) a synonym may be in its place than the word itself.
    """

    wordnet: WordNet
    model: MaskedModel
    share: float
    slack: float

    def __call__(self, document: Any, kept: frozenset[str], random: np.random.Generator) -> str | None:
        """Return the text with some words replaced; None where no word could be."""
        choices = [(token, self.candidates(token)) for token in document if self._is_open(token, kept)]
        choices = [(token, words) for token, words in choices if words]
        if not choices:
            return None
        wanted = max(1, round(self.share * len(choices)))
        replaced: dict[int, tuple[int, str]] = {}
        for number in random.permutation(len(choices)).tolist():
            token, words = choices[number]
            word = self._chosen(document, token, words, random)
            if word is not None:
                replaced[token.idx] = (token.idx + len(token.text), word)
            if len(replaced) == wanted:
                break
        return _with_words(document.text, replaced) if replaced else None

    def candidates(self, token: Any) -> list[str]:
        """Return the synonyms of a token in the form and the letters of the token."""
        inflect = require_extra("lemminflect", "augment", "generate.augment: synonyms").getInflection
        found: dict[str, None] = {}
        nearby = {each.lemma_.casefold() for each in token.doc}
        for lemma in self.wordnet.synonyms(token.lemma_.casefold(), PARTS[token.pos_]):
            # Not "fatigue and fatigue" for "fatigue and tiredness".
            if lemma in nearby or token.vocab[lemma].is_stop:
                continue
            forms = inflect(lemma, token.tag_) if token.pos_ != "ADV" else (lemma,)
            if forms and forms[0].casefold() != token.text.casefold():
                word = forms[0]
                found.setdefault(word.capitalize() if token.text[0].isupper() else word)
        return list(found)

    def _is_open(self, token: Any, kept: frozenset[str]) -> bool:
        """Return whether a token may be replaced: a word of content that is not protected, and no part of a fixed phrase."""
        return (
            token.pos_ in PARTS
            and token.is_alpha
            and len(token.text) > 2
            and not token.is_stop
            # "walks normally" is not "walks usually".
            and not (token.pos_ == "ADV" and token.head.pos_ == "VERB" and token.i > token.head.i)
            # "events concerning for seizures": half a preposition.
            and not (token.tag_ == "VBG" and token.dep_ in ("prep", "acl", "amod"))
            # Headings and abbreviations.
            and not (token.is_upper and len(token.text) > 1)
            and token.lemma_.casefold() not in LIGHT
            and token.dep_ not in ("compound", "prt", "aux", "auxpass")
            # A verb with a particle, such as "carry out", is a word of its own.
            and not any(child.dep_ in ("prt", "compound") for child in token.children)
            and not is_protected(token, kept)
            and not self._in_a_phrase(token)
        )

    def _in_a_phrase(self, token: Any) -> bool:
        """Return whether a token and its neighbour are a fixed phrase, such as "visual field" or "power of attorney"."""
        words = [each.lemma_.casefold() for each in token.doc[max(0, token.i - 2) : token.i + 3]]
        own = token.i - max(0, token.i - 2)
        return any(
            self.wordnet.has("_".join(words[begin:end]))
            for begin in range(own + 1)
            for end in range(max(begin + 2, own + 1), len(words) + 1)
        )

    def _chosen(self, document: Any, token: Any, words: list[str], random: np.random.Generator) -> str | None:
        end = token.idx + len(token.text)
        own, *others = self.model.scores(document.text, token.idx, end, [token.text, *words])
        fitting = [
            (word, score) for word, score in zip(words, others, strict=True) if score >= own - self.slack
        ]
        if not fitting:
            return None
        weights = np.exp(np.array([score for _, score in fitting]) - max(score for _, score in fitting))
        return fitting[int(random.choice(len(fitting), p=weights / weights.sum()))][0]


def _with_words(text: str, replaced: dict[int, tuple[int, str]]) -> str:
    """Return a text with passages replaced, and `a` and `an` before them as the new words need it.

    Args:
        text: the text.
        replaced: start of a passage -> its end and the new word.
    """
    for start, (end, word) in sorted(replaced.items(), reverse=True):
        before = text[:start]
        if article := re.search(r"\b(an?)(\s+)$", before, re.IGNORECASE):
            old = article[1]
            new = "an" if VOWEL.match(word) else "a"
            # "an hour", "a unit": only where the letters of the old word told its article too.
            if (old.casefold() == "an") == bool(VOWEL.match(text[start:end])):
                before = (
                    before[: article.start()] + (new.capitalize() if old[0].isupper() else new) + article[2]
                )
        text = before + word + text[end:]
    return text
