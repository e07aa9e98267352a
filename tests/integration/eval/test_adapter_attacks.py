"""Attacks on a real adapter that memorised its training records, canaries among them."""

from dataclasses import replace

import example_tables
import numpy as np
import pandas as pd
import pytest

from paracosm.eval.attacks.canary_audit import canary_audit
from paracosm.eval.attacks.extraction import extraction
from paracosm.eval.attacks.likelihoods.of_adapter import adapter_likelihoods
from paracosm.eval.attacks.membership import adapter_membership, adapter_obstacle
from paracosm.eval.attacks.target import read_target
from paracosm.eval.evaluation import rule_on
from paracosm.eval.measure_tables import measure
from paracosm.eval.measuring.context import Context
from paracosm.finetune.models.trained_model import load_codec
from paracosm.finetune.objectives.canaries import INCLUDED
from paracosm.finetune.stage import train
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import to_records, write_table

QUICK = Evaluate(bootstrap=100, repeats=1, attacked_records=100)
SCHEMA = Schema((*example_tables.PATIENT_FIELDS, Field(name="code", type="integer", minimum=0, maximum=9999)))
CANARIES = 120


def _patients(rows: int, seed: int) -> pd.DataFrame:
    """Return records with a random four-digit code each."""
    table = example_tables.patients(rows, seed)
    codes = np.random.default_rng([seed, 1]).integers(0, 10_000, rows)
    return table.assign(code=pd.array(codes, dtype="Int64"))


@pytest.fixture(scope="module")
def memorised(tmp_path_factory: pytest.TempPathFactory) -> tuple[Run, Context]:
    """An adapter on one layer of the bundled model, trained on 100 records, of which 60 are randomly included canaries."""
    run = Run.create(tmp_path_factory.mktemp("runs") / "memorised")
    run.splits.mkdir()
    canaries = _patients(CANARIES, 7)
    included = np.random.default_rng(0).permutation(CANARIES) < CANARIES // 2
    train_table = pd.concat([_patients(40, 1), canaries[included]], ignore_index=True)
    # With train as control, the last epoch is the best one and is kept.
    for name in ("train", "control", "test"):
        write_table(train_table, run.split(name), SCHEMA)
    SCHEMA.save(run.schema)
    recipe = Recipe.model_validate(
        {
            "name": "memorised",
            "data": {"source": "none.csv"},
            "model": {"layers": 1},
            "finetune": {
                "epochs": 40,
                "patience": None,
                "learning_rate": 6e-3,
                "average_decay": 0.8,
                "smoothing": 0,
            },
        }
    )
    train(recipe=recipe, run=run, progress=lambda _: None)
    write_table(canaries, run.canaries, SCHEMA)
    pd.read_parquet(run.canaries).assign(**{INCLUDED: included}).to_parquet(run.canaries)
    non_members = _patients(200, 2)
    context = Context(
        SCHEMA,
        train_table,
        non_members.iloc[:100].reset_index(drop=True),
        non_members.iloc[100:].reset_index(drop=True),
        None,
        QUICK,
        200,
        adapter=run.adapter,
        canaries=run.canaries,
    )
    return run, context


def test_likelihoods_agree_with_the_training_loss(memorised: tuple[Run, Context]) -> None:
    import torch

    from paracosm.finetune.objectives.causal_dataset import Collator, RecordDataset
    from paracosm.finetune.objectives.encoded_record import encode_held_out
    from paracosm.finetune.objectives.grammar_loss import GrammarLoss
    from paracosm.generate.decoding.loaded_model import load_adapted

    run, context = memorised
    codec, masks = load_codec(run.adapter)
    records, _ = encode_held_out(to_records(context.train.iloc[:9], SCHEMA), codec, masks)
    found = adapter_likelihoods(run.adapter, codec, masks, records)
    model = load_adapted(run.adapter).model
    examples = RecordDataset(records, opening=codec.opening, shuffled=False, seed=0)
    for number, likelihood in enumerate(found):
        batch = Collator(codec.vocabulary, codec.alphabet.stop)([examples[number]])
        with torch.inference_mode():
            logits = model(input_ids=batch["input_ids"], use_cache=False).logits
            loss = GrammarLoss(masks, codec.vocabulary)(logits, batch["labels"], batch["mask_numbers"])
        assert -likelihood.log_probability.sum() == pytest.approx(float(loss), rel=2e-2)
        assert len(likelihood.field_index) == records[number].decisions
        assert (likelihood.expected <= 0).all()
        assert (
            likelihood.log_probability[likelihood.is_argmax]
            >= likelihood.expected[likelihood.is_argmax] - 1e-3
        ).all()


