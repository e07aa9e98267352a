"""Kinds of fields: only their own modules know the types, and a new kind is one module."""

import ast
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import get_args

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_models import byte_tokenizer

from paracosm.recipes.sections.data import Data, FieldOverride, FieldType
from paracosm.records.codec.automata.field_code import choice_code
from paracosm.records.codec.codec import Codec
from paracosm.records.fields.bases import Kind
from paracosm.records.fields.kind import KINDS, register
from paracosm.records.inference.domains import fit_domains
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import read_table, to_records, to_typed, write_table, written

ROOT = Path(__file__).parents[3]
ROOMS = ("recipes", "records", "finetune", "generate", "eval", "registry", "paracosm", "cli", "bench")
TYPES = frozenset(get_args(FieldType))
KNOWN_HERE = ("records/fields", "recipes/sections/data.py")
"""Where types are named: their kinds, and the recipe's list of them."""


def _literals(node: ast.expr) -> set[object]:
    if isinstance(node, ast.Tuple | ast.List | ast.Set):
        return set().union(*map(_literals, node.elts))
    return {node.value} if isinstance(node, ast.Constant) else set()


def _of_a_type(node: ast.expr) -> bool:
    return isinstance(node, ast.Attribute) and node.attr == "type"


def _decisions_by_type(source: str) -> Iterator[int]:
    """Yield the lines that match the type of something, compare it with names of field types, or map three of them."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Match) and _of_a_type(node.subject):
            yield node.lineno
        if isinstance(node, ast.Compare):
            sides = [node.left, *node.comparators]
            if any(map(_of_a_type, sides)) and TYPES & set().union(*map(_literals, sides)):
                yield node.lineno
        if isinstance(node, ast.Dict):
            keys = {key.value for key in node.keys if isinstance(key, ast.Constant)}
            if len(TYPES & keys) > 2:
                yield node.lineno


def test_only_the_kinds_decide_by_the_type_of_a_field() -> None:
    wrong = [
        f"{path.relative_to(ROOT)}:{line}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        if not str(path.relative_to(ROOT)).startswith(KNOWN_HERE)
        for line in _decisions_by_type(path.read_text(encoding="utf-8"))
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "source",
    [
        'field.type == "text"',
        'schema[name].type not in ("integer", "number")',
        "match field.type:\n    case _:\n        pass",
        'TYPES = {"integer": 1, "number": 2, "datetime": 3}',
    ],
)
def test_the_law_finds_decisions(source: str) -> None:
    assert list(_decisions_by_type(source)) == [1]


def test_every_type_of_a_recipe_has_a_kind() -> None:
    assert set(KINDS) == TYPES
    assert all(kind.name == name for name, kind in KINDS.items())


class Traffic(Kind):
    """Three words, written in capitals."""

    name = "traffic"
    discrete = True
    LIGHTS = ("red", "amber", "green")

    def read(self, field, text):
        return {light.upper(): light for light in self.LIGHTS}[text]

    def write(self, field, value):
        return value.upper()

    def allows(self, field, value):
        return value in self.LIGHTS

    def code(self, field, tokenizer, alphabet):
        return choice_code([(light, light) for light in self.LIGHTS], tokenizer, alphabet)

    def values(self, field, at_most):
        return list(self.LIGHTS)

    def draw(self, field, rng):
        return self.LIGHTS[rng.integers(3)]

    def summary(self, field):
        return "3 lights"


def test_a_new_kind_needs_its_own_module_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(KINDS, "traffic", None)
    register(Traffic())
    raw = pd.DataFrame({"light": ["RED", None, "GREEN", "AMBER"]}, dtype="string")
    schema = Schema((Field(name="light", type="traffic"),))
    typed = to_typed(raw, schema)
    schema = Schema.from_json(fit_domains(schema, typed, Data(source="a.csv")).to_json())
    assert schema["light"] == Field(name="light", type="traffic", nullable=True, missing=0.25)

    codec = Codec(schema, byte_tokenizer())
    records = to_records(typed, schema)
    assert [record["light"] for record in records] == ["red", None, "green", "amber"]
    assert [codec.decode(codec.encode(record)) for record in records] == records
    write_table(typed, tmp_path / "a.parquet", schema)
    assert pq.read_schema(tmp_path / "a.parquet").field("light").type == pa.string()
    assert written(read_table(tmp_path / "a.parquet", schema), schema).equals(raw)

    field = schema["light"]
    assert {field.kind.draw(field, np.random.default_rng(seed)) for seed in range(20)} == set(Traffic.LIGHTS)
    assert field.kind.summary(field) == "3 lights"
    assert replace(field, nullable=False).allows("red")
    assert not field.allows("blue")
    assert FieldOverride.model_validate({"nullable": True} | field.kind.declaration(field)).nullable
