"""Constrained decoding draws records from the model's own distribution under the grammar, for any model family."""

import itertools
import math
from collections import Counter
from collections.abc import Callable

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from tiny_models import byte_tokenizer, gpt2, llama
from transformers import PreTrainedModel

from paracosm.finetune.grammar_head import restrict_head
from paracosm.generate.adapted_model import AdaptedModel
from paracosm.generate.choosing import Sampling
from paracosm.generate.decoder import Decoder
from paracosm.records.codec import Codec
from paracosm.records.schema import Field, Record, Schema
from paracosm.records.token_masks import TokenMasks

SCHEMA = Schema(
    (
        Field(name="dose", type="integer", minimum=8, maximum=12, nullable=True),
        Field(name="sex", type="category", categories=("f", "m")),
        Field(name="day", type="category", categories=("mo", "tu", "tuesday")),
    )
)
DRAWS = 3000


def adapted(build: Callable[..., PreTrainedModel], layout: str, schema: Schema = SCHEMA) -> AdaptedModel:
    tokenizer = byte_tokenizer()
    codec = Codec(schema, tokenizer, layout)
    model = build(tokenizer).eval()
    restrict_head(model, codec.vocabulary)
    return AdaptedModel(model, codec, TokenMasks(codec))


def probability(record: Record, adapted: AdaptedModel) -> float:
    """Return a record's probability by one plain forward pass, mask by mask, without a cache."""
    codec, total = adapted.codec, 0.0
    ids = codec.encode(record)
    with torch.inference_mode():
        logits = adapted.model(input_ids=torch.tensor([[codec.start, *ids]])).logits[0].double()
    matcher = adapted.masks.matcher(codec.grammar())
    for position, token in enumerate(ids):
        allowed = adapted.masks.columns(matcher.compute_bitmask(), codec.vocabulary)
        if len(allowed) > 1:
            scores = torch.log_softmax(logits[position][torch.from_numpy(allowed)], dim=0)
            column = codec.vocabulary.index(token) if codec.vocabulary else token
            total += scores[list(allowed).index(column)].item()
        assert matcher.consume_token(token)
    return math.exp(total)


@pytest.mark.parametrize("build", [llama, gpt2])
@pytest.mark.parametrize("layout", ["places", "markers"])
def test_draws_follow_the_model_under_the_grammar(build: Callable[..., PreTrainedModel], layout: str) -> None:
    model = adapted(build, layout)
    values = [(None, 8, 9, 10, 11, 12), ("f", "m"), ("mo", "tu", "tuesday")]
    records = [dict(zip(SCHEMA.names, row, strict=True)) for row in itertools.product(*values)]
    expected = np.array([probability(record, model) for record in records])
    assert expected.sum() == pytest.approx(1, abs=1e-6)
    drawn = [Decoder(model).sample(range(at, at + 100), seed=5) for at in range(0, DRAWS, 100)]
    counts = Counter(tuple(model.codec.decode(ids).values()) for batch in drawn for ids in batch)
    observed = np.array([counts[tuple(record.values())] for record in records])
    common = expected * DRAWS >= 5
    folded = [np.append(part[common], part[~common].sum()) for part in (observed, expected * DRAWS)]
    keep = folded[1] > 0
    assert chisquare(folded[0][keep], folded[1][keep] * folded[0].sum() / folded[1][keep].sum()).pvalue > 1e-3


def test_a_record_is_the_same_alone_and_in_company() -> None:
    model = adapted(llama, "markers")
    together = Decoder(model).sample(range(20), seed=3)
    assert [Decoder(model).sample([number], seed=3)[0] for number in range(20)] == together
    assert Decoder(model).sample(range(20), seed=4) != together


def test_texts_of_all_lengths_end_and_are_valid() -> None:
    schema = Schema((Field(name="note", type="text", max_length=30, nullable=True), *SCHEMA.fields))
    model = adapted(llama, "places", schema)
    records = [model.codec.decode(ids) for ids in Decoder(model).sample(range(24), seed=0)]
    assert all(schema.allows(record) for record in records)
    assert len({len(record["note"] or "") for record in records}) > 3


def test_low_temperature_takes_the_likeliest_record() -> None:
    model = adapted(llama, "places")
    assert (
        len({tuple(ids) for ids in Decoder(model, Sampling(temperature=1e-4)).sample(range(50), seed=0)}) == 1
    )
