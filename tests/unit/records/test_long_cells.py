"""Cells of hostile length take no time that grows with the square of it."""

from pathlib import Path

import pandas as pd
import pytest

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.sources.read_source import read_source


@pytest.mark.parametrize("unit", ["1", "1,", "1.", "a@", "12:", "2020-", "-", " ", "1e", "%", "PT1H"])
def test_a_long_cell_is_inferred(unit: str) -> None:
    # With a quadratic pattern, one of these columns takes minutes.
    cells = [f"{unit * 200_000}{end}" for end in ("!", "x", "")] * 4
    table = pd.DataFrame({"a": pd.Series(cells, dtype="string"), "b": ["x", "y", "z"] * 4})
    assert "b" in infer(table, Data(source="x")).schema.names


def test_a_whole_number_of_thousands_of_digits_is_read(tmp_path: Path) -> None:
    lines = [f'{{"age": {"9" * 6000 if row == 3 else row}, "ward": "a"}}' for row in range(30)]
    (tmp_path / "long.jsonl").write_text("\n".join(lines))
    assert read_source(Data(source="long.jsonl"), root=tmp_path).shape == (30, 2)
