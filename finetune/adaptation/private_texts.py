"""Refuse a corpus that holds the texts of records under `privacy`, whatever its file is called.

An adaptation trains on its corpus without protection, so a copy of the private source as the corpus would void the guarantee. The
check itself reads private records. It must not tell whether one of them is there, and neither may the fact that a run was not
refused: somebody who writes the corpus could put all known texts and one more into it, so that this one decides. The number of
documents that repeat private texts is therefore counted such that a unit changes it by at most one, and is compared with noise on
it, of the two-sided geometric distribution (Ghosh, Roughgarden & Sundararajan 2009). This spends `CORPUS_SHARE` of epsilon, which
the accountant leaves to it. No single document is removed.
"""

import math
import secrets
from collections.abc import Iterator, Sequence

import pandas as pd

from paracosm.finetune.adaptation.repeats import Document, KnownCells, text_columns
from paracosm.finetune.dp.accountant import CORPUS_SHARE
from paracosm.finetune.dp.settings import unit_of
from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table

FALSE_ALARMS = 1e-3
"""Probability to refuse a corpus that repeats nothing."""


def check_no_private_texts(documents: Sequence[Document], recipe: Recipe, run: Run) -> None:
    """Refuse a corpus whose documents repeat private texts, those of control and test records included.

    Args:
        documents: all different ones of the corpus.
        recipe: has the sections `adapt` and `privacy`.
        run: a run whose `records` stage is done.

    Raises:
        DataError: many documents repeat private texts; how many is said with noise.
    """
    assert recipe.privacy is not None
    epsilon = CORPUS_SHARE * recipe.privacy.epsilon
    count = repeating_documents(documents, recipe, run) + _noise(epsilon)
    if count >= threshold(epsilon):
        raise DataError(
            f"adapt.source: about {min(count, len(documents)):,} of its {len(documents):,} documents repeat texts of the records, which"
            " privacy protects and adapt would train on without protection; name another corpus, or leave out adapt"
        )


def repeating_documents(documents: Sequence[Document], recipe: Recipe, run: Run) -> int:
    """Return the number of documents that repeat private texts; every unit counts for one document, so it changes it by one."""
    cells, owners = [], []
    for cell, owner in _private_cells(recipe, run):
        cells.append(cell)
        owners.append(owner)
    known = KnownCells(cells)
    first: dict[object, int] = {}
    for number, document in enumerate(documents):
        for cell in known.repeated_by(document):
            first.setdefault(owners[cell], number)
    return len(set(first.values()))


def threshold(epsilon: float) -> int:
    """Return the number from which on a corpus is refused: noise alone reaches it with probability `FALSE_ALARMS` at most."""
    return math.ceil(math.log(1 / (FALSE_ALARMS * (1 + math.exp(-epsilon)))) / epsilon)


def _noise(epsilon: float) -> int:
    """Return a number of the two-sided geometric distribution, from the random numbers of the operating system."""
    draw = secrets.SystemRandom()
    one, other = (int(math.log(1 - draw.random()) / -epsilon) for _ in range(2))
    return one - other


def _private_cells(recipe: Recipe, run: Run) -> Iterator[tuple[str, object]]:
    """Yield the texts of all records, each with its unit of privacy."""
    schema = Schema.load(run.schema)
    column = recipe.data.subject if unit_of(recipe) == "subject" else None
    for split in SPLITS:
        if not run.split(split).is_file():
            continue
        table = read_table(run.split(split), schema)
        subjects = table[column] if column is not None else pd.Series(pd.NA, index=table.index)
        for text in text_columns(schema):
            for row, (cell, subject) in enumerate(zip(table[text], subjects, strict=True)):
                if not pd.isna(cell):
                    yield str(cell), (split, row) if pd.isna(subject) else ("subject", subject)
