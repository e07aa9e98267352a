"""Rows that prompts show: drawn from the fitted statistics, or training rows where the recipe says so."""

from collections.abc import Sequence

import numpy as np

from paracosm.foundation.errors import DataError
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.chain_draws import draw
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records

FIRST_NUMBER = 2**40
"""Numbers of example rows begin here, so that they are not those of synthetic records."""


def drawn_rows(chain: Chain, rows: int, sets: int, seed: int) -> list[list[Record]]:
    """Return sets of rows that statistics draw, without constraints.

    Args:
        chain: the fitted statistics.
        rows: of a set.
        sets: how many.
        seed: of the draws.
    """
    requests = [Request(FIRST_NUMBER + number) for number in range(rows * sets)]
    drawn = [record for record in draw(chain, requests, seed, 0, Tally()) if record is not None]
    return _in_sets(drawn, rows, sets)


def training_rows(run: Run, schema: Schema, rows: int, sets: int, seed: int) -> list[list[Record]]:
    """Return sets of training rows, chosen at random; no row is in two sets as long as there are enough.

    Raises:
        DataError: the run has no training records, as a pulled one.
    """
    if not run.split("train").is_file():
        raise DataError(
            "prompt.examples: real needs the training records, which this run does not have; use synthetic"
        )
    records = to_records(read_table(run.split("train"), schema), schema)
    names = [field.name for field in schema.modelled]
    chosen = np.random.default_rng(seed).permutation(len(records))[: rows * sets]
    return _in_sets([{name: records[index][name] for name in names} for index in chosen.tolist()], rows, sets)


def _in_sets(records: Sequence[Record], rows: int, sets: int) -> list[list[Record]]:
    groups = [list(records[begin : begin + rows]) for begin in range(0, len(records), rows)][:sets]
    return [group for group in groups if group]
