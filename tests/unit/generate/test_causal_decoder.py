"""Constrained decoding with causal models: records follow the model's distribution under the grammar, for any model family."""

import itertools
import math
from collections import Counter
from collections.abc import Callable, Mapping, Sequence

import numpy as np
import pytest
import torch
from bitmasks import allowed_columns
from scipy.stats import chisquare
from tiny_models import byte_tokenizer, gpt2, llama, unigram_tokenizer, wordpiece_tokenizer
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from paracosm.finetune.models.restricted_head import restrict_head
from paracosm.foundation.errors import DataError
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.repetition import Repetition
from paracosm.generate.constraints.request import Request
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.loaded_model import AdaptedModel, abilities_of
from paracosm.generate.decoding.sampling import Sampling, choose, truncated
from paracosm.recipes.sections.rules import Rules
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.constraints.rules import Rulebook, read_rules
from paracosm.records.schema.schema import Field, Record, Schema, Value

SCHEMA = Schema(
    (
        Field(name="dose", type="integer", minimum=8, maximum=12, nullable=True),
        Field(name="sex", type="category", categories=("f", "m")),
        Field(name="day", type="category", categories=("mo", "tu", "tuesday")),
    )
)
VALUES: list[tuple[Value, ...]] = [(None, 8, 9, 10, 11, 12), ("f", "m"), ("mo", "tu", "tuesday")]
RECORDS = [dict(zip(SCHEMA.names, row, strict=True)) for row in itertools.product(*VALUES)]
DRAWS = 3000
FAMILIES: dict[str, tuple[Callable[..., PreTrainedModel], Callable[[], PreTrainedTokenizerFast]]] = {
    "byte-level BPE": (llama, byte_tokenizer),
    "SentencePiece": (gpt2, unigram_tokenizer),
    "WordPiece": (llama, wordpiece_tokenizer),
}


def adapted(
    layout: str, schema: Schema = SCHEMA, family: str = "byte-level BPE", build: Callable | None = None
) -> AdaptedModel:
    build_family, tokenize = FAMILIES[family]
    tokenizer = tokenize()
    codec = Codec(schema, tokenizer, layout)  # type: ignore[arg-type]
    model = (build or build_family)(tokenizer).eval()
    restrict_head(model, codec.vocabulary)
    return AdaptedModel(model, codec, TokenMasks(codec))


def probability(record: Record, adapted: AdaptedModel, order: Sequence[int] | None = None) -> float:
    """Return the probability of a record, from one forward pass without a cache."""
    codec, total = adapted.codec, 0.0
    ids = codec.encode(record, order=order)
    with torch.inference_mode():
        logits = adapted.model(input_ids=torch.tensor([[codec.start, *ids]])).logits[0].double()
    matcher = adapted.masks.matcher(codec.grammar(order))
    for position, token in enumerate(ids):
        allowed = allowed_columns(matcher.compute_bitmask(), codec.vocabulary)
        if len(allowed) > 1:
            scores = torch.log_softmax(logits[position][torch.from_numpy(allowed)], dim=0)
            column = codec.vocabulary.index(token) if codec.vocabulary else token
            total += scores[list(allowed).index(column)].item()
        assert matcher.consume_token(token)
    return math.exp(total)


def p_value(drawn: Sequence[Record], expected: Mapping[tuple[Value, ...], float]) -> float:
    """Return the p-value of a chi-square test of drawn records against their probabilities; rare records are pooled."""
    counts = Counter(tuple(record.values()) for record in drawn)
    assert counts.keys() <= expected.keys()
    observed = np.array([counts[key] for key in expected])
    expected_counts = np.array(list(expected.values())) * len(drawn)
    assert expected_counts.sum() == pytest.approx(len(drawn), rel=1e-5)
    common = expected_counts >= 5
    pooled = [np.append(counts[common], counts[~common].sum()) for counts in (observed, expected_counts)]
    keep = pooled[1] > 0
    return chisquare(pooled[0][keep], pooled[1][keep] * pooled[0][keep].sum() / pooled[1][keep].sum()).pvalue


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("layout", ["places", "markers"])
def test_draws_follow_the_model_under_the_grammar(family: str, layout: str) -> None:
    model = adapted(layout, family=family)
    expected = {tuple(record.values()): probability(record, model) for record in RECORDS}
    drawn = [model.codec.decode(ids) for ids in Decoder(model, batch_size=200).sample(range(DRAWS), seed=5)]
    assert p_value(drawn, expected) > 1e-3


