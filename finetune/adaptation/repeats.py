"""Which cells of records the documents of a corpus repeat: long ones by their passages, short ones as a whole."""

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from paracosm.records.schema.schema import Schema

WINDOW = 13
"""Words of a passage that counts as the same in two texts; the length by which benchmarks are searched for in corpora
(Brown et al. 2020, arXiv 2005.14165)."""
SHARED = 0.5
"""Share of the passages of a cell from which on a document repeats it."""
FEWEST_WORDS = 4
"""Words of the shortest cell that a document can repeat; shorter ones are everybody's."""

Conversation = list[dict[str, str]]
Document = str | Conversation


def words(document: Document) -> list[str]:
    """Return the words of a document in small letters."""
    texts = [document] if isinstance(document, str) else [message["content"] for message in document]
    return " ".join(texts).lower().split()


def key(document: Document) -> str:
    """Return what is equal for two documents of the same words."""
    return " ".join(words(document))


class KnownCells:
    """Cells that documents are compared with; they are numbered in their order."""

    def __init__(self, cells: Iterable[str]) -> None:
        self._passages: dict[tuple[str, ...], list[int]] = {}
        self._whole: dict[str, list[int]] = {}
        self._counts: list[int] = []
        for number, cell in enumerate(cells):
            passages = set(_windows(words(cell)))
            self._counts.append(len(passages))
            for passage in passages:
                self._passages.setdefault(passage, []).append(number)
            if not passages and len(words(cell)) >= FEWEST_WORDS:
                self._whole.setdefault(key(cell), []).append(number)

    def repeated_by(self, document: Document) -> list[int]:
        """Return the numbers of the cells that a document repeats."""
        shared: Counter[int] = Counter()
        for passage in set(_windows(words(document))) if self._passages else ():
            shared.update(self._passages.get(passage, ()))
        found = [number for number, count in shared.items() if count >= SHARED * self._counts[number]]
        return found + self._whole.get(key(document), [])


def text_columns(schema: Schema) -> list[str]:
    """Return the columns whose cells are compared with documents."""
    return [field.name for field in schema if field.is_text]


def _windows(text_words: Sequence[str]) -> Iterator[tuple[str, ...]]:
    return (tuple(text_words[at : at + WINDOW]) for at in range(len(text_words) - WINDOW + 1))
