"""`finetune.loss`: only named columns, or only some turns of a dialogue, are learnt."""

from typing import Any

import pytest
from tiny_models import byte_tokenizer

from paracosm.finetune.objectives.encoded_record import (
    columns_alone,
    encode_record,
    encode_sequence,
    turns_alone,
)
from paracosm.foundation.errors import RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.finetune import Loss
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import FORCED, TokenMasks
from paracosm.records.schema.learnt_part import learnt_columns, refuse_loss
from paracosm.records.schema.schema import Field, Record, Schema, SubjectSequence

FIELDS = (
    Field(name="chat", type="identifier", pattern="C999", fresh=True),
    Field(name="topic", type="category", categories=("a", "b")),
    Field(name="turn", type="integer", minimum=1, maximum=9),
    Field(name="role", type="category", categories=("assistant", "user")),
    Field(name="content", type="text", max_length=40),
)
TURNS: list[Record] = [
    {"topic": "a", "turn": turn, "role": role, "content": f"words {turn}"}
    for turn, role in enumerate(("user", "assistant", "user", "assistant"), start=1)
]


def codec_of(sequence: bool) -> Codec:
    made = SubjectSequence("chat", "turn", ("topic",), 4) if sequence else None
    return Codec(Schema(FIELDS, made), byte_tokenizer())


def decided(masks: tuple[tuple[int, ...], ...]) -> list[bool]:
    return [any(number != FORCED for number in segment) for segment in masks]


def test_only_the_turns_of_a_role_are_learnt_with_what_follows_them() -> None:
    codec = codec_of(sequence=True)
    whole = encode_sequence(TURNS, codec, TokenMasks(codec))
    part = turns_alone(whole, codec, {"role": ["assistant"]}, None)
    assert part.ids == whole.ids
    # topic; then turn, role, content and whether another one follows, which the fourth of four turns does not say.
    user, assistant = [False] * 4, [True] * 4
    assert decided(whole.masks) == [True] * 16
    assert decided(part.masks) == [False, *user, *assistant, *user, *assistant[:3]]
    learnt = [segment for segment, kept in zip(whole.masks, decided(part.masks), strict=True) if kept]
    assert part.decisions == sum(number != FORCED for segment in learnt for number in segment)


def test_only_some_columns_of_some_turns_are_learnt() -> None:
    codec = codec_of(sequence=True)
    whole = encode_sequence(TURNS, codec, TokenMasks(codec))
    texts = turns_alone(whole, codec, {"role": ["assistant"]}, ["content"])
    says = [False, False, True]
    assert decided(texts.masks) == [False, *[False] * 4, *says, True, *[False] * 4, *says]
    everywhere = turns_alone(whole, codec, None, ["content"])
    assert decided(everywhere.masks) == [False, *([*says, True] * 3), *says]


def test_only_the_named_columns_of_single_records_are_learnt() -> None:
    codec = codec_of(sequence=False)
    whole = encode_record(TURNS[1], codec, TokenMasks(codec))
    assert learnt_columns(codec.schema, Loss(columns=["content"]), texts_follow=False) == ["content"]
    assert learnt_columns(codec.schema, None, texts_follow=True) == ["content"]
    assert learnt_columns(codec.schema, None, texts_follow=False) is None
    part = columns_alone(whole, codec, ["content"])
    assert decided(part.masks) == [False, False, False, True]
    assert part.masks[-1] == whole.masks[-1]


def recipe(loss: dict[str, Any], **more: Any) -> Recipe:
    data = {"source": "a.csv", "subject": "chat", "sequence": "turn"}
    return Recipe.model_validate({"name": "x", "data": data, "finetune": {"loss": loss}, **more})


@pytest.mark.parametrize(
    ("loss", "message"),
    [
        ({"columns": ["contents"]}, "no modelled column 'contents'; did you mean 'content'"),
        ({"turns": {"rol": ["user"]}}, "no modelled column 'rol'; did you mean 'role'"),
        (
            {"turns": {"role": ["asistant"]}},
            "'asistant' is not a value of the training records; did you mean",
        ),
        ({"turns": {"topic": ["a"]}}, "the same in all records of a subject"),
    ],
)
def test_what_does_not_exist_is_refused(loss: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        refuse_loss(recipe(loss), codec_of(sequence=True).schema)


@pytest.mark.parametrize(
    ("loss", "more", "message"),
    [
        ({}, {}, "is empty"),
        ({"columns": []}, {}, "at least 1"),
        ({"turns": {"role": ["user"]}}, {"data": {"source": "a.csv"}}, r"needs data\.sequence"),
        ({"columns": ["a"]}, {"strategy": "combined"}, "is for causal models"),
        ({"columns": ["a"]}, {"privacy": {"epsilon": 8}}, "is for causal models"),
    ],
)
def test_a_loss_that_cannot_be_is_refused(loss: dict[str, Any], more: dict[str, Any], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        recipe(loss, **more)
