"""Questions over a whole table."""

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paracosm.foundation.progress import Progress, Step, silent
from paracosm.generate.questions.asking import Entities, Question, ask
from paracosm.records.formats.cells import to_source_strings
from paracosm.records.schema.schema import Schema

if TYPE_CHECKING:
    from collections.abc import Iterable

LONGEST_TEXT = 20_000


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
        )
        progress(Step("asking", number + 1, len(table), unit="records"))
    return made


def _entities(texts: Sequence[str]) -> list[Entities]:
    """Return the named entities of each text; none where spaCy is not installed."""
    from importlib.util import find_spec

    from paracosm.records.pii.detectors import ner_model

    name = ner_model("en")
    if name is None or find_spec("spacy") is None:
        return [() for _ in texts]
    import spacy

    model: Any = spacy.load(name, exclude=["tagger", "parser", "attribute_ruler", "lemmatizer"])
    documents: Iterable[Any] = model.pipe([text[:LONGEST_TEXT] for text in texts], batch_size=32)
    return [[(entity.text, entity.label_) for entity in document.ents] for document in documents]
