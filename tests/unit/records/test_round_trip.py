import string

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from unit.records.column_shapes import SHAPES

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.table import to_typed, written


def table(column, cells):
    cells = [cell or None for cell in cells]
    others = [str(number % 7) for number in range(len(cells))]
    return pd.DataFrame({column: pd.Series(cells, dtype="string"), "zz": pd.Series(others, dtype="string")})


@pytest.mark.parametrize("shape", SHAPES, ids=lambda shape: shape.name)
def test_a_column_has_its_type_and_is_written_as_it_was_read(shape):
    raw = table(shape.column, shape.cells)
    inference = infer(raw, Data(source="a.csv"))
    field = inference.schema[shape.column]
    assert field.type in shape.read_as, inference.warnings
    if field.modelled:
        back = written(to_typed(raw, inference.schema), inference.schema)[shape.column]
        assert back.equals(raw[shape.column])
    mentions = [warning for warning in inference.warnings if repr(shape.column) in warning]
    assert mentions or not shape.warns


def test_there_are_at_least_150_shapes():
    assert len({shape.name for shape in SHAPES}) >= 150


CELLS = (
    st.text(alphabet=string.digits + ".,-+ '%$€()/:eE", min_size=1, max_size=12).map(str.strip).filter(bool)
)


@settings(max_examples=300, deadline=None, derandomize=True)
@given(st.lists(CELLS, min_size=1, max_size=6))
def test_cells_of_digits_and_punctuation_are_always_given_back(cells):
    raw = table("c", [cell for cell in cells for _ in range(3)])
    schema = infer(raw, Data(source="a.csv", missing=[])).schema
    back = written(to_typed(raw, schema), schema)["c"]
    changed = [(cell, other) for cell, other in zip(raw["c"], back, strict=True) if cell != other]
    assert not changed


def test_periods_and_intervals_of_pandas_are_read_as_printed():
    moments = pd.Series(pd.date_range("2024-01-01", periods=40, freq="17D"))
    raw = pd.DataFrame({"p": moments.dt.to_period("M"), "i": pd.cut(pd.Series(range(40)), 4)})
    schema = infer(raw, Data(source="a.csv")).schema
    back = written(to_typed(raw, schema), schema)
    assert (schema["p"].format, schema["i"].type) == ("%Y-%m", "category")
    assert back["p"].tolist() == raw["p"].astype(str).tolist()
    assert back["i"].tolist() == raw["i"].astype(str).tolist()


def test_a_declared_picture_decides_how_numbers_are_read():
    raw = table("c", ["1.234", "5.678"] * 5)
    schema = infer(
        raw, Data(source="a.csv", fields={"c": {"type": "integer", "format": "1.234.567,89"}})
    ).schema
    typed = to_typed(raw, schema)
    assert typed["c"].tolist()[:2] == [1234, 5678]
    assert written(typed, schema)["c"].tolist() == raw["c"].tolist()