def test_the_attacks_find_memorised_records(memorised: tuple[Run, Context]) -> None:
    _, context = memorised
    found = {model: adapter_membership(context, model) for model in ("adapter", "clean", "base", "memorised")}
    assert found["adapter"]["adapter_mia_auc"].low > 0.75
    assert found["adapter"]["adapter_mia_tpr"].low > 0.1
    assert found["memorised"]["adapter_mia_auc"].low > 0.75
    for null_model in ("clean", "base"):
        assert found[null_model]["adapter_mia_auc"].low < 0.55
    assert set(found["adapter"]["adapter_mia_auc"].breakdown) == {
        "loss",
        "zlib",
        "ratio",
        "min_k_plus",
        "rmia",
        "windows",
    }


def test_canaries_are_exposed_and_refute_a_privacy_budget(memorised: tuple[Run, Context]) -> None:
    _, context = memorised
    found = {model: canary_audit(context, model) for model in ("adapter", "base", "perfect")}
    most = found["perfect"]["canary_exposure"].value
    assert (
        found["adapter"]["canary_exposure"].breakdown["median"]
        > found["base"]["canary_exposure"].breakdown["median"]
    )
    assert most == pytest.approx(np.log2(CANARIES // 2 + 1))
    assert found["adapter"]["audit_epsilon"].value > 0.1
    assert found["base"]["audit_epsilon"].value < 1.0
    assert found["perfect"]["audit_epsilon"].value >= found["adapter"]["audit_epsilon"].value


def test_the_verdict_on_a_memorising_adapter_is_fail(memorised: tuple[Run, Context]) -> None:
    run, context = memorised
    assert context.test is not None
    evaluation = rule_on(
        measure(
            train=context.train,
            control=context.control,
            test=context.test,
            synthetic=_patients(120, 3),
            schema=SCHEMA,
            settings=QUICK,
            adapter=run.adapter,
            canaries=run.canaries,
        )
    )
    states = {gate.gate: gate.state for gate in evaluation.gates}
    assert states["adapter_mia_auc"] == "FAIL"
    assert evaluation.verdict == "FAIL"
    # 60 canaries left out show 5.9 bits at most, below the limit of 10: no power.
    assert states["canary_exposure"] == "INCONCLUSIVE"
    assert "No power" in next(gate.reason for gate in evaluation.gates if gate.gate == "canary_exposure")


def test_attacks_without_their_input_are_not_measured(memorised: tuple[Run, Context]) -> None:
    _, context = memorised
    absent = adapter_obstacle(replace(context, adapter=None))
    assert absent is not None
    assert not absent.curable
    left_out = adapter_obstacle(replace(context, settings=Evaluate(attacks=[])))
    assert left_out is not None
    assert left_out.curable
    assert extraction(context, "adapter") == {}
    assert context.test is not None
    outside = context.test.copy()
    outside.loc[:39, "age"] = 99
    target = read_target(replace(context, test=outside))
    # Forty of the hundred test records lie outside the domain; control is known not to have trained, and is not attacked.
    assert (target.unknown, target.others) == (40, 60)
    assert len(target.records) == target.members + target.others + len(context.control)
