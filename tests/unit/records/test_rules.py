"""Rules: what the expression language reads and refuses, what a rule leaves of a field, and violations in real data."""

from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import byte_tokenizer

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.rules import Rules
from paracosm.records.codec.automata.automaton import Node
from paracosm.records.codec.automata.field_code import FieldCode
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.restriction import next_value, restrict_to_range, restrict_to_values
from paracosm.records.constraints.bounds import bounds
from paracosm.records.constraints.parser import read_expression
from paracosm.records.constraints.rules import read_rules
from paracosm.records.schema.schema import Field, Record, Schema, Value
from paracosm.records.stage import prepare

SCHEMA = Schema(
    (
        Field(name="sex", type="category", categories=("female", "male")),
        Field(name="pregnancies", type="integer", minimum=0, maximum=9, nullable=True),
        Field(
            name="admission",
            type="datetime",
            format="%Y-%m-%d",
            minimum=datetime(2020, 1, 1),
            maximum=datetime(2021, 12, 31),
        ),
        Field(
            name="discharge",
            type="datetime",
            format="%Y-%m-%d",
            minimum=datetime(2020, 1, 1),
            maximum=datetime(2022, 12, 31),
        ),
        Field(name="height (cm)", type="number", decimals=1, minimum=120.0, maximum=220.0),
        Field(name="weight", type="number", decimals=1, minimum=30.0, maximum=200.0),
        Field(name="bmi", type="number", decimals=1, minimum=5.0, maximum=90.0),
        Field(name="smoker", type="boolean"),
    )
)
RECORD: Record = {
    "sex": "male",
    "pregnancies": None,
    "admission": datetime(2020, 5, 1),
    "discharge": datetime(2020, 5, 4),
    "height (cm)": 180.0,
    "weight": 81.0,
    "bmi": 25.0,
    "smoker": False,
}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("discharge >= admission", True),
        ("discharge - admission == 3", True),
        ("discharge < admission + 3", False),
        ("admission >= '2020-06-01'", False),
        ('if sex == "male" then pregnancies == 0', None),
        ('if sex == "female" then pregnancies == 0', True),
        ("missing(pregnancies) and not smoker", True),
        ("30 <= weight <= 80.9", False),
        ("bmi == round(weight / (`height (cm)` / 100) ** 2, 1)", True),
        ("sex in ('female', 'other')", False),
        ("pregnancies > 3 or smoker", None),
        ("pregnancies > 3 or not smoker", True),
        ("weight / 0 > 1", None),
        ("0.1 + 0.2 == 0.3", True),
        ("(weight if smoker else `height (cm)`) == 180", True),
        ("year(admission) == 2020 and month(admission) == 5", True),
        ("length(sex) == 4", True),
    ],
)
def test_an_expression_is_true_false_or_unknown(text: str, expected: bool | None) -> None:
    assert read_expression(text, SCHEMA, "here").compute(RECORD) is expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("wieght > 3", "there is no field 'wieght'; did you mean 'weight'"),
        ("sex > 'a'", "a text has no order"),
        ("sex == 3", "compares a text with a number"),
        ("weight + sex > 3", "is not defined"),
        ("admission >= 'soon'", "is not a moment such as 2024-12-31"),
        ("weight >", "cannot be parsed"),
        ("__import__('os').system('true')", "there is no function"),
        ("weight.real > 3", "is not part of the language"),
        ("[w for w in (1, 2)]", "is not part of the language"),
        ("(lambda: 1)() > 0", "there is no function"),
        ("abs(weight, 2) > 1", "takes 1 values"),
        ("sex in weight", "needs a list"),
        ("weight in (1, -weight)", "is not a constant number"),
        ("weight ** 3", "a check must be true or false"),
        ("weight" + " + weight" * 400 + " > 1", "longer than"),
        ("(" * 300 + "weight" + ")" * 300 + " > 1", "cannot be parsed"),
    ],
)
def test_an_invalid_rule_is_an_error_of_one_line(text: str, words: str) -> None:
    with pytest.raises(RecipeError, match=r"rules\.checks\[0\]") as caught:
        read_rules(Rules(checks=[text]), SCHEMA, Path())
    assert words in str(caught.value)
    assert "\n" not in str(caught.value)


