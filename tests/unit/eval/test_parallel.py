"""Measures in parallel: the same results on any number of cores, one error ends all, long work reports progress."""

import threading
import time

import example_tables
import pandas as pd
import pytest

from paracosm.eval import parallel
from paracosm.eval.catalogue import FIDELITY
from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.privacy.distance_to_closest import MEASURE as LEAKAGE
from paracosm.recipes.sections.evaluate import Evaluate


def _context() -> tuple[Context, pd.DataFrame]:
    table, schema = example_tables.example("structured", 300, 0)
    parts = [
        table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 120), (120, 160), (160, 200), (200, 300))
    ]
    settings = Evaluate(bootstrap=100, repeats=2)
    return Context(schema, *parts[:3], "ill", settings, 80), parts[3]


def _on_cores(monkeypatch: pytest.MonkeyPatch, count: int) -> None:
    monkeypatch.setattr(parallel, "LARGE", 10)
    monkeypatch.setattr(parallel, "cpu_count", lambda: count)


def test_results_do_not_depend_on_the_number_of_cores(monkeypatch: pytest.MonkeyPatch) -> None:
    measures, results = (*FIDELITY[:2], LEAKAGE), []
    for cores in (1, 3):
        _on_cores(monkeypatch, cores)
        context, synthetic = _context()
        results.append(parallel.run_measures(context, synthetic, measures))
    assert results[0] == results[1]
    assert [set(anchors) for anchors in results[0]] == [{"synthetic", "ceiling", "floor", "worst"}] * 3


def _measure(function) -> Measure:
    return Measure(function, (FIDELITY[0].metrics[0],), same_context(fidelity_candidates), too_few)


def test_two_cores_work_at_once_and_long_work_reports_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    _on_cores(monkeypatch, 2)
    context, synthetic = _context()
    both, lines = threading.Barrier(2, timeout=20), []

    def together(_: Context, __: pd.DataFrame) -> dict[str, Estimate]:
        both.wait()
        return {"marginals": Estimate(1.0, 1.0, 1.0)}

    parallel.run_measures(context, synthetic, [_measure(together)], lines.append)
    assert lines[-1].startswith("measuring · 4 of 4 measurements · last: marginals (")


def test_one_error_ends_the_measurement(monkeypatch: pytest.MonkeyPatch) -> None:
    _on_cores(monkeypatch, 2)
    context, synthetic = _context()
    started = []

    def faulty(_: Context, table: pd.DataFrame) -> dict[str, Estimate]:
        started.append(len(table))
        if len(started) > 1:
            time.sleep(0.02)
            return {"marginals": Estimate(1.0, 1.0, 1.0)}
        raise ArithmeticError("no such figure")

    with pytest.raises(ArithmeticError, match="no such figure"):
        parallel.run_measures(context, synthetic, [_measure(faulty)] * 20)
    assert len(started) < 80