def conditions(model: AdaptedModel, fixed: Mapping[str, Value], checks: Sequence[str] = ()) -> Conditions:
    rules = (
        read_rules(Rules(checks=list(checks)), model.codec.schema, root=None) if checks else Rulebook(SCHEMA)
    )  # type: ignore[arg-type]
    return Conditions(abilities_of(model.codec), RuleConstraints(model.codec.schema, rules), fixed, {})


def drawn_under(model: AdaptedModel, conditions: Conditions, draws: int = DRAWS) -> list[Record]:
    requests = [conditions.request(number) for number in range(draws)]
    states = Decoder(model, batch_size=200).decode(requests, seed=1)
    return [model.codec.decode(state.ids) for state in states]


def test_a_condition_on_any_field_is_met_exactly_by_a_model_of_all_orders() -> None:
    model = adapted("markers")
    order = (2, 0, 1)
    joint = {tuple(record.values()): probability(record, model, order) for record in RECORDS}
    meets = {key: share for key, share in joint.items() if key[2] == "tu"}
    expected = {key: share / sum(meets.values()) for key, share in meets.items()}
    assert p_value(drawn_under(model, conditions(model, {"day": "tu"})), expected) > 1e-3


def test_a_condition_on_a_late_field_in_a_fixed_order_is_met_by_redrawing() -> None:
    model = adapted("places")
    joint = {tuple(record.values()): probability(record, model) for record in RECORDS}
    meets = {key: share for key, share in joint.items() if key[2] == "mo"}
    expected = {key: share / sum(meets.values()) for key, share in meets.items()}
    assert p_value(drawn_under(model, conditions(model, {"day": "mo"})), expected) > 1e-3


def test_a_rule_holds_for_every_record_and_does_not_change_the_distribution_of_earlier_fields() -> None:
    model = adapted("places")
    drawn = drawn_under(model, conditions(model, {}, ["if dose >= 11 then day == 'mo'", "dose != 9"]))
    assert all(record["dose"] != 9 for record in drawn)
    assert all(record["day"] == "mo" for record in drawn if record["dose"] in (11, 12))
    dose = Counter(record["dose"] for record in drawn)
    joint = {tuple(record.values()): probability(record, model) for record in RECORDS}
    free = Counter()
    for key, share in joint.items():
        free[key[0]] += share
    # Doses of two digits share their first token, so a rule that decides on the second one does not change the first.
    assert (dose[11] + dose[12]) / (dose[10] + dose[11] + dose[12]) == pytest.approx(
        (free[11] + free[12]) / (free[10] + free[11] + free[12]), abs=0.05
    )


def test_contradictory_rules_raise_with_the_share_that_each_refuses() -> None:
    model = adapted("places")
    with pytest.raises(DataError, match=r"rule .*tuesday.* refused \d+\.\d%") as raised:
        drawn_under(
            model,
            conditions(model, {}, ["sex == 'f'", "if sex == 'f' then day not in ('mo', 'tu', 'tuesday')"]),
            50,
        )
    assert "raise generate.attempts" in str(raised.value)


def test_a_record_does_not_depend_on_the_batch() -> None:
    model = adapted("markers")
    together = Decoder(model).sample(range(20), seed=3)
    assert [Decoder(model).sample([number], seed=3)[0] for number in range(20)] == together
    assert Decoder(model, batch_size=3).sample(range(20), seed=3) == together
    assert Decoder(model).sample(range(20), seed=4) != together


