"""Masked models: every architecture and tokenizer samples valid records, with the probabilities that training bounds."""

import itertools
import math
from collections import Counter
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from scipy.stats import chisquare
from tiny_models import MASKED, masked_model
from transformers import PreTrainedModel

from paracosm.eval.attacks.likelihoods.reader import MaskedReader
from paracosm.finetune.models.restricted_head import restrict_head
from paracosm.finetune.objectives.masked_dataset import (
    MaskedCollator,
    control_examples,
    hidden_spans,
    training_example,
)
from paracosm.finetune.objectives.slot_logits import AllowedColumns, slot_scores
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.infilling import infill_plan
from paracosm.generate.constraints.request import Request
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.decoding.loaded_model import AdaptedModel, abilities_of
from paracosm.generate.decoding.masked import MaskedDecoder
from paracosm.recipes.sections.rules import Rules
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout, MaskState
from paracosm.records.codec.text_lengths import length_ranges
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
NOTE = Field(name="note", type="text", max_length=200, nullable=True)
WITH_NOTE = Schema((*SCHEMA.fields, NOTE))
DRAWS = 2000


def adapted(family: str = "BERT", schema: Schema = SCHEMA) -> AdaptedModel:
    model, tokenizer = masked_model(family)
    lengths = {field.name: (0, 20) for field in schema if field.is_text}
    codec = Codec(schema, tokenizer, "slots", text_tokens=lengths)  # type: ignore[arg-type]
    restrict_head(model, codec.vocabulary)
    return AdaptedModel(model.eval(), codec, TokenMasks(codec))


def conditions(
    model: AdaptedModel, fixed: dict[str, Value], checks: tuple[str, ...] = (), **more: Any
) -> Conditions:
    schema = model.codec.schema
    rules = read_rules(Rules(checks=list(checks)), schema, root=None) if checks else Rulebook(schema)  # type: ignore[arg-type]
    return Conditions(
        abilities_of(model.codec), RuleConstraints(model.codec.schema, rules), fixed, {}, **more
    )


def log_probability(model: AdaptedModel, record: Record, order: tuple[int, ...]) -> float:
    """Return the log probability of filling a record slot by slot in an order, without a batch."""
    layout = MaskedLayout(model.codec)
    encoded, total, hidden = layout.encode(record), 0.0, set(order)
    for index in order:
        nodes = layout.nodes(index, encoded.cells[index])
        for shown, (node, token) in enumerate(zip(nodes, encoded.cells[index], strict=True)):
            row = layout.row(encoded, MaskState(dict.fromkeys(hidden, 0) | {index: shown}))
            with torch.inference_mode():
                logits = model.model(input_ids=torch.tensor([row.ids])).logits[0].double()
            allowed = sorted(node.edges)
            columns = [model.codec.vocabulary.index(token) for token in allowed]  # type: ignore[union-attr]
            scores = torch.log_softmax(logits[row.cells[index] + shown][columns], dim=0)
            total += scores[allowed.index(token)].item()
        hidden.discard(index)
    return total


@pytest.mark.parametrize("family", MASKED)
def test_draws_follow_the_model_in_the_requested_order(family: str) -> None:
    model, order = adapted(family), (2, 0, 1)
    expected = np.exp([log_probability(model, record, order) for record in RECORDS])
    assert expected.sum() == pytest.approx(1, abs=1e-4)
    requests = [Request(number, order) for number in range(DRAWS)]
    drawn = MaskedDecoder(model, batch_size=500).records(requests, seed=3)
    counts = Counter(tuple(record.values()) for (record,) in drawn)
    observed = np.array([counts[tuple(record.values())] for record in RECORDS])
    assert observed.sum() == DRAWS
    expected_counts = expected / expected.sum() * DRAWS
    common = expected_counts >= 5
    pooled = [np.append(counts[common], counts[~common].sum()) for counts in (observed, expected_counts)]
    assert chisquare(pooled[0], pooled[1] * pooled[0].sum() / pooled[1].sum()).pvalue > 1e-3


def test_the_control_loss_is_an_unbiased_estimate_of_the_mean_over_all_orders() -> None:
    model, record = adapted(), RECORDS[17]
    orders = list(itertools.permutations(range(3)))
    exact = -np.mean([log_probability(model, record, order) for order in orders])
    layout = MaskedLayout(model.codec)
    choices = AllowedColumns(layout, len(model.codec.vocabulary or ()))
    random = np.random.default_rng(0)
    states = [control_examples(layout.encode(record), layout, choices, random) for _ in range(600)]
    collate = MaskedCollator(model.codec.vocabulary, layout.padding, 1)
    estimates = [loss(model.model, choices, collate([state])) for state in states]
    error = np.std(estimates) / math.sqrt(len(estimates))
    assert error < 0.1
    assert abs(np.mean(estimates) - exact) < 4 * error
    # Jensen's inequality: the loss of the mixture of all orders is at most the mean loss over the orders.
    mixture = -math.log(np.mean(np.exp([log_probability(model, record, order) for order in orders])))
    assert mixture <= exact + 1e-9


