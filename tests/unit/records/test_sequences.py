"""Sequences of one subject: fitted, encoded, decoded, and sampled in order with the shared fields kept."""

from datetime import datetime

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tiny_models import byte_tokenizer, llama

from paracosm.finetune.models.restricted_head import restrict_head
from paracosm.finetune.objectives.encoded_record import encode_sequence
from paracosm.foundation.errors import DataError, RecipeError
from paracosm.generate.constraints.record_constraints import RecordConstraints
from paracosm.generate.constraints.request import Request
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.rules import Rules
from paracosm.records.assembly import assemble
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.sequence_codec import decode_sequence, sequence_segments
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.constraints.rules import Rulebook, read_rules
from paracosm.records.schema.schema import Field, Record, Schema, SubjectSequence
from paracosm.records.splitting.sequences import sequences

VISITS = Schema(
    (
        Field(name="patient", type="identifier", pattern="P999", fresh=True),
        Field(
            name="day",
            type="datetime",
            format="%Y-%m-%d",
            minimum=datetime(2020, 1, 1),
            maximum=datetime(2020, 12, 31),
        ),
        Field(name="sex", type="category", categories=("f", "m")),
        Field(name="pulse", type="integer", minimum=40, maximum=180, nullable=True),
    ),
    SubjectSequence("patient", "day", ("sex",), 5),
)


def visits_of(data: st.DataObject, most: int) -> list[Record]:
    sex = data.draw(st.sampled_from("fm"))
    days = sorted(data.draw(st.lists(st.integers(1, 28), min_size=1, max_size=most)))
    return [
        {"day": datetime(2020, 2, day), "sex": sex, "pulse": data.draw(st.none() | st.integers(40, 180))}
        for day in days
    ]


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_a_sequence_round_trips_and_its_masks_allow_it(data: st.DataObject) -> None:
    codec = Codec(VISITS, byte_tokenizer())
    records = visits_of(data, 5)
    segments = sequence_segments(codec, records)
    ids = [token for _, segment in segments for token in segment]
    assert decode_sequence(codec, ids) == records
    matcher = TokenMasks(codec).matcher(codec.grammar())
    for token in ids:
        assert matcher.consume_token(token)
    assert matcher.is_accepting()
    encoded = encode_sequence(records, codec, TokenMasks(codec))
    assert [token for segment in encoded.ids for token in segment] == ids
    with pytest.raises(DataError):
        decode_sequence(codec, [*ids, ids[-1]])


def test_sampled_sequences_are_ordered_and_valid_with_constant_shared_fields() -> None:
    tokenizer = byte_tokenizer()
    codec = Codec(VISITS, tokenizer)
    model = llama(tokenizer).eval()
    restrict_head(model, codec.vocabulary)
    decoder = Decoder(AdaptedModel(model, codec, TokenMasks(codec)), batch_size=16)
    rules = read_rules(Rules(checks=["if sex == 'f' then pulse >= 60"]), VISITS, None)  # type: ignore[arg-type]
    for limits in (RuleConstraints(codec.schema, Rulebook(VISITS)), RuleConstraints(codec.schema, rules)):
        requests = [Request(number, guide=RecordConstraints(limits)) for number in range(60)]
        found = [decode_sequence(codec, state.ids) for state in decoder.decode(requests, seed=0)]
        assert {len(records) for records in found} >= {1, 2, 3}
        assert max(len(records) for records in found) <= 5
        for records in found:
            assert all(VISITS.allows(record) for record in records)
            days = [record["day"] for record in records]
            assert days == sorted(days)
            assert len({record["sex"] for record in records}) == 1
    assert all(
        record["pulse"] is None or record["pulse"] >= 60
        for records in found
        for record in records
        if record["sex"] == "f"
    )


def table(rows: int = 400) -> pd.DataFrame:
    chance = np.random.default_rng(0)
    patient = chance.integers(0, rows // 4, rows)
    return pd.DataFrame(
        {
            "patient": [f"P{number:03d}" for number in patient],
            "day": [f"2020-{1 + day // 28:02d}-{1 + day % 28:02d}" for day in chance.integers(0, 330, rows)],
            "sex": np.where(patient % 2, "female", "male"),
            "pulse": chance.integers(50, 120, rows).astype(str),
        }
    )


def recipe(**data: object) -> Recipe:
    given = {"source": "visits.csv", "subject": "patient", "sequence": "day"} | data
    return Recipe.model_validate({"name": "visits", "data": given})


def test_shared_fields_and_length_are_fitted_to_the_training_records() -> None:
    prepared = assemble(recipe(longest_sequence=4), table())
    found = prepared.schema.sequence
    assert found == SubjectSequence("patient", "day", ("sex",), 4)
    assert prepared.schema["patient"].fresh
    assert Schema.from_json(prepared.schema.to_json()) == prepared.schema
    rows = [
        {"patient": subject, "day": datetime(2020, 1, day)} for subject, day in (("a", 3), ("b", 1), ("a", 2))
    ]
    assert [len(each) for each in sequences(rows, found)] == [2, 1]
    assert sequences(rows, found)[0][0]["day"] == datetime(2020, 1, 2)


@pytest.mark.parametrize(
    ("data", "order", "words"),
    [
        ({"subject": None}, "fixed", "needs data.subject"),
        ({}, "shuffled", "table order"),
        ({"sequence": "sex"}, "fixed", "'sex' is of type category"),
    ],
)
def test_an_impossible_sequence_is_an_error_of_one_line(data: dict, order: str, words: str) -> None:
    wanted = recipe(**data)
    wanted = wanted.model_copy(
        update={"finetune": wanted.finetune.model_copy(update={"order": order, "smoothing": 0})}
    )
    with pytest.raises((RecipeError, DataError), match=words):
        assemble(wanted, table())
