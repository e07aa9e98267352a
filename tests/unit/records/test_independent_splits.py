import numpy as np
import pandas as pd

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer_types
from paracosm.records.schema.table import to_typed
from paracosm.records.splitting.independent_splits import allowed_records, divide_independently

FEW = {
    "age": {"type": "integer", "minimum": 0, "maximum": 99, "nullable": False},
    "ward": {"type": "category", "categories": ["a", "b"], "nullable": True},
    "day": {"type": "datetime", "format": "%Y-%m-%d", "minimum": "2024-01-01", "maximum": "2024-12-31"},
}


def raw(rows, seed=0):
    draw = np.random.default_rng(seed)
    days = np.datetime64("2024-01-01") + draw.integers(0, 3, rows)
    cells = {"age": draw.integers(0, 5, rows).astype(str), "ward": draw.choice(["a", "b"], rows)}
    return pd.DataFrame({**cells, "day": days.astype(str)})


def divided(table, fields):
    data = Data(source="a.csv", fields=fields)
    schema = infer_types(table, data)
    return divide_independently(to_typed(table, schema), schema, data), allowed_records(schema, data)


def rows_of(part):
    return sorted(map(tuple, part.astype(str).to_numpy().tolist()))


def test_equal_rows_of_few_allowed_records_are_divided():
    parts, allowed = divided(raw(600), FEW)
    assert allowed == 100 * 4 * 366
    assert len(set(rows_of(parts["train"]))) == 30
    assert len(set(rows_of(parts["control"]))) > 15


def test_one_row_less_is_one_row_less_of_its_content():
    table = raw(300)
    whole, _ = divided(table, FEW)
    for row in (0, 7, 299):
        rest, _ = divided(table.drop(index=row).reset_index(drop=True), FEW)
        lost = [len(whole[name]) - len(rest[name]) for name in whole]
        assert sorted(lost) == [0, 0, 1]
        name = list(whole)[lost.index(1)]
        remaining = rows_of(rest[name])
        for content in rows_of(whole[name]):
            if content in remaining:
                remaining.remove(content)
            else:
                assert content == tuple(table.loc[row])
        assert remaining == []


def test_copies_stay_together_where_many_records_are_allowed():
    table = pd.concat([raw(100).assign(amount=[str(number) for number in range(100)])] * 2, ignore_index=True)
    amount = {"type": "number", "minimum": 0, "maximum": 10**6, "decimals": 2, "nullable": False}
    parts, allowed = divided(table, FEW | {"amount": amount})
    assert allowed > 1e8
    assert sum(part["amount"].nunique() for part in parts.values()) == 100
