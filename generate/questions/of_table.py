"""Questions over a whole table."""

from collections import Counter
from collections.abc import Mapping, Sequence
from functools import cache
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paracosm.foundation.progress import Progress, Step, silent
from paracosm.generate.questions.asking import Question, ask
from paracosm.generate.questions.passages import Entities
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.pii.detectors import ner_model
from paracosm.records.schema.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_TEXT = 20_000
CODES = 0.9
"""Share of the cells of a text that are one word, from which the column holds codes."""
NAMES = ("ORG", "PERSON", "GPE", "LOC", "PRODUCT")
NAMED, FEWEST_NAMES, LOOKED_AT = 0.4, 5, 200
"""Share of a column's different values that are one type of entity, from which they are names; how many it takes, and are looked at."""


def questions_of(
    table: pd.DataFrame,
    schema: Schema,
    *,
    per_record: int = 4,
    unanswerable: float = 0.2,
    seed: int = 0,
    progress: Progress = silent,
) -> list[Question]:
    """Return questions over the records of a table; the same arguments give the same questions.

    Args:
        table: cells as the source writes them.
        schema: its fields; identifiers are not asked about.
        per_record: most questions a record.
        unanswerable: share of questions whose answer the record does not hold.
        seed: of the random numbers.
        progress: takes progress lines.
    """
    names = [field.name for field in schema.modelled if field.name in table.columns]
    columns = {name: to_source_strings(table[name]) for name in names}
    found = {
        field.name: _entities(columns[field.name].fillna("").astype(str).tolist())
        for field in schema.modelled
        if field.is_text and field.name in columns
    }
    codes = {name for name in found if _are_codes(columns[name])}
    labels = _labels({name: cells for name, cells in columns.items() if name not in found})
    made: list[Question] = []
    for number in range(len(table)):
        cells = {
            name: None if pd.isna(cells.iloc[number]) else str(cells.iloc[number])
            for name, cells in columns.items()
        }
        made += ask(
            number,
            cells,
            schema,
            most=per_record,
            unanswerable=unanswerable,
            random=np.random.default_rng([seed, number]),
            entities={name: of_text[number] for name, of_text in found.items()},
            codes=codes,
            labels=labels,
        )
        progress(Step("asking", number + 1, len(table), unit="records"))
    return made


def _are_codes(cells: pd.Series) -> bool:
    """Return whether nearly all cells of a text are one word, such as a postcode or a number of a document."""
    words = [len(cell.split()) for cell in cells.dropna().astype(str)]
    return bool(words) and sum(count <= 1 for count in words) >= CODES * len(words)


def _labels(columns: Mapping[str, pd.Series]) -> dict[str, str]:
    """Return which type of entity the values of a column are, for columns of names such as those of companies or towns."""
    found = {}
    for name, cells in columns.items():
        values = [value for value in cells.dropna().astype(str).unique()[:LOOKED_AT] if value[:1].isalpha()]
        if len(values) < FEWEST_NAMES:
            continue
        counts = Counter(
            label for entities in _entities(values) for label in {label for _, label in entities}
        )
        label, count = counts.most_common(1)[0] if counts else ("", 0)
        if label in NAMES and count >= NAMED * len(values):
            found[name] = label
    return found


def _entities(texts: Sequence[str]) -> list[Entities]:
    """Return the named entities of each text; none where spaCy is not installed."""
    if ner_model("en") is None or find_spec("spacy") is None:
        return [() for _ in texts]
    documents: Iterable[Any] = _recogniser().pipe([text[:LONGEST_TEXT] for text in texts], batch_size=32)
    return [[(entity.text, entity.label_) for entity in document.ents] for document in documents]


@cache
def _recogniser() -> Any:
    import spacy

    name = ner_model("en")
    assert name is not None
    return spacy.load(name, exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])
