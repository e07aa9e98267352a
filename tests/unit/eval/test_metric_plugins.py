"""Metrics of other packages: found by entry point, measured and ruled like any other, refused in one line where they are broken."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

METRIC = """
from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, same_context, too_few
from paracosm.eval.measuring.metric import Metric
from paracosm.eval.measuring.readings import interpret_distance
from paracosm.eval.statistics.intervals import around

MISSING_CELLS = Metric(
    name="{name}",
    title="Missing cells: difference in share",
    section="fidelity",
    goal="down",
    range=(0.0, 1.0),
    source="this test",
    what="How far the share of missing cells is from that of train.",
    read=interpret_distance,
    gates=(Gate("at most", 0.05, 0.05, 0.05, settled_by=HELD_OUT),),
)


def missing_cells(context, candidate):
    shares = [table.isna().to_numpy().mean() for table in (candidate, context.train)]
    return {{"{name}": around(float(abs(shares[0] - shares[1])), 1e-6, (0.0, 1.0))}}


MEASURE = Measure(missing_cells, (MISSING_CELLS,), same_context(fidelity_candidates), too_few)
"""
EVALUATE = """
import json
import example_tables
from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import rule
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.catalogue import MEASURES
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Obstacle
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release

table, schema = example_tables.example("structured", 300, 0)
train, control, test, synthetic = (
    table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 120), (120, 160), (160, 200), (200, 300))
)
synthetic.loc[:, synthetic.columns[0]] = None
context = Context(schema, train, control, test, None, Evaluate(bootstrap=100, repeats=1), 80)
results, missing = measure_all(context, synthetic, [MEASURES[-1]])
elsewhere = {gate.metric: Obstacle("not measured here", curable=False) for gate in GATES}
states = {}
for limit in (0.001, 0.9):
    rulings = rule(results, elsewhere, Release(gates={"toy_missing": limit}))
    states[limit] = next(ruling.state for ruling in rulings if ruling.gate == "toy_missing")
print(json.dumps({
    "last": metrics()[-1].name,
    "anchors": sorted(results[0].estimates),
    "reading": results[0].reading,
    "states": list(states.values()),
    "profile": [gate.public for gate in GATES if gate.name == "toy_missing"],
}))
"""


def _install(folder: Path, code: str, value: str = "toy_metrics:MEASURE") -> None:
    """Put a distribution with one entry point into `folder`."""
    (folder / "toy_metrics.py").write_text(code, encoding="utf-8")
    info = folder / "toy_metrics-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(
        "Metadata-Version: 2.1\nName: toy-metrics\nVersion: 1.0\n", encoding="utf-8"
    )
    (info / "entry_points.txt").write_text(f"[paracosm.metrics]\nmissing = {value}\n", encoding="utf-8")


def _python(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    paths = [str(folder), str(Path(__file__).parents[2]), os.environ.get("PYTHONPATH", "")]
    environment = os.environ | {"PYTHONPATH": os.pathsep.join(paths)}
    command = [sys.executable, *arguments]
    return subprocess.run(command, capture_output=True, text=True, env=environment, timeout=600, check=False)


def test_a_metric_of_another_package_is_listed_measured_and_ruled(tmp_path: Path) -> None:
    _install(tmp_path, METRIC.format(name="toy_missing"))
    done = _python(tmp_path, "-c", EVALUATE)
    assert done.returncode == 0, done.stderr
    result = json.loads(done.stdout)
    assert result["last"] == "toy_missing"
    assert result["anchors"] == ["ceiling", "floor", "synthetic", "worst"]
    assert "fresh real records" in result["reading"]
    assert result["states"] == ["FAIL", "PASS"]
    assert result["profile"] == [0.05]


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        (METRIC.format(name="marginals"), "toy_metrics:MEASURE", "the metric 'marginals' exists already"),
        ("raise OSError('no such disk')", "toy_metrics:MEASURE", "cannot be loaded (OSError: no such disk)"),
        (
            "MEASURE = 3",
            "toy_metrics:MEASURE",
            "is of type int; the group 'paracosm.metrics' expects a Measure",
        ),
        (
            "MEASURE = ()",
            "toy_metrics:MEASURE",
            "is of type tuple; the group 'paracosm.metrics' expects a Measure",
        ),
        ("", "toy_metrics:NOTHING", "cannot be loaded (AttributeError"),
    ],
)
def test_a_broken_plug_in_ends_in_one_line(tmp_path: Path, code: str, value: str, reason: str) -> None:
    _install(tmp_path, code, value)
    done = _python(
        tmp_path, "-c", "import sys; from paracosm.cli.app import main; sys.exit(main())", "metrics"
    )
    assert done.returncode == 2
    (line,) = done.stderr.strip().splitlines()
    assert "plug-in 'missing' of toy-metrics" in line
    assert reason in line


def test_listing_metrics_imports_nothing_heavy() -> None:
    heavy = ("torch", "sklearn", "scipy", "transformers", "spacy", "matplotlib")
    code = (
        f"import sys, paracosm.eval.gates.catalogue; print([name for name in {heavy} if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=600, check=True
    )
    assert done.stdout.strip() == "[]"
