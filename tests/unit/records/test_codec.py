"""The codec and its grammar: any schema, any valid record, any accepted encoding."""

import math
import random
from datetime import datetime

import numpy as np
import pytest
from bitmasks import allowed_columns
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st
from tiny_models import byte_tokenizer

from paracosm.foundation.errors import DataError
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.stored_codec import codec_from_json, codec_to_json
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Field, Record, Schema

ONE_SPECIAL = byte_tokenizer(("12", "00"), one_special=True)
TOKENIZER = byte_tokenizer(("Male", "Female", "12", "00", " the"))
HOSTILE = [
    "",
    "NaN",
    "None",
    "007",
    "-0",
    "1e308",
    '"',
    "'",
    ",",
    "|",
    "\n",
    "\r\n",
    "\t",
    "\\",
    "<|end|>",
    "<|start|>",
    "?",
    "é",
    "😀",
    "שלום",
    "a\u202eb",
    "\x00",
    "x" * 3000,
]

words = st.one_of(st.sampled_from(HOSTILE), st.text(st.characters(exclude_categories=("Cs",)), max_size=12))
names = st.text(min_size=1, max_size=8)


@st.composite
def fields(draw: st.DrawFn, name: str) -> Field:
    kind = draw(
        st.sampled_from(["integer", "number", "scientific", "category", "boolean", "datetime", "text"])
    )
    nullable = draw(st.booleans())
    if kind == "integer":
        low, high = sorted(draw(st.lists(st.integers(-(10**18), 10**18), min_size=2, max_size=2)))
        return Field(name=name, type="integer", nullable=nullable, minimum=low, maximum=high)
    if kind == "number":
        decimals = draw(st.integers(0, 6))
        low, high = sorted(round(draw(st.floats(-1e6, 1e6)), decimals) + 0.0 for _ in range(2))
        return Field(
            name=name, type="number", nullable=nullable, decimals=decimals, minimum=low, maximum=high
        )
    if kind == "scientific":
        digits = draw(st.integers(1, 17))
        low, high = sorted(
            float(
                f"{draw(st.floats(allow_nan=False, allow_infinity=False, max_value=9e307, min_value=-9e307)):.{digits - 1}e}"
            )
            for _ in range(2)
        )
        return Field(
            name=name, type="number", nullable=nullable, scientific=digits, minimum=low, maximum=high
        )
    if kind == "category":
        return Field(
            name=name,
            type="category",
            nullable=nullable,
            categories=tuple(draw(st.lists(words, min_size=1, max_size=6, unique=True))),
        )
    if kind == "boolean":
        return Field(
            name=name, type="boolean", nullable=nullable, true=draw(words) + "1", false=draw(words) + "0"
        )
    if kind == "datetime":
        low, high = sorted(
            draw(st.lists(st.datetimes(datetime(1, 1, 1), datetime(9999, 12, 31)), min_size=2, max_size=2))
        )
        return Field(name=name, type="datetime", nullable=nullable, minimum=low, maximum=high)
    return Field(name=name, type="text", nullable=nullable, max_length=draw(st.integers(1, 3000)))


@st.composite
def schemas(draw: st.DrawFn) -> Schema:
    chosen = draw(st.lists(names, min_size=1, max_size=5, unique=True))
    return Schema(tuple(draw(fields(name)) for name in chosen))


def values(field: Field) -> st.SearchStrategy:
    """Return valid values of a field, the ends of its range among them."""
    low, high = field.minimum, field.maximum
    match field.type:
        case "integer":
            inner = st.one_of(st.integers(low, high), st.sampled_from([low, high]))
        case "number" if field.scientific:
            inner = st.floats(low, high).map(lambda value: float(f"{value:.{field.scientific - 1}e}"))
            inner = st.one_of(inner.filter(field.allows), st.sampled_from([low, high]))
        case "number":
            inner = st.floats(low, high).map(lambda value: round(value, field.decimals) + 0.0)
            inner = st.one_of(inner.filter(field.allows), st.sampled_from([low, high]))
        case "category":
            inner = st.sampled_from(field.categories)
        case "boolean":
            inner = st.booleans()
        case "datetime":
            inner = st.one_of(st.datetimes(low, high), st.sampled_from([low, high]))
        case _:
            inner = words.map(lambda text: text[: field.max_length])
    return st.one_of(st.none(), inner) if field.nullable else inner


@st.composite
def schemas_with_record(draw: st.DrawFn) -> tuple[Schema, Record]:
    schema = draw(schemas())
    return schema, {field.name: draw(values(field)) for field in schema}


relaxed = settings(max_examples=150, deadline=None, suppress_health_check=list(HealthCheck))


