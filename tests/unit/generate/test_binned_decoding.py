"""Fields that are written as bins: records follow the model and the bins' distributions, and conditions hold exactly."""

import itertools
import math
from collections import Counter
from collections.abc import Mapping, Sequence

import numpy as np
import pytest
import torch
from scipy.stats import chisquare
from tiny_models import MASKED, byte_tokenizer, llama, masked_model

from paracosm.eval.attacks.likelihoods.of_values import with_values
from paracosm.eval.attacks.likelihoods.reader import reader_of
from paracosm.finetune.models.restricted_head import restrict_head
from paracosm.finetune.objectives.causal_dataset import Collator, RecordDataset
from paracosm.finetune.objectives.encoded_record import encode_record
from paracosm.finetune.objectives.grammar_loss import GrammarLoss
from paracosm.finetune.objectives.masked_dataset import control_examples
from paracosm.finetune.objectives.slot_logits import AllowedColumns
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.request import Request
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.loaded_model import AdaptedModel, abilities_of
from paracosm.generate.decoding.masked import MaskedDecoder
from paracosm.generate.decoding.sampling import Sampling
from paracosm.recipes.sections.rules import Rules
from paracosm.records.codec.bins.histogram import Bin, Histogram, Part
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.masked_layout import MaskedLayout
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.constraints.rules import Rulebook, read_rules
from paracosm.records.schema.schema import Field, Record, Schema, Value

SCHEMA = Schema(
    (
        Field(name="dose", type="integer", minimum=8, maximum=19, nullable=True),
        Field(name="sex", type="category", categories=("f", "m")),
        Field(name="size", type="number", decimals=1, minimum=0.0, maximum=1.1),
    )
)
BINS = {
    "dose": Histogram(
        (
            Bin(8, 10, (Part(8, 9, 1.0),)),
            Bin(11, 11, (Part(11, 11, 1.0),)),
            Bin(12, 19, (Part(12, 12, 0.3), Part(12, 18, 0.2, 2), Part(13, 19, 0.5))),
        )
    ),
    "size": Histogram((Bin(0, 0, (Part(0, 0, 1.0),)), Bin(1, 11, (Part(1, 4, 0.75), Part(5, 11, 0.25))))),
}
VALUES: list[tuple[Value, ...]] = [
    (None, *range(8, 20)),
    ("f", "m"),
    tuple(number / 10 for number in range(12)),
]
RECORDS: list[Record] = [dict(zip(SCHEMA.names, row, strict=True)) for row in itertools.product(*VALUES)]
DRAWS = 3000


def causal(layout: str = "places") -> AdaptedModel:
    tokenizer = byte_tokenizer()
    codec = Codec(SCHEMA, tokenizer, layout, bins=BINS)  # type: ignore[arg-type]
    model = llama(tokenizer).eval()
    restrict_head(model, codec.vocabulary)
    return AdaptedModel(model, codec, TokenMasks(codec))


def losses(model: AdaptedModel) -> np.ndarray:
    """Return the loss of each of `RECORDS` as training computes it, in nats."""
    encoded = [encode_record(record, model.codec, model.masks) for record in RECORDS]
    dataset = RecordDataset(encoded, opening=model.codec.opening, shuffled=False, seed=0)
    batch = Collator(model.codec.vocabulary, 0)([dataset[row] for row in range(len(dataset))])
    with torch.inference_mode():
        logits = model.model(input_ids=batch["input_ids"]).logits
    loss = GrammarLoss(model.masks, model.codec.vocabulary)
    sums = loss.of_records(logits, batch["shift_labels"], batch["mask_numbers"])
    return (sums + batch["constant"][:, 0]).double().numpy()


def joint(model: AdaptedModel) -> dict[tuple[Value, ...], float]:
    return {
        tuple(record.values()): math.exp(-loss) for record, loss in zip(RECORDS, losses(model), strict=True)
    }


def p_value(drawn: Sequence[Record], expected: Mapping[tuple[Value, ...], float]) -> float:
    counts = Counter(tuple(record.values()) for record in drawn)
    assert counts.keys() <= expected.keys()
    observed = np.array([counts[key] for key in expected])
    shares = np.array(list(expected.values()))
    wanted = shares / shares.sum() * len(drawn)
    common = wanted >= 5
    pooled = [np.append(counts[common], counts[~common].sum()) for counts in (observed, wanted)]
    return chisquare(pooled[0], pooled[1]).pvalue


def drawn_under(
    model: AdaptedModel, fixed: Mapping[str, Value], checks: Sequence[str] = (), draws: int = DRAWS
) -> list[Record]:
    rules = read_rules(Rules(checks=list(checks)), SCHEMA, root=None) if checks else Rulebook(SCHEMA)  # type: ignore[arg-type]
    conditions = Conditions(abilities_of(model.codec), RuleConstraints(SCHEMA, rules), fixed, {})
    requests = [conditions.request(number) for number in range(draws)]
    decoder = (MaskedDecoder if model.codec.objective == "masked" else Decoder)(model, batch_size=300)
    return [record for (record,) in decoder.records(requests, seed=1)]


