"""Words that are somebody's name and an ordinary word too, such as Will, Young and Grace: told by the texts themselves."""

import re
from collections import defaultdict
from collections.abc import Sequence

WORD = re.compile(r"[^\W\d_]+")
LEAST_SHARE, LEAST_SUBJECTS = 0.02, 2
OFTEN_NAMES = (
    "will may mark art bill grant rich frank hope faith joy grace rose dawn summer young long short brown black white green"
    " gray price best good love day case hall hill park stone wood rivers banks cook baker king bishop little self sharp strong"
    " small rush april june august autumn miles drew chase chance cash page read reed ward weeks head hand foot field ring star"
    " pain stent bright noble wise blue silver gold lake ford street lane church law judge major sergeant dean crystal jade amber ruby destiny hunter carter austin dallas madison jordan savannah virginia charlotte carolina"
)
ALWAYS = frozenset(OFTEN_NAMES.split())


class OrdinaryWords:
    """What is written in small letters in the texts of subjects who do not bear it as a name."""

    def __init__(self, texts: Sequence[str], subjects: Sequence[str]):
        """Count words.

        Args:
            texts: of any columns.
            subjects: whom each text is about.
        """
        self._holders: dict[str, set[str]] = defaultdict(set)
        for text, subject in zip(texts, subjects, strict=True):
            for word in set(WORD.findall(text)):
                if word.islower():
                    self._holders[word].add(subject)
        self._subjects = max(1, len(set(subjects)))

    def holds(self, word: str, bearers: set[str], *, least: float = LEAST_SHARE) -> bool:
        """Return whether `word`, case-folded, is an ordinary one.

        Args:
            word: case-folded.
            bearers: the subjects who have it as a name.
            least: share of the other subjects whose texts have it in small letters.
        """
        others = len(self._holders.get(word, set()) - bearers)
        return others >= max(LEAST_SUBJECTS, least * self._subjects)

    def is_often_a_name(self, word: str, bearers: set[str]) -> bool:
        """Return whether `word` may be either, so that the words around it have to tell."""
        return word in ALWAYS or self.holds(word, bearers)

    def is_written_small(self, word: str) -> bool:
        """Return whether `word` is an ordinary one for all that is known: in any text, or always."""
        return word in ALWAYS or len(self._holders.get(word, set())) >= LEAST_SUBJECTS