def loss(model: PreTrainedModel, choices: AllowedColumns, batch: dict[str, torch.Tensor]) -> float:
    with torch.inference_mode():
        scores = slot_scores(
            model, batch["input_ids"], batch["attention_mask"], batch["rows"], batch["positions"]
        )
        return float(choices.loss(scores, batch["mask_numbers"], batch["targets"], batch["weights"]))


def test_the_length_of_a_text_counts_in_its_likelihood() -> None:
    model = adapted(schema=Schema((NOTE,)))
    layout = MaskedLayout(model.codec)
    encoded = layout.encode({"note": "tuesday : a b c d e f g h i j k"})
    choices = AllowedColumns(layout, model.model.config.vocab_size)
    (first, *_) = control_examples(encoded, layout, choices, np.random.default_rng(0))
    low, high = next(step for step in length_ranges(0, 20) if step[0] <= len(encoded.texts[0]) <= step[1])
    assert high > low
    assert first.constant == pytest.approx(math.log(high - low + 1))


@pytest.mark.parametrize("family", MASKED)
def test_texts_and_columns_are_valid_with_any_tokenizer(family: str) -> None:
    model = adapted(family, WITH_NOTE)
    decoder = MaskedDecoder(model, batch_size=16, text_passes=4)
    records = [record for (record,) in decoder.records([Request(n) for n in range(40)], seed=0)]
    assert all(WITH_NOTE.allows(record) for record in records)
    assert any(record["note"] is None for record in records)
    texts = [record["note"] for record in records if record["note"]]
    assert len({len(text) for text in texts}) > 3
    assert all("�" not in text for text in texts)


def test_a_record_does_not_depend_on_the_batch() -> None:
    model = adapted("BERT", WITH_NOTE)
    together = MaskedDecoder(model, text_passes=3).records([Request(n) for n in range(12)], seed=3)
    alone = [MaskedDecoder(model, text_passes=3).records([Request(n)], seed=3)[0] for n in range(12)]
    assert alone == together
    assert (
        MaskedDecoder(model, batch_size=5, text_passes=3).records([Request(n) for n in range(12)], seed=3)
        == together
    )
    assert MaskedDecoder(model, text_passes=3).records([Request(n) for n in range(12)], seed=4) != together


def test_conditions_hold_on_any_field_and_rules_for_every_record() -> None:
    model = adapted()
    given = conditions(model, {"day": "tu"}, ("if dose >= 11 then sex == 'm'", "dose != 9"))
    requests = [given.request(number) for number in range(200)]
    assert len({request.order for request in requests}) > 1
    assert all(request.order[0] == 2 for request in requests if request.order)
    records = [record for (record,) in MaskedDecoder(model).records(requests, seed=0)]
    assert {record["day"] for record in records} == {"tu"}
    assert all(record["dose"] != 9 for record in records)
    assert {record["sex"] for record in records if record["dose"] in (11, 12)} == {"m"}


def test_a_given_text_is_kept() -> None:
    model = adapted("BERT", WITH_NOTE)
    note = "Tuesday, ünknown letters: kept AS they are"
    given = conditions(model, {"note": note})
    drawn = MaskedDecoder(model).records([given.request(number) for number in range(20)], seed=0)
    assert {record["note"] for (record,) in drawn} == {note}


def test_a_rewritten_text_keeps_every_character_of_its_kept_words() -> None:
    model = adapted("BERT", WITH_NOTE)
    note = "M b, c:  d; e f? F h, i j."
    given = conditions(model, {}, seeds=[{"note": note}], rewrite=0.3)
    decoder = MaskedDecoder(model)
    drawn = decoder.records([given.request(number) for number in range(30)], seed=0)
    texts = [record["note"] for (record,) in drawn]
    assert len(set(texts)) > 15
    words = (
        note.replace(",", " ").replace(":", " ").replace(";", " ").replace("?", " ").replace(".", " ").split()
    )
    assert decoder.tally.seed_words == 30 * len(words)
    assert 0.65 < decoder.tally.seed_words_kept / decoder.tally.seed_words < 0.9
    # Three of ten words are drawn again, so at least seven are unchanged.
    assert all(sum(word in text for word in words) >= 7 for text in texts)


def test_gaps_are_filled_and_the_rest_of_the_text_is_kept() -> None:
    model = adapted("BERT", WITH_NOTE)
    given = conditions(model, {}, seeds=[{"note": "Seen on ___ with no pain."}])
    drawn = MaskedDecoder(model).records([given.request(number) for number in range(20)], seed=0)
    for (record,) in drawn:
        assert str(record["note"]).startswith("Seen on ")
        assert str(record["note"]).endswith(" with no pain.")
        assert "_" not in str(record["note"])