def test_the_likelihoods_of_all_records_sum_to_one() -> None:
    assert np.exp(-losses(causal())).sum() == pytest.approx(1, abs=1e-4)


def test_draws_follow_the_model_and_the_bins() -> None:
    model = causal()
    assert p_value(drawn_under(model, {}), joint(model)) > 1e-3


def test_a_condition_on_a_value_gives_this_value_and_leaves_the_rest_exact() -> None:
    model = causal("markers")
    drawn = drawn_under(model, {"size": 0.3}, draws=200)
    assert {record["size"] for record in drawn} == {0.3}


def test_a_rule_on_a_range_weighs_each_bin_by_its_allowed_values() -> None:
    model = causal()
    meets = {key: share for key, share in joint(model).items() if key[0] is None or key[0] >= 10}
    drawn = drawn_under(model, {}, ["missing(dose) or dose >= 10"])
    assert p_value(drawn, meets) > 1e-3


def test_a_rule_that_lists_values_weighs_each_bin_by_these_values() -> None:
    model = causal()
    listed = (None, 9, 13, 14)
    meets = {key: share for key, share in joint(model).items() if key[0] in listed}
    drawn = drawn_under(model, {}, ["dose in (9, 13, 14)"])
    assert p_value(drawn, meets) > 1e-3


def test_a_record_does_not_depend_on_the_batch() -> None:
    model = causal()
    requests = [Request(number) for number in range(20)]
    together = Decoder(model).records(requests, seed=3)
    assert [Decoder(model).records([request], seed=3)[0] for request in requests] == together
    assert Decoder(model, batch_size=3).records(requests, seed=3) == together


def test_a_low_temperature_sharpens_the_choice_of_a_bin_and_not_the_value_inside() -> None:
    model = causal()
    cold = Decoder(model, Sampling(temperature=1e-4)).records(
        [Request(number) for number in range(300)], seed=0
    )
    tokens = {tuple(model.codec.encode(record)) for (record,) in cold}
    assert len(tokens) == 1
    assert len({tuple(record.values()) for (record,) in cold}) > 1


@pytest.mark.parametrize("family", sorted(MASKED)[:2])
def test_a_masked_model_draws_values_of_the_bins(family: str) -> None:
    model, tokenizer = masked_model(family)
    codec = Codec(SCHEMA, tokenizer, "slots", bins=BINS)  # type: ignore[arg-type]
    restrict_head(model, codec.vocabulary)
    adapted = AdaptedModel(model.eval(), codec, TokenMasks(codec))
    assert MaskedLayout(codec).widths == (1, 1, 1)
    drawn = drawn_under(adapted, {"sex": "f"}, ["missing(dose) or dose >= 10"], draws=1500)
    assert {record["sex"] for record in drawn} == {"f"}
    assert all(SCHEMA.allows(record) and (record["dose"] is None or record["dose"] >= 10) for record in drawn)
    last = Counter(record["dose"] for record in drawn if (record["dose"] or 0) >= 12)
    shares = [BINS["dose"].bins[2].probability(number) for number in range(12, 20)]
    expected = np.array(shares) * last.total()
    assert chisquare([last[number] for number in range(12, 20)], expected).pvalue > 1e-3


def test_the_control_loss_of_a_masked_model_counts_the_values_inside_bins() -> None:
    model, tokenizer = masked_model(sorted(MASKED)[0])
    codec = Codec(SCHEMA, tokenizer, "slots", bins=BINS)  # type: ignore[arg-type]
    layout = MaskedLayout(codec)
    record: Record = {"dose": 13, "sex": "f", "size": 0.0}
    columns = AllowedColumns(layout, len(codec.vocabulary or ()))
    (first, *_) = control_examples(layout.encode(record), layout, columns, np.random.default_rng(0))
    assert first.constant == pytest.approx(-math.log(BINS["dose"].bins[2].probability(13)))
    del model


def test_an_attack_reads_the_value_inside_its_bin() -> None:
    model = causal()
    reader = reader_of(model.codec, model.masks)
    records: list[Record] = [{"dose": 13, "sex": "f", "size": 0.0}, {"dose": None, "sex": "m", "size": 0.2}]
    encoded, _ = reader.encode(records)
    tokens = reader.likelihoods(model.model, encoded)
    fitted = with_values(tokens, model.codec, records, fitted=True)
    even = with_values(tokens, model.codec, records, fitted=False)
    total = losses(model)
    for record, one in zip(records, fitted, strict=True):
        assert -one.log_probability.sum() == pytest.approx(total[RECORDS.index(record)], rel=1e-4)
    assert fitted[0].field_index.tolist() == [0, 1, 2, 0]
    assert fitted[1].field_index.tolist() == [0, 1, 2, 2]
    assert even[0].log_probability[-1] == pytest.approx(-math.log(8))
    assert even[1].log_probability[-1] == pytest.approx(-math.log(11))
