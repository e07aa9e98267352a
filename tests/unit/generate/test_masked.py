"""Masked models: every architecture and tokenizer fills valid records, by the probabilities that training bounds."""

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

from paracosm.eval.attacks.likelihood_reader import MaskedReader
from paracosm.finetune.models.restricted_head import restrict_head
from paracosm.finetune.objectives.masked_dataset import (
    MaskedCollator,
    control_examples,
    hidden_spans,
    training_example,
)
from paracosm.finetune.objectives.slot_logits import AllowedColumns, slot_scores
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.guide import RuleConstraints
from paracosm.generate.constraints.infilling import draft
from paracosm.generate.constraints.request import Request
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.masked import MaskedDecoder
from paracosm.recipes.sections.rules import Rules
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout, MaskState, steps
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
    lengths = {each.name: (0, 20) for each in schema if each.type == "text"}
    codec = Codec(schema, tokenizer, "slots", text_tokens=lengths)  # type: ignore[arg-type]
    restrict_head(model, codec.vocabulary)
    return AdaptedModel(model.eval(), codec, TokenMasks(codec))


def conditions(
    model: AdaptedModel, fixed: dict[str, Value], checks: tuple[str, ...] = (), **more: Any
) -> Conditions:
    schema = model.codec.schema
    rules = read_rules(Rules(checks=list(checks)), schema, root=None) if checks else Rulebook(schema)  # type: ignore[arg-type]
    return Conditions(model.codec, RuleConstraints(model.codec, rules), fixed, {}, **more)


def log_probability(model: AdaptedModel, record: Record, order: tuple[int, ...]) -> float:
    """Return the log probability of filling a record in an order, slot by slot, without a batch."""
    slots = MaskedLayout(model.codec)
    encoded, total, hidden = slots.encode(record), 0.0, set(order)
    for place in order:
        nodes = slots.nodes(place, encoded.cells[place])
        for shown, (node, token) in enumerate(zip(nodes, encoded.cells[place], strict=True)):
            row = slots.row(encoded, MaskState(dict.fromkeys(hidden, 0) | {place: shown}))
            with torch.inference_mode():
                logits = model.model(input_ids=torch.tensor([row.ids])).logits[0].double()
            allowed = sorted(node.edges)
            columns = [model.codec.vocabulary.index(each) for each in allowed]  # type: ignore[union-attr]
            scores = torch.log_softmax(logits[row.cells[place] + shown][columns], dim=0)
            total += scores[allowed.index(token)].item()
        hidden.discard(place)
    return total


@pytest.mark.parametrize("family", MASKED)
def test_draws_follow_the_model_in_the_order_that_is_asked_for(family: str) -> None:
    model, order = adapted(family), (2, 0, 1)
    expected = np.exp([log_probability(model, record, order) for record in RECORDS])
    assert expected.sum() == pytest.approx(1, abs=1e-4)
    requests = [Request(number, order) for number in range(DRAWS)]
    drawn = MaskedDecoder(model, slots=500).records(requests, seed=3)
    counts = Counter(tuple(record.values()) for (record,) in drawn)
    observed = np.array([counts[tuple(record.values())] for record in RECORDS])
    assert observed.sum() == DRAWS
    wanted = expected / expected.sum() * DRAWS
    common = wanted >= 5
    folded = [np.append(part[common], part[~common].sum()) for part in (observed, wanted)]
    assert chisquare(folded[0], folded[1] * folded[0].sum() / folded[1].sum()).pvalue > 1e-3


def test_the_control_loss_is_an_unbiased_estimate_of_the_mean_over_all_orders() -> None:
    model, record = adapted(), RECORDS[17]
    orders = list(itertools.permutations(range(3)))
    exact = -np.mean([log_probability(model, record, order) for order in orders])
    slots = MaskedLayout(model.codec)
    choices = AllowedColumns(slots, len(model.codec.vocabulary or ()))
    chance = np.random.default_rng(0)
    states = [control_examples(slots.encode(record), slots, choices, chance) for _ in range(600)]
    collate = MaskedCollator(model.codec.vocabulary, slots.padding, 1)
    estimates = [loss(model.model, choices, collate([each])) for each in states]
    error = np.std(estimates) / math.sqrt(len(estimates))
    assert error < 0.1
    assert abs(np.mean(estimates) - exact) < 4 * error
    # Jensen: the mixture of all orders is at least as likely as the bound says.
    mixture = -math.log(np.mean(np.exp([log_probability(model, record, order) for order in orders])))
    assert mixture <= exact + 1e-9