@relaxed
@given(
    schemas_with_record(),
    st.sampled_from([TOKENIZER, ONE_SPECIAL]),
    st.sampled_from(["places", "markers"]),
    st.randoms(),
)
def test_a_valid_record_round_trips_and_the_grammar_accepts_it(
    case: tuple[Schema, Record], tokenizer: object, layout: str, chance: random.Random
) -> None:
    schema, record = case
    assert schema.allows(record)
    codec = Codec(schema, tokenizer, layout)
    assume(codec.tokenizer is TOKENIZER or not any("\x1e" in str(value) for value in record.values()))
    order = chance.sample(range(len(schema)), len(schema)) if layout == "markers" else None
    ids = codec.encode(record, order=order)
    assert codec.decode(ids) == record
    matcher = TokenMasks(codec).matcher(codec.grammar(order))
    assert all(matcher.consume_token(token) for token in ids), matcher.get_error()
    assert matcher.is_accepting()


@relaxed
@given(schemas(), st.sampled_from(["places", "markers"]), st.integers(0, 2**32))
def test_everything_that_the_grammar_accepts_is_a_valid_record(
    schema: Schema, layout: str, seed: int
) -> None:
    codec = Codec(schema, TOKENIZER, layout)
    masks = TokenMasks(codec)
    matcher = masks.matcher(codec.grammar())
    chance = np.random.default_rng(seed)
    ids: list[int] = []
    while not matcher.is_accepting():
        allowed = allowed_columns(matcher.compute_bitmask(), None)
        # Texts end sooner or later, so that the walk does.
        token = (
            codec.alphabet.stop
            if codec.alphabet.stop in allowed and chance.random() < 0.2
            else int(chance.choice(allowed))
        )
        assert matcher.consume_token(token)
        ids.append(token)
    record = codec.decode(ids)
    assert schema.allows(record)
    assert list(record) == schema.names


@relaxed
@given(schemas_with_record())
def test_masks_of_a_field_alone_are_the_masks_of_the_whole_grammar(case: tuple[Schema, Record]) -> None:
    schema, record = case
    codec = Codec(schema, TOKENIZER)
    masks = TokenMasks(codec)
    matcher = masks.matcher(codec.grammar())
    for place, segment in enumerate(codec.segments(record)):
        for token, number in zip(segment, masks.of_value(place, segment), strict=True):
            whole = matcher.compute_bitmask()
            assert (
                masks.table[number] == whole
                if number
                else np.unpackbits(np.frombuffer(whole, dtype=np.uint8)).sum() == 1
            )
            assert matcher.consume_token(token)


def test_forced_tokens_are_left_out() -> None:
    schema = Schema(
        (
            Field(name="year", type="integer", minimum=2010, maximum=2019),
            Field(name="sex", type="category", categories=("Female", "Male")),
            Field(name="always", type="category", categories=("the same",)),
        )
    )
    codec = Codec(schema, TOKENIZER)
    assert len(codec.encode({"year": 2015, "sex": "Male", "always": "the same"})) == 2


@pytest.mark.parametrize("value", [9.0, -1.0, math.nan, 1.25, None, "1.0"])
def test_a_value_outside_its_domain_is_refused(value: object) -> None:
    codec = Codec(
        Schema((Field(name="dose", type="number", decimals=1, minimum=0.0, maximum=8.0),)), TOKENIZER
    )
    with pytest.raises(DataError, match="field 'dose'"):
        codec.encode({"dose": value})


@pytest.mark.parametrize("day", ["1999-02-29", "2000-02-30", "2001-04-31", "2003-01-02"])
def test_dates_that_do_not_exist_or_lie_outside_have_no_encoding(day: str) -> None:
    field = Field(
        name="day",
        type="datetime",
        format="%Y-%m-%d",
        minimum=datetime(1999, 1, 1),
        maximum=datetime(2003, 1, 1),
    )
    codec = Codec(Schema((field,)), TOKENIZER)
    inside = codec.encode({"day": datetime(2000, 2, 29)})
    assert codec.decode(inside) == {"day": datetime(2000, 2, 29)}
    digits = [codec.alphabet.symbols[digit] for digit in day.replace("-", "")]
    matcher = TokenMasks(codec).matcher(codec.grammar())
    assert not (all(matcher.consume_token(token) for token in digits[1:]) and matcher.is_accepting())


def test_a_codec_round_trips_through_json() -> None:
    schema = Schema(
        (
            Field(name="when", type="datetime", minimum=datetime(1999, 1, 1), maximum=datetime(2003, 1, 1)),
            Field(name="é", type="text", max_length=9, nullable=True),
        )
    )
    codec = Codec(schema, TOKENIZER, "markers")
    assert codec_from_json(codec_to_json(codec), TOKENIZER) == codec
