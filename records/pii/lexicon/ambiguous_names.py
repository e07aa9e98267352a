"""Words that are both a name and an ordinary word, such as Will, Young and Grace.

Whether a word is ordinary is decided by the texts of a table: an ordinary word is written in small letters by people who do not
bear it as a name. `ambiguous_names.txt` lists words that are always treated as ambiguous.
"""

import re
from collections import defaultdict
from collections.abc import Sequence
from functools import cache
from importlib.resources import files

from paracosm.records.pii.lexicon.common_words import is_common

LONGEST_SHORT_WORD = 3
"""Letters up to which a frequent word of the language is ambiguous in every table."""
WORD = re.compile(r"[^\W\d_]+")
LEAST_SHARE, LEAST_SUBJECTS = 0.02, 2
"""Least share and number of subjects whose texts have an ordinary word in small letters."""


@cache
def always_ambiguous() -> frozenset[str]:
    """Return the words that are treated as ambiguous in every table, case-folded."""
    text = files("paracosm.records.pii.lexicon").joinpath("ambiguous_names.txt").read_text(encoding="utf-8")
    return frozenset(text.split())


class OrdinaryWords:
    """The words that the texts of a table use as ordinary words, in small letters."""

    def __init__(self, texts: Sequence[str], subjects: Sequence[str], language: str):
        """Count the words of all texts.

        Args:
            texts: texts of any columns.
            subjects: the subject of each text.
            language: language of the texts.
        """
        self._language = language
        self._holders: dict[str, set[str]] = defaultdict(set)
        for text, subject in zip(texts, subjects, strict=True):
            for word in set(WORD.findall(text)):
                if word.islower():
                    self._holders[word].add(subject)
        self._subjects = max(1, len(set(subjects)))

    def is_ordinary(self, word: str, bearers: set[str], *, least: float = LEAST_SHARE) -> bool:
        """Return whether enough subjects who do not bear a word as a name write it in small letters.

        Args:
            word: case-folded.
            bearers: the subjects whose name has the word.
            least: least share of all subjects.
        """
        others = len(self._holders.get(word, set()) - bearers)
        return others >= max(LEAST_SUBJECTS, least * self._subjects)

    def is_ambiguous(self, word: str, bearers: set[str]) -> bool:
        """Return whether a word may be a name or an ordinary word, so that its context has to decide."""
        if word in always_ambiguous() or self.is_ordinary(word, bearers):
            return True
        # `An`, `Do` and `So` are family names too.
        return len(word) <= LONGEST_SHORT_WORD and is_common(word, self._language)

    def is_ever_ordinary(self, word: str) -> bool:
        """Return whether a word is on the list of ambiguous words, or in small letters in texts of two subjects."""
        return word in always_ambiguous() or len(self._holders.get(word, set())) >= LEAST_SUBJECTS
