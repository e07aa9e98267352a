"""A copy of train must fail its privacy gates, whatever the data; records that copy nothing must not."""

from collections.abc import Callable

import example_tables
import numpy as np
import pandas as pd
import pytest
from sklearn.datasets import load_breast_cancer, load_diabetes, load_wine

from paracosm.eval.evaluation import rule_on
from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import rule
from paracosm.eval.measure_tables import measure, measure_all
from paracosm.eval.measuring.anchors import independent_marginals
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Obstacle
from paracosm.eval.privacy.distance_to_closest import MEASURE as LEAKAGE
from paracosm.eval.privacy.gdpr_risks import inference, linkability, singling_out
from paracosm.eval.privacy.membership import MEASURE as MEMBERSHIP
from paracosm.eval.privacy.ngram_overlap import MEASURE as REPLAY
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.schema.schema import Schema

example, typed_numbers = example_tables.example, example_tables.typed_numbers

MEASURES = (MEMBERSHIP, singling_out.MEASURE, linkability.MEASURE, inference.MEASURE, REPLAY)
QUICK = Evaluate(bootstrap=100, repeats=1)
Data = tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame, pd.DataFrame, Schema]


def _bundled(load: Callable) -> tuple[pd.DataFrame, Schema]:
    return typed_numbers(load(as_frame=True).data)


TABLES: dict[str, Callable[[], tuple[pd.DataFrame, Schema]]] = {
    "breast cancer": lambda: _bundled(load_breast_cancer),
    "diabetes": lambda: _bundled(load_diabetes),
    "wine": lambda: _bundled(load_wine),
    "structured": lambda: example("structured", 500, 1),
    "text": lambda: example("text", 500, 2),
    "hybrid": lambda: example("hybrid", 500, 3),
}


@pytest.fixture(scope="module", params=list(TABLES))
def data(request: pytest.FixtureRequest) -> Data:
    """Train, control, test, a fresh real part as large as control and test together, and the schema."""
    table, schema = TABLES[request.param]()
    table = table.sample(frac=1, random_state=0).reset_index(drop=True)
    ends = [int(len(table) * share) for share in (0.45, 0.65, 0.8, 1)]
    parts = [table.iloc[a:b].reset_index(drop=True) for a, b in zip([0, *ends], ends, strict=False)]
    return (*parts, schema)  # type: ignore[return-value]


def _privacy(data: Data, synthetic: pd.DataFrame) -> dict[str, str]:
    """Return what the gates on copies and distances say."""
    train, control, test, _, schema = data
    context = Context(schema, train, control, test, None, QUICK, len(control) + len(test))
    results, _ = measure_all(context, synthetic, [LEAKAGE])
    elsewhere = {gate.metric: Obstacle("not asked here", curable=False) for gate in GATES}
    return {
        ruling.gate: ruling.state
        for ruling in rule(results, elsewhere, Release())
        if ruling.metric in [metric.name for metric in LEAKAGE.metrics]
    }


def _slightly_noisy(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    random, noisy = np.random.default_rng(0), table.copy()
    for field in schema:
        if field.type in ("integer", "number"):
            values = noisy[field.name].to_numpy(dtype=float, na_value=np.nan)
            values = values + (random.random(len(values)) < 0.5) * random.normal(
                0, 0.01, len(values)
            ) * np.nanstd(values)
            noisy[field.name] = pd.array(
                [None if np.isnan(each) else each for each in values], dtype="Float64"
            )
    return noisy


@pytest.mark.parametrize("kind", ["structured", "text", "hybrid"])
def test_the_verdict_on_a_verbatim_copy_is_fail(kind: str) -> None:
    table, schema = example(kind, 300, 4)
    train, control, test = (
        table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 200), (200, 250), (250, 300))
    )
    found = rule_on(
        measure(train=train, control=control, test=test, synthetic=train, schema=schema, settings=QUICK)
    )
    assert found.verdict == "FAIL"
    failed = {gate.gate for gate in found.gates if gate.state == "FAIL"}
    assert failed >= {"exact_copies", "near_copies", "data_mia_auc", "data_mia_tpr"}
    assert failed >= ({"run_50"} if kind != "structured" else {"inference"})


def _attacked(data: Data, synthetic: pd.DataFrame) -> dict[str, str]:
    """Return what the gates on attacks say."""
    train, control, test, _, schema = data
    context = Context(schema, train, control, test, None, QUICK, len(control) + len(test))
    results, missing = measure_all(context, synthetic, MEASURES)
    elsewhere = {gate.metric: Obstacle("not asked here", curable=False) for gate in GATES}
    measured = {name for measure in MEASURES for name in (m.name for m in measure.metrics)}
    return {
        each.gate: each.state
        for each in rule(results, elsewhere | missing, Release())
        if each.metric in measured
    }


def test_attacks_find_a_copy_and_not_fresh_real_records(data: Data) -> None:
    copied, fresh = _attacked(data, data[0]), _attacked(data, data[3])
    assert copied["data_mia_auc"] == "FAIL"
    assert "FAIL" not in fresh.values()
    if any(field.type != "text" for field in data[4]):
        assert copied["linkability"] == "FAIL"


def test_a_verbatim_copy_fails(data: Data) -> None:
    states = _privacy(data, data[0])
    assert states["exact_copies"] == "FAIL"
    assert states["near_copies"] == "FAIL"


def test_a_copy_in_another_order_and_of_half_the_rows_fails(data: Data) -> None:
    half = data[0].sample(frac=0.5, random_state=1).reset_index(drop=True)
    assert _privacy(data, half)["exact_copies"] == "FAIL"


def test_a_copy_with_a_little_noise_on_numbers_fails(data: Data) -> None:
    train, _, _, _, schema = data
    if all(field.is_text for field in schema):
        pytest.skip("this table has no numbers to add noise to")
    assert _privacy(data, _slightly_noisy(train, schema))["near_copies"] == "FAIL"


def test_copies_hidden_among_shuffled_records_fail(data: Data) -> None:
    train, _, _, _, schema = data
    shuffled = independent_marginals(train, schema.modelled, len(train), 3)
    mixed = pd.concat([train.iloc[: len(train) // 5], shuffled.iloc[len(train) // 5 :]], ignore_index=True)
    assert _privacy(data, mixed)["exact_copies"] == "FAIL"


def test_independent_columns_pass_privacy(data: Data) -> None:
    train, _, _, _, schema = data
    states = _privacy(data, independent_marginals(train, schema.modelled, 2000, 3))
    assert states["exact_copies"] == "PASS"
    # Records of few coarse cells come close to each other by chance, so that near copies may stay open.
    assert "FAIL" not in states.values()


def test_fresh_real_records_never_fail(data: Data) -> None:
    assert "FAIL" not in _privacy(data, data[3]).values()


def test_texts_copied_beside_other_columns_fail() -> None:
    table, schema = example("hybrid", 400, 5)
    train, control, test = (
        table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 240), (240, 320), (320, 400))
    )
    mixed = independent_marginals(train, schema.modelled, len(train), 0)
    mixed["note"] = train["note"].sample(frac=1, random_state=0).array
    assert _privacy((train, control, test, test, schema), mixed)["near_copies"] == "FAIL"