def loss(model: PreTrainedModel, choices: AllowedColumns, batch: dict[str, torch.Tensor]) -> float:
    with torch.inference_mode():
        scores = slot_scores(
            model, batch["input_ids"], batch["attention_mask"], batch["rows"], batch["positions"]
        )
        return float(choices.loss(scores, batch["mask_numbers"], batch["targets"], batch["weights"]))


def test_the_length_of_a_text_is_counted_in_its_likelihood() -> None:
    model = adapted(schema=Schema((NOTE,)))
    slots = MaskedLayout(model.codec)
    encoded = slots.encode({"note": "tuesday : a b c d e f g h i j k"})
    choices = AllowedColumns(slots, model.model.config.vocab_size)
    (first, *_) = control_examples(encoded, slots, choices, np.random.default_rng(0))
    low, high = next(each for each in steps(0, 20) if each[0] <= len(encoded.texts[0]) <= each[1])
    assert high > low
    assert first.constant == pytest.approx(math.log(high - low + 1))


@pytest.mark.parametrize("family", MASKED)
def test_texts_and_columns_are_valid_whatever_the_tokenizer(family: str) -> None:
    model = adapted(family, WITH_NOTE)
    decoder = MaskedDecoder(model, slots=16, text_passes=4)
    records = [record for (record,) in decoder.records([Request(n) for n in range(40)], seed=0)]
    assert all(WITH_NOTE.allows(record) for record in records)
    assert any(record["note"] is None for record in records)
    texts = [record["note"] for record in records if record["note"]]
    assert len({len(text) for text in texts}) > 3
    assert all("�" not in text for text in texts)


def test_a_record_is_the_same_alone_and_in_company() -> None:
    model = adapted("BERT", WITH_NOTE)
    together = MaskedDecoder(model, text_passes=3).records([Request(n) for n in range(12)], seed=3)
    alone = [MaskedDecoder(model, text_passes=3).records([Request(n)], seed=3)[0] for n in range(12)]
    assert alone == together
    assert (
        MaskedDecoder(model, slots=5, text_passes=3).records([Request(n) for n in range(12)], seed=3)
        == together
    )
    assert MaskedDecoder(model, text_passes=3).records([Request(n) for n in range(12)], seed=4) != together


def test_conditions_hold_on_any_field_and_rules_for_every_record() -> None:
    model = adapted()
    asked = conditions(model, {"day": "tu"}, ("if dose >= 11 then sex == 'm'", "dose != 9"))
    requests = [asked.request(number) for number in range(200)]
    assert len({request.order for request in requests}) > 1
    assert all(request.order[0] == 2 for request in requests if request.order)
    records = [record for (record,) in MaskedDecoder(model).records(requests, seed=0)]
    assert {record["day"] for record in records} == {"tu"}
    assert all(record["dose"] != 9 for record in records)
    assert {record["sex"] for record in records if record["dose"] in (11, 12)} == {"m"}


def test_a_given_text_is_kept_and_conditions_the_columns() -> None:
    model = adapted("BERT", WITH_NOTE)
    note = "Tuesday, ünknown letters: kept AS they are"
    asked = conditions(model, {"note": note})
    drawn = MaskedDecoder(model).records([asked.request(number) for number in range(20)], seed=0)
    assert {record["note"] for (record,) in drawn} == {note}


def test_a_rewriting_keeps_every_character_of_the_words_that_it_keeps() -> None:
    model = adapted("BERT", WITH_NOTE)
    note = "M b, c:  d; e f? F h, i j."
    asked = conditions(model, {}, seeds=[{"note": note}], rewrite=0.3)
    decoder = MaskedDecoder(model)
    drawn = decoder.records([asked.request(number) for number in range(30)], seed=0)
    texts = [record["note"] for (record,) in drawn]
    assert len(set(texts)) > 15
    words = (
        note.replace(",", " ").replace(":", " ").replace(";", " ").replace("?", " ").replace(".", " ").split()
    )
    assert decoder.tally.draft_words == 30 * len(words)
    assert 0.65 < decoder.tally.draft_words_kept / decoder.tally.draft_words < 0.9
    # Three of ten words are drawn again, so at least seven stand as they stood.
    assert all(sum(word in text for word in words) >= 7 for text in texts)


