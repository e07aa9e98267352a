"""What would settle the open gates is said once for all that want the same."""

import math

import numpy as np

from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.remedies import remedies
from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.measuring.gate import CONTROL
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.recipes.sections.release import Release

METRICS = {metric.name: metric for metric in metrics()}
RELEASE = Release(
    profile="public", gates={gate.name: gate.internal for gate in GATES if math.isfinite(gate.internal)}
)
"""Demands proof of every gate that can pass, at the limits of the internal profile."""
SIZES = {"train": 700, "control": 92, "test": 92, "synthetic": 700}


def ruled(
    estimates: dict[str, Estimate], missing: Obstacle | None = None, sizes: dict[str, int] = SIZES
) -> EvaluationFile:
    """Return an evaluation in which these metrics alone were measured."""
    found = Estimate(1.0, 0.95, 1.0)
    results = [
        Result(METRICS[name], {"synthetic": estimate, "worst": found}) for name, estimate in estimates.items()
    ]
    absent = missing or Obstacle("this test leaves it out", curable=False)
    gates = rule(results, dict.fromkeys(METRICS, absent), RELEASE)
    return EvaluationFile(
        verdict=verdict(gates),
        profile="public",
        sizes=sizes,
        metrics=[],
        gates=[gate for gate in gates if gate.decides],
        not_ruling=[],
        notes=[],
    )


def test_gates_that_need_the_same_data_share_a_line() -> None:
    wide = Estimate(0.55, 0.45, 0.65)  # 0.05 below the limit with a margin of 0.1: four times as many
    entries = remedies(ruled({"data_mia_auc": wide, "singling_out": Estimate(0.0, -0.3, 0.3)}))
    assert [each.gates for each in entries] == [("data_mia_auc", "singling_out")]
    assert (
        entries[0].sentence == "2 gates need about 560 more control and test records than the 184 there are"
    )
    alone = remedies(ruled({"data_mia_auc": wide}))[0].sentence
    assert alone == "1 gate needs about 560 more control and test records than the 184 there are"


def test_half_of_the_gates_may_need_far_fewer() -> None:
    found = {
        "data_mia_auc": Estimate(0.55, 0.45, 0.65),
        "singling_out": Estimate(0.0, -0.2, 0.2),
        "linkability": Estimate(0.0, -0.2, 0.2),
    }
    assert remedies(ruled(found))[0].sentence.endswith("than the 184 there are, half of them about 150")


def test_the_advised_number_of_records_decides_the_gate() -> None:
    """With so many times as many records the interval shrinks by the root, and the gate passes."""
    random = np.random.default_rng(0)
    for _ in range(50):
        value, margin = random.uniform(0.5, 0.59), random.uniform(0.02, 0.2)
        gate = ruled({"data_mia_auc": Estimate(value, value - margin, value + margin)}).gates[0]
        if gate.data_factor is None:
            assert gate.state == "PASS" or margin > 5 * (0.6 - value)
            continue
        shrunk = margin / np.sqrt(gate.data_factor * 1.0001)
        settled = ruled({"data_mia_auc": Estimate(value, value - shrunk, value + shrunk)}).gates[0]
        assert settled.state == "PASS"


def test_gates_that_more_records_would_hardly_decide_are_listed_apart() -> None:
    found = {"data_mia_auc": Estimate(0.65, 0.55, 0.75), "data_mia_tpr": Estimate(0.049, -0.1, 0.2)}
    (entry,) = remedies(ruled(found))
    assert entry.sentence.startswith(
        "2 gates may need more than 25 times as many control and test records: the value is near the limit"
    )
    assert remedies(ruled({"data_mia_auc": Estimate(0.5, 0.45, 0.55)})) == []


def test_invalid_gates_and_other_obstacles_keep_their_reason() -> None:
    shifted = {
        "split_guard": Estimate(0.9, 0.88, 0.92),
        "data_mia_auc": Estimate(0.5, 0.45, 0.55),
        "inference": Estimate(0.0, -0.1, 0.1),
    }
    readings = [each.sentence for each in remedies(ruled(shifted))]
    assert any(each.startswith("2 gates are undecided. Void") for each in readings)
    lacking = remedies(ruled({}, Obstacle("only 5 control records; at least 30 are needed")))
    assert len(lacking) == 1
    assert len(lacking[0].gates) == sum(gate.demands_proof(RELEASE) for gate in GATES)
    assert "Not measured: only 5 control records" in lacking[0].sentence


def test_copies_count_synthetic_records() -> None:
    none = Estimate(0.0, -0.02, 0.03, facts={"copies": 0, "rows": 100})
    (entry,) = remedies(ruled({"exact_copies": none}, sizes=SIZES | {"synthetic": 100}))
    assert entry.sentence == "1 gate needs about 290 more synthetic records than the 100 there are"
    assert CONTROL not in entry.sentence
