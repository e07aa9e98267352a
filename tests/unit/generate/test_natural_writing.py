"""Values as people write them: the automaton of a field accepts its domain exactly, and reads back what it wrote."""

from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
import pytest
from tiny_models import byte_tokenizer, unigram_tokenizer

from paracosm.generate.constraints.allowed_values import MISSING, PRESENT, AllowedValues
from paracosm.generate.prompting.natural_codec import NaturalCodec
from paracosm.generate.prompting.natural_writing import shown
from paracosm.generate.prompting.summaries import summaries
from paracosm.generate.prompting.wording import Wording
from paracosm.records.codec.automata.automaton import Node
from paracosm.records.schema.schema import Field, Schema, Value

SCHEMA = Schema(
    (
        Field(name="age", type="integer", minimum=7, maximum=121, width=3),
        Field(name="change", type="integer", minimum=-12, maximum=5, nullable=True),
        Field(name="dose", type="number", decimals=2, minimum=-0.3, maximum=1.05, suffix=" mg"),
        Field(
            name="sex", type="category", categories=("f", "female", "unknown", "two\nlines"), nullable=True
        ),
        Field(name="ill", type="boolean", true="yes", false="no"),
        Field(
            name="day",
            type="datetime",
            format="%d.%m.%Y",
            minimum=datetime(2024, 2, 27),
            maximum=datetime(2024, 3, 2),
        ),
    )
)
DOMAINS: dict[str, Sequence[Value]] = {
    "age": list(range(7, 122)),
    "change": [None, *range(-12, 6)],
    "dose": [round(cents / 100, 2) + 0.0 for cents in range(-30, 106)],
    "sex": [None, "f", "female", "unknown", "two\nlines"],
    "ill": [True, False],
    "day": [datetime(2024, 2, day) for day in (27, 28, 29)] + [datetime(2024, 3, day) for day in (1, 2)],
}


@pytest.fixture(scope="module", params=[byte_tokenizer, unigram_tokenizer])
def codec(request: pytest.FixtureRequest) -> NaturalCodec:
    return NaturalCodec(SCHEMA, request.param())


def paths(node: Node) -> Iterator[tuple[int, ...]]:
    if node.accepts:
        yield ()
    for token, then in node.edges.items():
        yield from ((token, *rest) for rest in paths(then))


@pytest.mark.parametrize("name", DOMAINS)
def test_a_field_accepts_its_domain_exactly_and_reads_it_back(codec: NaturalCodec, name: str) -> None:
    writing = codec.writings[SCHEMA.names.index(name)]
    accepted = list(paths(writing.code.root))
    assert len(accepted) == len(set(accepted)) == len(DOMAINS[name])
    assert sorted(map(repr, (writing.code.read(path) for path in accepted))) == sorted(
        map(repr, DOMAINS[name])
    )
    for value in DOMAINS[name]:
        assert writing.code.read(tuple(writing.line(value))) == value


@pytest.mark.parametrize(
    ("name", "allowed", "expected"),
    [
        ("age", AllowedValues(low=98, high=103), list(range(98, 104))),
        ("age", AllowedValues(low=121), [121]),
        ("change", AllowedValues(low=-3, missing=False), list(range(-3, 6))),
        ("change", MISSING, [None]),
        ("change", PRESENT, list(range(-12, 6))),
        ("dose", AllowedValues(low=-0.02, high=0.01), [-0.02, -0.01, 0.0, 0.01]),
        ("sex", AllowedValues(("f",)), [None, "f"]),
        (
            "day",
            AllowedValues(low=datetime(2024, 2, 29), high=datetime(2024, 3, 1)),
            [datetime(2024, 2, 29), datetime(2024, 3, 1)],
        ),
        ("age", AllowedValues(low=9, high=8), None),
    ],
)
def test_what_constraints_leave_is_accepted_exactly(
    codec: NaturalCodec, name: str, allowed: AllowedValues, expected: list[Value] | None
) -> None:
    writing = codec.writings[SCHEMA.names.index(name)]
    node = writing.allowed(allowed)
    if expected is None:
        assert node is None
        return
    assert node is not None
    assert sorted(repr(writing.code.read(path)) for path in paths(node)) == sorted(map(repr, expected))


def test_lines_are_text_as_people_write_it() -> None:
    codec = NaturalCodec(SCHEMA, byte_tokenizer())  # type: ignore[arg-type]  # typed more loosely
    values: dict[str, Value] = {
        "age": 54,
        "change": -3,
        "dose": 0.5,
        "sex": None,
        "ill": True,
        "day": datetime(2024, 3, 1),
    }
    lines = [
        codec.tokenizer.decode(list(codec.writings[index].line(values[name])))
        for index, name in enumerate(SCHEMA.names)
    ]
    assert lines == [
        "age: 54\n",
        "change: -3\n",
        "dose: 0.50\n",
        "sex: not recorded\n",
        "ill: yes\n",
        "day: 20240301\n",
    ]


def test_summaries_tell_nothing_of_few_people() -> None:
    field = Field(name="job", type="category", categories=("nurse", "pope"))
    pay = Field(name="pay", type="integer", minimum=0, maximum=100, nullable=True)
    rows: list[dict[str, Value]] = [{"job": "nurse", "pay": 10 + row % 9} for row in range(60)]
    rows += [{"job": "pope", "pay": None} for _ in range(30)]
    # Thirty rows of one person.
    people = np.array([*range(60), *[99] * 30])
    told = summaries(Schema((field, pay)), rows, people, 5)
    assert told["job"] == "nurse 67%"
    assert "missing" not in told["pay"]
    assert told["pay"] == "half of them between 12 and 16, median 14"
    assert summaries(Schema((pay,)), rows[:12], people[:12], 5) == {}


def test_a_prompt_shows_each_record_the_rows_of_its_set() -> None:
    schema = Schema((Field(name="age", type="integer", minimum=0, maximum=99),))
    wording = Wording(schema, "Visitors.", "Be kind.", {"age": "median 40"}, [[{"age": 11}], [{"age": 22}]])
    first, second = (wording.record_prompt(number, "lines", {"age": 5}) for number in (0, 3))
    assert "age: 11" in first
    assert "age: 22" not in first
    assert "age: 22" in second
    assert first.startswith("Be kind.\nVisitors.")
    assert "- age: whole number from 0 to 99 (median 40)" in first
    assert first.endswith("The record has these values:\nage: 5")
    assert shown(schema["age"], None) == "unknown"