@pytest.mark.parametrize("build", [llama, gpt2])
def test_texts_of_all_lengths_end_and_are_valid(build: Callable) -> None:
    schema = Schema(
        (
            SCHEMA.fields[0],
            Field(name="note", type="text", max_length=60),
            Field(name="word", type="text", max_length=4, nullable=True),
            *SCHEMA.fields[1:],
        )
    )
    model = adapted("places", schema, build=build)
    decoder = Decoder(model, batch_size=5)
    records = [model.codec.decode(ids) for ids in decoder.sample(range(40), seed=0)]
    assert all(schema.allows(record) for record in records)
    assert len({len(record["note"]) for record in records}) > 3
    # A free slot is refilled at once, so no record waits for the longest one in its batch.
    longest = max(len(model.codec.encode(record)) for record in records)
    assert decoder.tally.passes < longest * math.ceil(40 / 5)


def test_a_text_ends_before_the_position_limit_of_the_model() -> None:
    schema = Schema((Field(name="note", type="text", max_length=5000), *SCHEMA.fields))
    model = adapted("places", schema, build=gpt2)
    model.model.config.max_position_embeddings = 64
    encodings = Decoder(model, batch_size=8).sample(range(8), seed=0)
    assert max(map(len, encodings)) < 64
    assert all(schema.allows(model.codec.decode(ids)) for ids in encodings)


def test_a_low_temperature_draws_the_likeliest_record() -> None:
    model = adapted("places")
    cold = Decoder(model, Sampling(temperature=1e-4)).sample(range(50), seed=0)
    assert len({tuple(ids) for ids in cold}) == 1
    partly = Decoder(model, Sampling(temperatures=(("sex", 1e-4),))).sample(range(200), seed=0)
    records = [model.codec.decode(ids) for ids in partly]
    by_dose = {record["dose"]: set() for record in records}
    for record in records:
        by_dose[record["dose"]].add(record["sex"])
    assert all(len(sexes) == 1 for sexes in by_dose.values())
    assert len({record["day"] for record in records}) > 1


def test_truncation_keeps_the_likeliest_tokens() -> None:
    probabilities = torch.tensor([[0.4, 0.3, 0.2, 0.06, 0.04]])

    def kept(**settings: float) -> list[int]:
        scores = truncated(torch.log(probabilities), Sampling(**settings))  # type: ignore[arg-type]
        return torch.isfinite(scores[0]).nonzero()[:, 0].tolist()

    assert kept() == [0, 1, 2, 3, 4]
    assert kept(top_k=2) == [0, 1]
    assert kept(top_p=0.69) == [0, 1]
    assert kept(top_p=0.71) == [0, 1, 2]
    assert kept(min_p=0.4) == [0, 1, 2]
    assert kept(top_p=1e-9) == [0]


@pytest.mark.parametrize("width", [5, 3000])
def test_draws_invert_the_cumulative_distribution(width: int) -> None:
    random = np.random.default_rng(0)
    scores = torch.from_numpy(random.normal(size=(1, width))).float()
    scores[0, width // 2 :: 3] = -torch.inf
    uniforms = torch.linspace(0, 1 - 1e-9, 20_001, dtype=torch.float64)
    drawn = choose(scores.repeat(len(uniforms), 1), uniforms, Sampling()).numpy()
    assert (np.diff(drawn) >= 0).all()
    expected = torch.softmax(scores[0].double(), 0).numpy()
    observed = np.bincount(drawn, minlength=width) / len(uniforms)
    assert np.abs(np.cumsum(observed) - np.cumsum(expected)).max() < 2e-4
    assert (observed[expected == 0] == 0).all()


def test_a_repeated_block_is_stopped_and_a_row_of_dashes_is_not() -> None:
    def banned(tokens: Sequence[int]) -> list[int | None]:
        repetition = Repetition()
        result = []
        for token in tokens:
            repetition.take(token)
            result.append(repetition.banned)
        return result

    assert banned([7] * 23) == [None] * 23
    assert banned([7] * 24)[-1] == 7
    assert banned([1, 2, 3, 4, 5, 6, 7, 8] * 4)[-2:] == [None, 1]
    assert banned(list(range(100))) == [None] * 100


def test_a_request_in_another_order_is_written_in_that_order() -> None:
    model = adapted("markers")
    (state,) = Decoder(model).decode([Request(0, order=(2, 1, 0))], seed=0)
    assert state.ids[0] == model.codec.markers[2]
    assert SCHEMA.allows(model.codec.decode(state.ids))
