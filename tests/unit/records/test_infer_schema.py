import datetime
import decimal
import uuid

import numpy as np
import pandas as pd
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.codec.automata.datetime_automaton import parts_written
from paracosm.records.inference.column_type import infer_type
from paracosm.records.inference.infer_schema import infer, infer_types
from paracosm.records.schema.table import to_typed, written

MANY = range(40)


def column(cells, name="c", **settings):
    raw = pd.DataFrame({name: cells, "other": ["x", "y"] * (len(cells) // 2) + ["x"] * (len(cells) % 2)})
    return infer_types(raw, Data(source="a.csv", **settings))[name]


def as_written(cells, **settings):
    raw = pd.DataFrame({"c": cells})
    schema = infer_types(raw, Data(source="a.csv", **settings))
    return written(to_typed(raw, schema), schema)["c"].tolist()


INTEGERS = [
    (["1", "20", "-3"], {}),
    (["007", "012", "999"], {"width": 3}),
    (["5 mg", "12 mg"], {"suffix": " mg"}),
    (["$5", "$12"], {"prefix": "$"}),
    (["EUR5", "EUR12"], {"prefix": "EUR"}),
    (["233.0", "41.0", "7.0"], {"suffix": ".0"}),
    (["12.00 kg", "9.00 kg"], {"suffix": ".00 kg"}),
    (["0", "1", "1"], {}),
    (["9223372036854775807", "-9223372036854775808"], {}),
]


@pytest.mark.parametrize(("cells", "attributes"), INTEGERS)
def test_integers(cells, attributes):
    field = column(cells)
    assert field.type == "integer"
    assert {key: getattr(field, key) for key in attributes} == attributes
    assert as_written(cells) == cells


NUMBERS = [
    (["1.50", "2.25"], {"decimals": 2, "trim": False}),
    (["1.5", "2.25", "3"], {"decimals": 2, "trim": True, "least_decimals": 0}),
    (["1.0", "2.25", "3.5"], {"decimals": 2, "trim": True, "least_decimals": 1}),
    (["-0.5", "12.5"], {"decimals": 1}),
    (["12.5 kg", "9.0 kg"], {"decimals": 1, "suffix": " kg"}),
    (["12.5%", "9.1%"], {"suffix": "%"}),
    (["1e+308", "1e-09", "2.5"], {"scientific": 2, "decimals": 0}),
    (["0.30000000000000004", "0.1"], {"scientific": 17}),
    (["123456789012.12344", "1.5"], {"scientific": 17}),
    (["-0", "3"], {"decimals": 0}),
]


@pytest.mark.parametrize(("cells", "attributes"), NUMBERS)
def test_numbers(cells, attributes):
    field = column(cells)
    assert field.type == "number"
    assert {key: getattr(field, key) for key in attributes} == attributes


@pytest.mark.parametrize(
    "cells",
    [cells for cells, attributes in NUMBERS if attributes.get("scientific") is None and "-0" not in cells],
)
def test_fixed_point_numbers_round_trip(cells):
    assert as_written(cells) == cells


@pytest.mark.parametrize(
    "cells",
    [
        ["01", "123"],
        ["5 mg", "5 kg"],
        ["A12", "A13"],
        ["1.2.3", "1.2.4"],
        ["9223372036854775808", "5"],
        ["+5", "6"],
        ["٣", "٤"],
    ],
)
def test_cells_that_only_resemble_quantities_stay_words(cells):
    assert column(cells * 10).type in ("category", "number")
    assert as_written(cells * 10) == cells * 10 or column(cells * 10).type == "number"


@pytest.mark.parametrize("infinite", ["inf", "-Infinity", "1e999"])
def test_an_infinity_among_numbers_is_an_error(infinite):
    with pytest.raises(DataError, match=r"column 'c': row 2 holds an infinite number"):
        column(["1.5", infinite, "2.5"])


def test_an_infinity_among_native_floats_is_an_error():
    with pytest.raises(DataError, match="row 3 holds an infinite number"):
        column([1.0, 2.0, float("inf")])


@pytest.mark.parametrize(
    ("cells", "true"),
    [
        (["True", "False"], "True"),
        (["no", "yes"], "yes"),
        (["Y", "N"], "Y"),
        (["f", "t"], "t"),
        ([True, False], "True"),
    ],
)
def test_booleans_are_pairs_of_words(cells, true):
    field = column(cells * 5)
    assert (field.type, field.true) == ("boolean", true)
    assert as_written(cells * 5) == [str(cell) for cell in cells * 5]


@pytest.mark.parametrize("cells", [["True", "TRUE", "False"], ["yes", "true"], ["yes"]])
def test_other_words_are_not_booleans(cells):
    assert column(cells * 10).type == "category"


DATES = [
    (["2024-02-29", "2023-01-01"], "%Y-%m-%d"),
    (["2024/02/29", "2023/01/01"], "%Y/%m/%d"),
    (["02/29/2024", "01/01/2023"], "%m/%d/%Y"),
    (["29/02/2024", "01/01/2023"], "%d/%m/%Y"),
    (["3/9/2024", "12/31/2023"], "%-m/%-d/%Y"),
    (["03/22/23", "01/01/24"], "%m/%d/%y"),
    (["29.02.2024", "01.01.2023"], "%d.%m.%Y"),
    (["29 Feb 2024", "01 Jan 2023"], "%d %b %Y"),
    (["February 9, 2024", "January 1, 2023"], "%B %-d, %Y"),
    (["2024-02-29T10:00:00", "2023-01-01T23:59:59"], "%Y-%m-%dT%H:%M:%S"),
    (["2024-02-29 10:00", "2023-01-01 23:59"], "%Y-%m-%d %H:%M"),
    (["2024-02-29 10:00:00.000001", "2023-01-01 23:59:59.500000"], "%Y-%m-%d %H:%M:%S.%f"),
    (["2024-02-29T10:00:00Z", "2023-01-01T23:59:59Z"], "%Y-%m-%dT%H:%M:%SZ"),
    (["2024-02-29T10:00:00+02:00", "2023-01-01T23:59:59+02:00"], "%Y-%m-%dT%H:%M:%S+02:00"),
    (["2/29/2024 9:05 AM", "1/1/2023 11:59 PM"], "%-m/%-d/%Y %-I:%M %p"),
]


@pytest.mark.parametrize(("cells", "code"), DATES)
def test_datetimes_have_one_format_that_reproduces_every_cell(cells, code):
    field = column(cells * 6)
    assert (field.type, field.format) == ("datetime", code)
    assert as_written(cells * 6) == cells * 6


@pytest.mark.parametrize(
    "cells",
    [
        ["2024-02-30", "2023-01-01"],
        ["2024-01-01", "1/1/2024"],
        ["2024-01-01T00:00:00Z", "2024-01-01T00:00:00+01:00"],
        ["3/9/2024", "03/10/2024"],
    ],
)
def test_dates_without_one_format_stay_words(cells):
    assert column(cells * 10).type == "category"


def test_an_ambiguous_order_of_day_and_month_is_a_warning():
    raw = pd.DataFrame({"c": ["01/02/2024", "03/04/2024"] * 5})
    inference = infer(raw, Data(source="a.csv"))
    assert inference.schema["c"].format == "%m/%d/%Y"
    assert "the order of day and month is ambiguous" in inference.warnings[0]


def test_eight_digits_are_dates_under_a_name_that_says_so():
    assert column(["20240229", "20230101"] * 5, name="visit_date").format == "%Y%m%d"
    assert column(["20240229", "20230101"] * 5, name="amount").type == "integer"


NATIVE = [
    (pd.Series([1, 2, 300], dtype="int16"), "integer"),
    (pd.Series([1, None, 3], dtype="Int64"), "integer"),
    (pd.Series([1.0, np.nan, 3.0]), "integer"),
    (pd.Series([1.5, np.nan, 3.0]), "number"),
    (pd.Series([0.1, 0.7], dtype="float32"), "number"),
    (pd.Series([decimal.Decimal("1.50"), decimal.Decimal("2.25")]), "number"),
    (pd.Series([True, False, None], dtype="boolean"), "boolean"),
    (pd.to_datetime(pd.Series(["2024-01-01", "2024-01-02"])), "datetime"),
    (pd.to_datetime(pd.Series(["2024-01-01 10:00", None])), "datetime"),
    (pd.to_datetime(pd.Series(["2024-01-01 10:00", "2024-01-02 10:00"]), utc=True), "datetime"),
    (pd.Series([datetime.date(2024, 1, 1), None], dtype=object), "datetime"),
    (pd.Series(["a", "b", "a", None], dtype="category"), "category"),
    (pd.Series([uuid.UUID(int=number) for number in range(12)], dtype=object), "identifier"),
]


@pytest.mark.parametrize(("cells", "kind"), NATIVE, ids=lambda each: str(getattr(each, "dtype", each)))
def test_native_columns(cells, kind):
    raw = pd.DataFrame({"c": cells, "other": ["x"] * len(cells)})
    schema = infer_types(raw, Data(source="a.csv"))
    assert schema["c"].type == kind
    typed = to_typed(raw, schema)
    assert typed["c"].isna().tolist() == cells.isna().tolist()


def test_a_zone_with_summer_time_is_read_as_its_local_time():
    local = pd.Series(
        ["2024-01-05 10:00", None, "2024-07-05 09:30", "2024-10-27 02:30"], dtype="datetime64[us]"
    )
    zoned = local.dt.tz_localize("Europe/Berlin", ambiguous=True)
    told = (
        "column 'c': has a time zone with several offsets from UTC; read as its local time, without the zone"
    )
    for cells in (zoned, zoned.astype(object)):
        raw = pd.DataFrame({"c": cells})
        inference = infer(raw, Data(source="a.csv"))
        assert (inference.schema["c"].type, inference.warnings) == ("datetime", (told,))
        assert to_typed(raw, inference.schema)["c"].tolist() == local.tolist()


def test_a_zone_with_one_offset_keeps_it():
    local = pd.Series(["2024-01-05 10:00", "2024-02-05 09:30"], dtype="datetime64[us]")
    inference = infer(pd.DataFrame({"c": local.dt.tz_localize("Europe/Berlin")}), Data(source="a.csv"))
    assert (inference.schema["c"].format, inference.warnings) == ("%Y-%m-%dT%H:%M:%S+0100", ())


def test_float32_keeps_its_short_digits():
    assert column(np.array([0.1, 0.75], dtype="float32")).decimals == 2


@pytest.mark.parametrize("nested", [[[1], [2]], [{"a": 1}, {"a": 2}], [b"x", b"y"]])
def test_nested_cells_are_an_error_unless_dropped(nested):
    raw = pd.DataFrame({"c": nested, "d": ["x", "y"]})
    with pytest.raises(DataError, match="column 'c': row 1 holds a"):
        infer_types(raw, Data(source="a.csv"))
    assert infer_types(raw, Data(source="a.csv", drop=["c"])).names == ["d"]


def test_text_that_no_file_can_hold_is_an_error():
    raw = pd.DataFrame({"c": pd.Series(["x", "\ud83d"], dtype=object)})
    with pytest.raises(DataError, match="column 'c': row 2 holds a lone surrogate, which UTF-8 cannot write"):
        infer_types(raw, Data(source="a.csv"))


IDENTIFIERS = [
    ("id", [str(7 * number + 100) for number in MANY]),
    ("ComplaintID", [str(7 * number + 100) for number in MANY]),
    ("row", [str(number) for number in MANY]),
    ("code", [f"VA{number:03d}" for number in MANY]),
    ("code", [f"{number:03d}-x{number % 7}b" for number in MANY]),
    ("telephone", [f"(555) {number:03d}-1234" for number in MANY]),
    ("contact", [f"p{number}@example.org" for number in MANY]),
    ("contact", [f"p{number % 3}@example.org" for number in MANY]),
    ("last_name", [chr(65 + number // 2) + "ones" for number in MANY]),
    ("plate", [f"AB {number:02d} {chr(97 + number % 26)}" for number in MANY]),
    ("patient_id", [str(1000 + number) for number in MANY] * 3),
]


@pytest.mark.parametrize(("name", "cells"), IDENTIFIERS)
def test_identifiers_are_detected_with_a_warning(name, cells):
    inference = infer(pd.DataFrame({name: cells, "v": ["1", "2"] * (len(cells) // 2)}), Data(source="a.csv"))
    assert inference.schema[name].type == "identifier"
    assert not inference.schema[name].fresh
    assert any(repr(name) in warning for warning in inference.warnings)


WORDS = [
    ("category", "job", ["nurse", "clerk", "cook"] * 10),
    (
        "category",
        "finding",
        ["critical account/ other credits existing (not at this bank)", "no credits taken at all, ever"] * 10,
    ),
    ("category", "telephone", ["none", "yes, registered"] * 10),
    ("text", "note", [f"The patient came in on day {number} and felt well." for number in MANY]),
    (
        "text",
        "clause",
        ["[]"] * 30
        + [f"Each party shall, within {number} days, give notice in writing." for number in range(10)],
    ),
    (
        "text",
        "complaint",
        [f"{word} {part}" for word in ("sore", "dull", "sharp", "burning") for part in "abcdefghij"],
    ),
    ("category", "zip", [f"{number % 50:03d}-X" for number in range(400)]),
    ("text", "zip", [f"{number % 250:03d}-X" for number in range(400)]),
    ("integer", "year", [str(1980 + number) for number in MANY]),
    ("integer", "charges", [str(number * number + 17) for number in MANY]),
    ("category", "zip", [f"Z{number:04d}" for number in range(2100)] * 3),
    ("text", "zip", [f"Z{number:05d}" for number in range(10_001)] * 2),
]


@pytest.mark.parametrize(("kind", "name", "cells"), WORDS)
def test_words_and_quantities_reach_the_model(kind, name, cells):
    assert column(cells, name=name).type == kind


DOUBTS = [
    (
        ["12", "?", *[str(number) for number in range(20, 45)]],
        "holds numbers except for cells such as one of the shape '?'",
    ),
    (
        ["1.10", "1.1", *[f"{number}.5" for number in range(40)]],
        "holds numbers, but cells such as one of the shape '9.99' would be written in another way",
    ),
    (
        [f"{day}/1/2024" for day in range(13, 29)] + ["[]/1/2024"] * 2,
        "holds dates like %-d/%-m/%Y except for",
    ),
]


@pytest.mark.parametrize(("cells", "expected"), DOUBTS)
def test_near_numbers_and_dates_get_a_warning_and_are_not_identifiers(cells, expected):
    inference = infer(pd.DataFrame({"c": cells}), Data(source="a.csv"))
    assert inference.schema["c"].type in ("category", "text")
    assert expected in inference.warnings[0]


def test_an_empty_column_is_left_out_with_a_warning():
    inference = infer(pd.DataFrame({"c": [None, None], "v": ["1", "2"]}), Data(source="a.csv"))
    assert inference.schema.names == ["v"]
    assert inference.warnings == ("column 'c': has no cells at all; left out of the model",)


def test_a_subject_is_an_identifier_whatever_it_looks_like():
    raw = pd.DataFrame({"ward": ["a", "b"] * 6, "v": ["1", "2"] * 6})
    assert infer_types(raw, Data(source="a.csv", subject="ward"))["ward"].type == "identifier"


def test_a_subject_without_cells_is_an_error():
    raw = pd.DataFrame({"pid": [None] * 12, "v": ["1", "2"] * 6})
    with pytest.raises(DataError, match=r"^data\.subject: 'pid' has no cells; name a column that identifies"):
        infer_types(raw, Data(source="a.csv", subject="pid"))


OVERRIDES = [
    (["1", "2"] * 5, {"type": "category"}, "category"),
    (["1", "0"] * 5, {"type": "boolean"}, "boolean"),
    (["1.0", "0.0"] * 5, {"type": "boolean"}, "boolean"),
    (["1", "2"] * 5, {"type": "number"}, "number"),
    (["1", "2"] * 5, {"categories": ["1", "2", "3"]}, "category"),
    (["a", "b"] * 5, {"type": "text"}, "text"),
    (["a", "b"] * 5, {"fresh": True}, "identifier"),
    (["a1", "b2"] * 10, {"type": "identifier"}, "identifier"),
    (["010224", "020224"] * 5, {"type": "datetime", "format": "%d%m%y"}, "datetime"),
    (["010224", "020224"] * 5, {"format": "%d%m%y"}, "datetime"),
    (
        ["Mon 1/1/24, 5% at 3 PM", "Thu 15/2/24, 5% at 3 AM"],
        {"format": "%a %-d/%-m/%y, 5%% at %-I %p"},
        "datetime",
    ),
]


@pytest.mark.parametrize(("cells", "override", "kind"), OVERRIDES)
def test_the_recipe_decides_a_type(cells, override, kind):
    field = column(cells, fields={"c": override})
    assert field.type == kind
    assert field.fresh is bool(override.get("fresh"))


def test_a_declared_format_reproduces_every_cell():
    cells = ["Mon 2024-01-01 is day 001, 5%m", "Thu 2024-02-15 is day 046, 5%m"]
    assert as_written(cells, fields={"c": {"format": "%a %Y-%m-%d is day %j, 5%%m"}}) == cells
    assert parts_written("%Y, 5%%m") == (("year", 4),)


@pytest.mark.parametrize(
    ("cell", "words"),
    [
        ("no", ("yes", "no")),
        ("Yes", ("Yes", "No")),
        ("FALSE", ("TRUE", "FALSE")),
        ("N", ("Y", "N")),
        ("t", ("t", "f")),
        ("1", ("1", "0")),
        ("0.0", ("1.0", "0.0")),
    ],
)
def test_one_word_is_enough_for_a_declared_boolean(cell, words):
    field = column([cell] * 5, fields={"c": {"type": "boolean"}})
    assert (field.true, field.false) == words
    assert as_written([cell] * 5, fields={"c": {"type": "boolean"}}) == [cell] * 5


def test_declared_decimals_round():
    assert as_written(["1.7998047", "0.19998169"], fields={"c": {"decimals": 2}}) == ["1.80", "0.20"]
    assert as_written(["1.75", "0.5", "2"], fields={"c": {"decimals": 1}}) == ["1.8", "0.5", "2"]


MISFITS = [
    (
        {"type": "integer"},
        ["1", "2", "x1y"],
        "column 'c': is declared integer, but row 3 holds a cell of the shape 'a9a'",
    ),
    ({"type": "number"}, ["1.5", "secret", "2"], "row 2 holds a cell of the shape 'aaaaaa'"),
    ({"type": "number"}, ["1 kg", "1 g"], "not all written in one way"),
    ({"type": "datetime"}, ["2024-01-01", "soon"], "row 2 holds a cell of the shape 'aaaa'"),
    (
        {"type": "datetime", "format": "%Y"},
        ["2024", "soon"],
        "row 2 holds a cell of the shape 'aaaa', which is not a datetime like '%Y'",
    ),
    (
        {"format": "%Y-%m-%dT%H:%M:%S%z"},
        ["2024-01-01T10:00:00+0100", "2024-07-01T10:00:00+0200"],
        "data.fields.c.format: '%z' cannot be modelled; allowed: %Y, %y, %m, %b,",
    ),
    ({"format": "%Y-%W-%w"}, ["2024-07-1", "2024-08-2"], "data.fields.c.format: '%W' cannot be modelled"),
    ({"format": "%c"}, ["Mon Jan  1 10:00:00 2024"], "'%c' cannot be modelled"),
    ({"format": "%-y"}, ["4", "5"], "'%-y' cannot be modelled"),
    ({"format": "%Y%"}, ["2024%", "2025%"], "'%' cannot be modelled"),
    ({"format": "%a %m/%Y"}, ["Mon 01/2024", "Tue 02/2024"], "'%a' cannot be modelled without a day"),
    (
        {"type": "boolean"},
        ["yes", "no", "maybe"],
        "its 3 distinct cells are not a known pair of words; allowed: true/false, yes/no,",
    ),
    ({"type": "boolean"}, ["maybe"] * 3, "its 1 distinct cells are not a known pair"),
    ({"type": "boolean"}, ["no", "No"], "its 2 distinct cells are not a known pair"),
    (
        {"type": "category", "decimals": 2},
        ["1", "2"],
        "data.fields.c.decimals: is for fields of type number, but the column is category",
    ),
    (
        {"categories": ["a"], "minimum": 1},
        ["a", "a"],
        "data.fields.c.minimum: is for fields of type integer or number or datetime",
    ),
]


@pytest.mark.parametrize(("override", "cells", "expected"), MISFITS)
def test_a_declared_type_that_cells_do_not_have(override, cells, expected):
    raw = pd.DataFrame({"c": cells})
    data = Data(source="a.csv", fields={"c": override})
    with pytest.raises(DataError) as error:
        to_typed(raw, infer_types(raw, data))
    assert expected in str(error.value)
    assert "secret" not in str(error.value)
    assert "\n" not in str(error.value)


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({"drop": ["aeg"]}, "data.drop: there is no column 'aeg'; did you mean 'age'?"),
        ({"fields": {"zzzz": {}}}, "data.fields: there is no column 'zzzz'; there are: age, job"),
        ({"target": "jobs"}, "data.target: there is no column 'jobs'; did you mean 'job'?"),
        ({"subject": "jo"}, "data.subject: there is no column 'jo'; did you mean 'job'?"),
        ({"target": "job", "drop": ["job"]}, "data.target: the column 'job' is also in data.drop"),
        ({"target": "job", "subject": "job"}, "data.target: 'job' is an identifier"),
        ({"drop": ["age", "job"]}, "no column is left to model"),
    ],
)
def test_an_unknown_column_in_the_recipe_is_an_error(settings, expected):
    raw = pd.DataFrame({"age": ["1", "2"], "job": ["x", "y"]})
    with pytest.raises(DataError) as error:
        infer_types(raw, Data(source="a.csv", **settings))
    assert expected in str(error.value)


def test_classes_of_a_quantity_are_not_numbers_in_several_units():
    inference = infer(pd.DataFrame({"c": ["<=50K", ">50K"] * 20}), Data(source="a.csv"))
    assert inference.schema["c"].type == "category"
    assert inference.warnings == ()


def test_numbered_keys_with_a_mark_in_front_are_identifiers_by_their_name() -> None:
    raw = pd.DataFrame({"Order ID": [f"#{10001 + row}" for row in range(40)], "size": ["a", "b"] * 20})
    inferred = infer(raw, Data(source="a.csv"))
    assert [field.type for field in inferred.schema] == ["identifier", "category"]


def test_passages_that_few_records_share_are_texts_and_statements_are_categories() -> None:
    passages = [
        f"passage {number} is about the loan that a customer of branch {number} took long ago"
        for number in range(30)
    ]
    assert infer_type("context", dict.fromkeys(passages, 3)).type == "text"
    assert infer_type("answer", dict.fromkeys(passages[:25], 40)).type == "category"