def test_rules_are_checked_against_real_records(tmp_path: Path) -> None:
    (tmp_path / "sexes.txt").write_text("female\n")
    rules = read_rules(
        Rules(
            checks=["discharge > admission + 3", "weight > 10"],
            derived={"bmi": "round(weight / (`height (cm)` / 100) ** 2, 1)"},
            unique=[["sex", "admission"]],
            references={"sex": "sexes.txt"},
        ),
        SCHEMA,
        tmp_path,
    )
    lines = rules.violations([RECORD, RECORD | {"bmi": 26.0}])
    assert lines == [
        "rule 'discharge > admission + 3': 2 of 2 violate it",
        "derived field 'bmi': 1 of 2 have another value",
        "unique sex, admission: 1 of 2 repeat another record",
        "reference list of 'sex': 2 of 2 have a value that is not on it",
    ]
    assert rules.compute(RECORD | {"bmi": None})["bmi"] == 25.0


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        (Rules(derived={"bmi": "sex"}), "is a text; the field holds a number"),
        (Rules(derived={"bmi": "weight", "weight": "bmi"}), "are derived from each other"),
        (Rules(unique=[["sxe"]]), "did you mean 'sex'"),
    ],
)
def test_impossible_rules_are_refused(rules: Rules, words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        read_rules(rules, SCHEMA, Path())


def test_a_reference_list_that_does_not_fit_names_its_line(tmp_path: Path) -> None:
    (tmp_path / "ages.txt").write_text("3\nmany\n")
    with pytest.raises(DataError, match=r"ages\.txt:2"):
        read_rules(Rules(references={"pregnancies": "ages.txt"}), SCHEMA, tmp_path)


def values_of(part: Node | None, code: FieldCode) -> list[Value]:
    """Return every value whose encoding a part of an automaton accepts."""
    found: list[Value] = []

    def walk(node: Node, path: tuple[int, ...]) -> None:
        if node.accepts:
            found.append(code.read(path))
        for token, then in node.edges.items():
            walk(then, (*path, token))

    if part is not None:
        walk(part, ())
    return found


@st.composite
def ranged_fields(draw: st.DrawFn) -> Field:
    kind = draw(st.sampled_from(["integer", "number", "scientific", "datetime"]))
    nullable = draw(st.booleans())
    if kind == "integer":
        low = draw(st.integers(-150, 150))
        return Field(
            name="x", type="integer", nullable=nullable, minimum=low, maximum=low + draw(st.integers(0, 250))
        )
    if kind == "number":
        low = draw(st.integers(-150, 150))
        high = low + draw(st.integers(0, 250))
        return Field(
            name="x", type="number", decimals=1, nullable=nullable, minimum=low / 10, maximum=high / 10
        )
    if kind == "scientific":
        low, high = sorted(
            draw(st.sampled_from([-300.0, -2.0, -0.04, 0.0, 0.3, 5.0, 70.0])) for _ in range(2)
        )
        return Field(name="x", type="number", scientific=1, nullable=nullable, minimum=low, maximum=high)
    return Field(
        name="x",
        type="datetime",
        format="%Y-%m-%d",
        nullable=nullable,
        minimum=datetime(2019, 12, 20),
        maximum=datetime(2020, 3, 3),
    )


@settings(max_examples=120, deadline=None)
@given(st.data(), ranged_fields())
def test_a_restriction_to_a_range_allows_exactly_its_values(data: st.DataObject, field: Field) -> None:
    codec = Codec(Schema((field,)), byte_tokenizer())
    code = codec.codes[0]
    assert isinstance(code, FieldCode)
    everything = values_of(code.root, code)
    known = sorted(value for value in everything if value is not None)
    grid = st.sampled_from(known)
    if field.is_moment:
        bound = grid
    else:
        bound = st.one_of(grid, st.floats(-400, 400) if field.type == "number" else st.integers(-400, 400))
    low, high = data.draw(st.none() | bound), data.draw(st.none() | bound)
    strict = data.draw(st.booleans())
    first = next_value(low, up=True) if strict and low is not None else low
    found = values_of(restrict_to_range(field, code, first, high, codec.alphabet, missing=False), code)
    expected = [
        value
        for value in known
        if (low is None or (value > low if strict else value >= low)) and (high is None or value <= high)
    ]
    assert sorted(found) == expected


def test_a_restriction_to_values_allows_exactly_them() -> None:
    field = Field(name="day", type="category", categories=("mo", "tu", "tuesday", "tuesdays"), nullable=True)
    code = Codec(Schema((field,)), byte_tokenizer()).codes[0]
    assert isinstance(code, FieldCode)
    for wanted in (["tu"], ["tuesday", None], ["mo", "tuesdays"], list(field.categories)):
        assert set(values_of(restrict_to_values(code, wanted), code)) == set(wanted)
    assert restrict_to_values(code, []) is None


@pytest.mark.parametrize(
    ("text", "field", "expected"),
    [
        ("discharge >= admission", "discharge", (datetime(2020, 5, 1), None)),
        ("discharge >= admission", "admission", (None, datetime(2020, 5, 4))),
        ("discharge - admission <= 2", "discharge", (None, datetime(2020, 5, 3))),
        ("if sex == 'male' then 2 * weight + 1 <= `height (cm)`", "weight", (None, 89.5)),
        ("weight + bmi == `height (cm)`", "weight", (155.0, 155.0)),
        ("10 < weight and weight < 3 * bmi", "weight", (10.0, 75.0)),
        ("-weight >= -50", "weight", (None, 50.0)),
    ],
)
def test_a_rule_is_solved_for_its_last_field(text: str, field: str, expected: tuple[Value, Value]) -> None:
    found = bounds(read_expression(text, SCHEMA, "here"), SCHEMA[field], RECORD)
    assert found is not None
    for bound, wanted in zip((found.low, found.high), expected, strict=True):
        assert bound == wanted or bound == pytest.approx(wanted, abs=1e-6)


@pytest.mark.parametrize("text", ["abs(weight) > 3", "weight > 40 or smoker", "weight * weight > 40"])
def test_a_rule_that_cannot_be_solved_implies_no_bounds(text: str) -> None:
    assert bounds(read_expression(text, SCHEMA, "here"), SCHEMA["weight"], RECORD | {"smoker": None}) is None


def test_an_invalid_rule_is_reported_before_training(tmp_path: Path) -> None:
    rows = "\n".join(f"{age},{'yes' if age % 3 else 'no'}" for age in range(20, 80))
    (tmp_path / "people.csv").write_text(f"age,ill\n{rows}\n")
    recipe = Recipe.model_validate(
        {"name": "people", "data": {"source": "people.csv"}, "rules": {"checks": ["agee > 3"]}}
    )
    run = Run.create(tmp_path / "run")
    with pytest.raises(RecipeError, match=r"rules\.checks\[0\].*did you mean 'age'"):
        prepare(recipe=recipe, run=run, root=tmp_path)
    assert not run.splits.exists()


NAMED = Schema(
    tuple(
        Field(name=name, type="integer", minimum=0, maximum=9, nullable=True)
        for name in (
            *("class", "and", "a.b", "total (EUR)", "if", "2nd", "quoted_0", "x", "then", "True", "sum"),
            *("größe", "身長 cm", "a`b", "it's", 'size "L"', " padded "),
        )
    )
)


@pytest.mark.parametrize("name", NAMED.names)
def test_backticks_name_any_field(name: str) -> None:
    written = f"`{name.replace('`', '``')}`"
    expression = read_expression(f"{written} > 3 and x >= 0 or missing({written})", NAMED, "rules.checks")
    assert expression.fields == {name, "x"}
    values: Record = dict.fromkeys(NAMED.names, 1)
    assert expression.compute(values | {name: 4}) is True
    assert expression.compute(values | {name: 2}) is False
    assert expression.compute(values | {name: None}) is True


@pytest.mark.parametrize(
    "name", ["class", "and", "a.b", "total (EUR)", "if", "2nd", "身長 cm", "a`b", "it's"]
)
def test_a_field_that_needs_backticks_is_named(name: str) -> None:
    with pytest.raises(RecipeError) as error:
        read_expression(f"{name} > 3", NAMED, "rules.checks")
    written = name.replace("`", "``")
    assert str(error.value).endswith(f"; write `{written}` in backticks")


def test_plain_names_of_other_scripts_need_no_backticks() -> None:
    schema = Schema(
        tuple(Field(name=name, type="integer", minimum=0, maximum=9) for name in ("größe", "ﬁeld", "年齢"))
    )
    for name in schema.names:
        assert read_expression(f"{name} > 3", schema, "rules.checks").fields == {name}


def test_the_word_then_in_a_text_does_not_end_a_condition() -> None:
    schema = Schema((Field(name="note", type="text", max_length=20), Field(name="done", type="boolean")))
    check = read_expression("if note == 'and then' then done", schema, "rules.checks")
    assert check.compute({"note": "and then", "done": False}) is False
    assert check.compute({"note": "and", "done": False}) is True


def test_other_errors_do_not_ask_for_backticks() -> None:
    for text in ("x = 3", "x > 'a' and x > 2", "`class` == 'a'"):
        with pytest.raises(RecipeError) as error:
            read_expression(text, NAMED, "rules.checks")
        assert "in backticks" not in str(error.value)
        assert "quoted_" not in str(error.value)


def test_backticks_in_a_text_are_part_of_it() -> None:
    schema = Schema((Field(name="note", type="text", max_length=20),))
    assert read_expression("note == 'a `b` c'", schema, "rules.checks").compute({"note": "a `b` c"}) is True
