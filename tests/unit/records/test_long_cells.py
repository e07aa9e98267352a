"""Cells of hostile length take no time that grows with the square of it."""

import pandas as pd
import pytest

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer


@pytest.mark.parametrize("unit", ["1", "1,", "1.", "a@", "12:", "2020-", "-", " ", "1e", "%", "PT1H"])
def test_a_long_cell_is_inferred(unit: str) -> None:
    # With a quadratic pattern, one of these columns takes minutes.
    cells = [f"{unit * 200_000}{end}" for end in ("!", "x", "")] * 4
    table = pd.DataFrame({"a": pd.Series(cells, dtype="string"), "b": ["x", "y", "z"] * 4})
    assert "b" in infer(table, Data(source="x")).schema.names