def test_gaps_are_filled_and_nothing_beside_them_changes() -> None:
    model = adapted("BERT", WITH_NOTE)
    asked = conditions(model, {}, seeds=[{"note": "Seen on ___ with no pain."}])
    drawn = MaskedDecoder(model).records([asked.request(number) for number in range(20)], seed=0)
    for (record,) in drawn:
        assert str(record["note"]).startswith("Seen on ")
        assert str(record["note"]).endswith(" with no pain.")
        assert "_" not in str(record["note"])


def test_a_draft_longer_than_the_model_reads_is_kept_past_its_room() -> None:
    slots = MaskedLayout(adapted("BERT", WITH_NOTE).codec)
    text = "a b c d e f g h ___ i"
    made = draft(text, 1.0, slots.pieces, slots.mask, 4, np.random.default_rng(0))
    assert len(made.pieces.ids) == 4
    assert all(run.stop <= 4 for run in made.redrawn)
    assert slots.pieces.spliced(text, made.pieces, made.pieces.ids, ()) == text


@pytest.mark.parametrize("family", MASKED)
def test_a_training_row_hides_what_it_asks_for(family: str) -> None:
    slots = MaskedLayout(adapted(family, WITH_NOTE).codec)
    choices = AllowedColumns(slots, len(slots.codec.tokenizer))
    record = {"dose": 11, "sex": "f", "day": "tuesday", "note": "tu es day : a b c"}
    encoded, chance = slots.encode(record), np.random.default_rng(1)
    whole = slots.row(encoded, MaskState()).ids
    counts = Counter()
    for _ in range(300):
        row = training_example(encoded, slots, choices, chance)
        assert row.targets
        assert {row.ids[at] for at in row.positions} == {slots.mask}
        counts[row.ids.count(slots.mask)] += 1
        if len(row.ids) == len(whole):
            assert [whole[at] for at in row.positions] == row.targets
    assert min(counts) == 1
    assert len(counts) > 8


def test_spans_hide_as_many_pieces_as_asked_in_stretches() -> None:
    chance = np.random.default_rng(0)
    for count in (1, 10, 57, 100):
        hidden = hidden_spans(100, count, chance)
        assert len(hidden) == count
        assert max(hidden) < 100
    joined = np.mean([np.mean(np.diff(hidden_spans(200, 40, chance)) == 1) for _ in range(50)])
    assert joined > 0.5


def test_lengths_are_covered_by_steps_without_gaps() -> None:
    found = steps(3, 180)
    assert found[0][0] <= 3
    assert found[-1][1] >= 180
    assert all(after[0] == before[1] + 1 for before, after in itertools.pairwise(found))
    assert steps(found[0][0], found[-1][1]) == found


def test_likelihoods_ask_the_same_of_every_model_and_tell_members_apart() -> None:
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
    for each, record in zip(likelihoods, encoded, strict=True):
        assert len(each.log_probability) == len(each.place) == record.decisions
        assert (each.log_probability < 0).all()
        assert (each.expected <= 0).all()


def fields(draw: Callable, number: int) -> Field:
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
def test_every_record_of_any_schema_is_valid_and_read_back(data: st.DataObject) -> None:
    schema = Schema(tuple(fields(data.draw, number) for number in range(data.draw(st.integers(1, 4)))))
    model, tokenizer = masked_model(data.draw(st.sampled_from(sorted(MASKED))))
    lengths = {each.name: (0, 5) for each in schema if each.type == "text"}
    codec = Codec(schema, tokenizer, "slots", text_tokens=lengths)  # type: ignore[arg-type]
    restrict_head(model, codec.vocabulary)
    decoder = MaskedDecoder(AdaptedModel(model.eval(), codec, TokenMasks(codec)), text_passes=2)
    slots = MaskedLayout(codec)
    for (record,) in decoder.records([Request(number) for number in range(6)], seed=0):
        assert schema.allows(record)
        for place, each in enumerate(schema):
            if each.type == "text":
                continue
            # Its decisions lead back to the value.
            nodes = slots.nodes(place, slots.encode({**record, **_without_texts(schema)}).cells[place])
            assert len(nodes) <= slots.widths[place]


def _without_texts(schema: Schema) -> dict[str, Value]:
    return {each.name: None if each.nullable else "" for each in schema if each.type == "text"}