def test_a_given_text_is_kept_past_the_length_limit_of_the_model() -> None:
    layout = MaskedLayout(adapted("BERT", WITH_NOTE).codec)
    text = "a b c d e f g h ___ i"
    plan = infill_plan(text, 1.0, layout.pieces, layout.mask, 4, np.random.default_rng(0))
    assert len(plan.pieces.ids) == 4
    assert all(span.stop <= 4 for span in plan.redrawn)
    assert layout.pieces.spliced(text, plan.pieces, plan.pieces.ids, ()) == text


@pytest.mark.parametrize("family", MASKED)
def test_a_training_row_hides_its_targets(family: str) -> None:
    layout = MaskedLayout(adapted(family, WITH_NOTE).codec)
    choices = AllowedColumns(layout, len(layout.codec.tokenizer))
    record = {"dose": 11, "sex": "f", "day": "tuesday", "note": "tu es day : a b c"}
    encoded, random = layout.encode(record), np.random.default_rng(1)
    complete = layout.row(encoded, MaskState()).ids
    counts = Counter()
    for _ in range(300):
        row = training_example(encoded, layout, choices, random)
        assert row.targets
        assert {row.ids[position] for position in row.positions} == {layout.mask}
        counts[row.ids.count(layout.mask)] += 1
        if len(row.ids) == len(complete):
            assert [complete[position] for position in row.positions] == row.targets
    assert min(counts) == 1
    assert len(counts) > 8


def test_hidden_spans_hold_the_requested_number_of_pieces_in_runs() -> None:
    random = np.random.default_rng(0)
    for count in (1, 10, 57, 100):
        hidden = hidden_spans(100, count, random)
        assert len(hidden) == count
        assert max(hidden) < 100
    joined = np.mean([np.mean(np.diff(hidden_spans(200, 40, random)) == 1) for _ in range(50)])
    assert joined > 0.5


def test_length_steps_cover_all_lengths() -> None:
    covered = length_ranges(3, 180)
    assert covered[0][0] <= 3
    assert covered[-1][1] >= 180
    assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(covered))
    assert length_ranges(covered[0][0], covered[-1][1]) == covered


def test_likelihoods_cover_every_decision_of_a_record() -> None:
    model = adapted("BERT", WITH_NOTE)
    reader = MaskedReader(model.codec, model.masks)
    encoded, unknown = reader.encode(
        [
            {"dose": 11, "sex": "f", "day": "tuesday", "note": "tu es day : a b c"},
            {**RECORDS[0], "note": None},
        ]
    )
    assert unknown == 0
    likelihoods = reader.likelihoods(model.model, encoded)
    for likelihood, record in zip(likelihoods, encoded, strict=True):
        assert len(likelihood.log_probability) == len(likelihood.field_index) == record.decisions
        assert (likelihood.log_probability < 0).all()
        assert (likelihood.expected <= 0).all()


def any_field(draw: Callable, number: int) -> Field:
    name, nullable = f"f{number}", draw(st.booleans())
    kind = draw(st.sampled_from(["integer", "number", "category", "boolean", "text"]))
    if kind in ("integer", "number"):
        low, high = sorted(draw(st.lists(st.integers(-5000, 5000), min_size=2, max_size=2)))
        if kind == "integer":
            return Field(name=name, type="integer", nullable=nullable, minimum=low, maximum=high)
        return Field(
            name=name, type="number", nullable=nullable, decimals=2, minimum=low / 100, maximum=high / 100
        )
    if kind == "category":
        names = draw(st.lists(st.text("abcdeé😀 ", max_size=5), min_size=1, max_size=6, unique=True))
        return Field(name=name, type="category", nullable=nullable, categories=tuple(names))
    if kind == "boolean":
        return Field(name=name, type="boolean", nullable=nullable)
    return Field(name=name, type="text", nullable=nullable, max_length=draw(st.integers(30, 60)))


@given(st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_record_of_any_schema_is_valid_and_encodes(data: st.DataObject) -> None:
    schema = Schema(tuple(any_field(data.draw, number) for number in range(data.draw(st.integers(1, 4)))))
    model, tokenizer = masked_model(data.draw(st.sampled_from(sorted(MASKED))))
    lengths = {field.name: (0, 5) for field in schema if field.is_text}
    codec = Codec(schema, tokenizer, "slots", text_tokens=lengths)  # type: ignore[arg-type]
    restrict_head(model, codec.vocabulary)
    decoder = MaskedDecoder(AdaptedModel(model.eval(), codec, TokenMasks(codec)), text_passes=2)
    layout = MaskedLayout(codec)
    for (record,) in decoder.records([Request(number) for number in range(6)], seed=0):
        assert schema.allows(record)
        for index, field in enumerate(schema):
            if field.is_text:
                continue
            nodes = layout.nodes(index, layout.encode({**record, **_without_texts(schema)}).cells[index])
            assert len(nodes) <= layout.widths[index]


def _without_texts(schema: Schema) -> dict[str, Value]:
    return {field.name: None if field.nullable else "" for field in schema if field.is_text}
