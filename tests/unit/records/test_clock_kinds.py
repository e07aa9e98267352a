"""Times of day and durations: from the cells of a source to records, under rules and in metrics, and back."""

from datetime import time, timedelta
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tiny_models import byte_tokenizer

from paracosm.eval.representations.features import as_floats, plain_frame
from paracosm.finetune.objectives.rank_smoothing import Smoothing
from paracosm.foundation.errors import DataError, RecipeError
from paracosm.generate.constraints.quotas import recipe_value
from paracosm.recipes.sections.data import Data, FieldOverride
from paracosm.records.codec.automata.automaton import Node
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.restriction import next_value, restrict_to_range
from paracosm.records.constraints.bounds import bounds
from paracosm.records.constraints.parser import read_expression
from paracosm.records.formats.cells import to_separate_strings
from paracosm.records.inference.declared_schema import without_inferred
from paracosm.records.inference.domains import fit_domains
from paracosm.records.inference.infer_schema import Inference, infer
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records, to_typed, write_table, written


def inferred(name: str, cells: list[str], **override: object) -> Inference:
    """Return the inference of a column beside an ordinary one."""
    raw = pd.DataFrame({name: cells, "sex": ["m", "f"] * (len(cells) // 2)}, dtype="string")
    fields = {name: FieldOverride.model_validate(override)} if override else {}
    return infer(raw, Data(source="a.csv", fields=fields))


SHAPES = [
    ("arrival", ["08:30", "19:15", "00:00", "23:59"], "time", "%H:%M"),
    ("opens", ["8:30 AM", "12:15 PM", "12:00 AM", "1:05 PM"], "time", "%-I:%M %p"),
    ("opens", ["8:30 am", "12:15 pm"], "time", "%-I:%M %P"),
    ("logged", ["14:05:59.250", "00:00:00.000"], "time", "%H:%M:%S.%3f"),
    ("arrival", ["7:05", "12:40"], "time", "%-H:%M"),
    ("waited", ["00:53:40", "02:17:15"], "duration", "%H:%M:%S"),
    ("t", ["1:23:45", "30:00:00"], "duration", "%-H:%M:%S"),
    ("t", ["-1:30:00", "25:00:00"], "duration", "%-H:%M:%S"),
    ("t", ["12:30:15.25", "99:00:00.00"], "duration", "%H:%M:%S.%2f"),
    ("song_length", ["3:45", "12:07"], "duration", "%-M:%S"),
    ("hours_worked", ["8:15", "7:40"], "duration", "%-H:%M"),
    ("closes", ["22:00", "24:00"], "duration", "%H:%M"),
    ("t", ["3 days 04:05:06", "0 days 00:00:01"], "duration", "%-d days %H:%M:%S"),
    ("t", ["1 day, 4:05:06", "3:00:00"], "duration", "%?-d day(s), %-H:%M:%S"),
    ("t", ["PT1H30M", "PT45M"], "duration", "PT%?-HH%?-MM"),
    ("t", ["P1DT2H", "PT5M", "P3D", "P4D"], "duration", "P%?-dDT%?-HH%?-MM"),
    ("t", ["1h 30m", "45m"], "duration", "%?-Hh %?-Mm"),
    ("t", ["1 hour 30 minutes", "2 hours 1 minute"], "duration", "%?-H hour(s) %?-M minute(s)"),
    ("t", ["1h30", "2h45"], "duration", "%-Hh%M"),
    ("t", ["16:9", "4:3"], "category", ""),
    ("bp", ["138/77", "108/79"], "category", ""),
]


@pytest.mark.parametrize(("name", "cells", "kind", "form"), SHAPES)
def test_a_column_has_the_kind_that_gives_back_its_cells(
    name: str, cells: list[str], kind: str, form: str
) -> None:
    field = inferred(name, cells).schema[name]
    assert (field.type, field.format) == (kind, form)
    assert [field.write(field.read(cell)) for cell in cells] == cells


def test_cells_that_may_be_minutes_or_hours_are_told() -> None:
    warnings = inferred("song_length", ["3:45", "12:07"]).warnings
    assert any("minutes and seconds" in line and "data.fields.song_length" in line for line in warnings)
    declared = inferred("song_length", ["3:45", "12:07"], type="duration", format="%-H:%M")
    assert declared.schema["song_length"].read("3:45") == timedelta(hours=3, minutes=45)


@pytest.mark.parametrize(
    ("override", "expected"),
    [
        ({"type": "time", "format": "%Y %H"}, "is not a time of day"),
        ({"type": "duration", "format": "%S:%M"}, "in this order"),
        ({"type": "duration", "format": "minutes"}, "a duration has the codes"),
        ({"type": "time"}, "row 2 holds a cell of the shape '99:99'"),
    ],
)
def test_a_declaration_that_does_not_fit_is_refused(override: dict[str, object], expected: str) -> None:
    with pytest.raises(DataError) as error:
        inferred("closes", ["22:00", "24:00"], **override)
    assert expected in str(error.value)


TIMES = [f"{7 + row % 13:02d}:{row * 7 % 60:02d}" for row in range(60)]
WAITS = [f"{row % 5}:{row * 11 % 60:02d}:{row * 13 % 60:02d}" for row in range(60)]
RAW = pd.DataFrame({"arrival": [None, *TIMES[1:]], "waited": WAITS}, dtype="string")


def fitted(raw: pd.DataFrame = RAW, **fields: dict[str, object]) -> tuple[Schema, pd.DataFrame]:
    data = Data(
        source="a.csv", fields={name: FieldOverride.model_validate(keys) for name, keys in fields.items()}
    )
    schema = infer(raw, data).schema
    table = to_typed(raw, schema)
    return Schema.from_json(fit_domains(schema, table, data).to_json()), table


def test_records_survive_codec_grammar_and_parquet(tmp_path: Path) -> None:
    schema, table = fitted()
    assert [(field.minimum, field.maximum) for field in schema] == [
        (time(7), time(19, 59)),
        (timedelta(0), timedelta(hours=5)),
    ]
    records = to_records(table, schema)
    assert records[1] == {"arrival": time(8, 7), "waited": timedelta(hours=1, minutes=11, seconds=13)}
    codec = Codec(schema, byte_tokenizer())
    assert [codec.decode(codec.encode(record)) for record in records] == records
    write_table(table, tmp_path / "a.parquet", schema)
    assert pq.read_schema(tmp_path / "a.parquet").types == [pa.time64("us"), pa.duration("us")]
    back = read_table(tmp_path / "a.parquet", schema)
    assert back.equals(table)
    assert written(back, schema).astype(object).equals(RAW.astype(object))


def _accepts(node: Node | None, path: list[int]) -> bool:
    for token in path:
        if node is None or token not in node.edges:
            return False
        node = node.edges[token]
    return node is not None and node.accepts


@pytest.mark.parametrize("name", ["arrival", "waited"])
def test_a_range_restricts_the_automaton_to_its_values(name: str) -> None:
    schema, _ = fitted()
    codec = Codec(schema, byte_tokenizer())
    field = schema[name]
    code = codec.codes[schema.names.index(name)]
    values = [field.kind.draw(field, np.random.default_rng(seed)) for seed in range(40)]
    assert all(map(field.allows, values))
    for low, high in pairwise(values):
        node = restrict_to_range(field, code, next_value(low, up=True), high, codec.alphabet, missing=False)
        assert [_accepts(node, code.path(value)) for value in values] == [
            low < value <= high for value in values
        ]


def test_negative_durations_are_encoded_and_restricted() -> None:
    raw = pd.DataFrame(
        {"delay": [f"{'-' if row % 3 else ''}{row}:{row:02d}:07" for row in range(1, 50)]}, dtype="string"
    )
    schema, table = fitted(raw)
    codec = Codec(schema, byte_tokenizer())
    records = to_records(table, schema)
    assert [codec.decode(codec.encode(record)) for record in records] == records
    code = codec.codes[0]
    low, high = timedelta(hours=-10), timedelta(hours=3)
    node = restrict_to_range(schema["delay"], code, low, high, codec.alphabet, missing=False)
    values = [record["delay"] for record in records]
    assert [_accepts(node, code.path(value)) for value in values] == [
        low <= value <= high for value in values
    ]


def test_rules_compare_times_and_count_durations_in_days() -> None:
    schema, _ = fitted()
    open_ = read_expression("arrival >= '08:30' and waited <= 3 / 24", schema, "rules.checks[0]")
    early = {"arrival": time(8, 29), "waited": timedelta(hours=3)}
    assert not open_.compute(early)
    assert open_.compute({**early, "arrival": time(8, 30)})
    assert open_.compute({**early, "arrival": None}) is None
    assert bounds(open_, schema["arrival"], {"waited": timedelta(hours=3)}).low == time(8, 30)
    assert bounds(open_, schema["waited"], early).high == timedelta(hours=3)


def test_conditions_are_written_as_in_the_source() -> None:
    schema, _ = fitted()
    assert recipe_value(schema["arrival"], "08:30", "generate.where.arrival") == time(8, 30)
    assert recipe_value(schema["waited"], "1:02:03", "generate.where.waited") == timedelta(
        hours=1, minutes=2, seconds=3
    )
    with pytest.raises(RecipeError, match="expected, for example, '07:00'"):
        recipe_value(schema["arrival"], 510, "generate.where.arrival")


def test_metrics_measure_seconds() -> None:
    schema, table = fitted()
    assert as_floats(table["arrival"], schema["arrival"])[1] == 8 * 3600 + 7 * 60
    assert np.isnan(as_floats(table["arrival"], schema["arrival"])[0])
    assert plain_frame(table, list(schema))["waited"][1] == 4273
    assert schema["arrival"].kind.label(30_600.0) == "08:30"
    assert schema["waited"].kind.label(90_000.0) == "1 day 01:00:00"


def test_smoothing_moves_times_to_others_of_the_column() -> None:
    schema, table = fitted()
    records = to_records(table, schema)
    moved = [Smoothing.of(records, schema, ranks=4, seed=0)(index, 1) for index in range(len(records))]
    assert moved != records
    assert all(schema.allows(record) for record in moved)


def test_a_declared_domain_needs_nothing_from_the_records() -> None:
    declared = {
        "arrival": {
            "type": "time",
            "format": "%H:%M",
            "minimum": "06:00",
            "maximum": "22:00",
            "nullable": True,
        },
        "waited": {
            "type": "duration",
            "format": "%-H:%M:%S",
            "minimum": 0,
            "maximum": "9:59:59",
            "nullable": False,
        },
    }
    schema, _ = fitted(**declared)
    half = RAW.iloc[:20]
    assert without_inferred(schema).fields == without_inferred(fitted(half, **declared)[0]).fields
    assert (schema["arrival"].minimum, schema["waited"].maximum) == (
        time(6),
        timedelta(hours=9, minutes=59, seconds=59),
    )
    assert schema["arrival"].kind.declaration(schema["arrival"]) == {
        "minimum": "06:00",
        "maximum": "22:00",
        "format": "%H:%M",
    }


def test_a_bound_without_quotes_is_refused() -> None:
    with pytest.raises(DataError, match="is not a time of day in quotes"):
        fitted(arrival={"type": "time", "minimum": 630})


def test_typed_sources_have_one_form_a_column() -> None:
    raw = pd.DataFrame(
        {
            "shift": [time(8, 30), time(9, 0, 0, 250_000), None, time(23)],
            "took": pd.to_timedelta([1.5, 90_000, None, -60], unit="s"),
        }
    )
    schema, table = fitted(raw)
    assert [field.type for field in schema] == ["time", "duration"]
    assert to_records(table, schema)[1] == {
        "shift": time(9, 0, 0, 250_000),
        "took": timedelta(days=1, hours=1),
    }
    assert to_records(table, schema)[3]["took"] == timedelta(minutes=-1)


def test_a_private_run_writes_each_typed_cell_alone() -> None:
    times = pd.Series([time(8, 30), time(9, 0, 0, 250_000)], name="t", dtype=object)
    spans = pd.Series(pd.to_timedelta([5400, 5400.5], unit="s"), name="s")
    assert list(to_separate_strings(times, "%H:%M")) == ["08:30", "09:00:00.250000"]
    assert list(to_separate_strings(spans, "%-H:%M:%S")) == ["1:30:00", "0 days 01:30:00.500000"]
    assert list(to_separate_strings(spans[:1])) == ["0 days 01:30:00"]
