"""What one person alone has stands in no file of a run: neither adapter, codec, report and card nor synthetic records."""

import gzip
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pyarrow.parquet as pq
import pytest
from tiny_models import save_tiny_llama

import paracosm
from paracosm import registry
from paracosm.eval.gates.ruling import rule
from paracosm.eval.measurements import read_measurements
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.release import Release

PLANTED = ("Zyzzyva", "98765432", "1871-02-03", "75310864")


def write_visits(path: Path) -> None:
    """Write two visits of each of 80 patients, and 30 of one patient who alone has a ward, a cost, a day and a pair."""
    draw = np.random.default_rng(3)
    of = np.repeat(np.arange(80), 2)
    store = draw.integers(1, 6, len(of)) * 10
    table = pd.DataFrame(
        {
            "patient": [f"P{100 + 7 * number}" for number in of],
            "ward": draw.choice(["surgery", "medicine"], len(of)),
            "cost": draw.integers(100, 900, len(of)),
            "born": (pd.Timestamp("1950-01-01") + pd.to_timedelta(of * 99, unit="D")).strftime("%Y-%m-%d"),
            "store": store,
            "town": [f"Town {number}" for number in store],
        }
    )
    one = {
        "ward": "Zyzzyva unit",
        "cost": 98765432,
        "born": "1871-02-03",
        "store": 75310864,
        "town": "Zyzzyva town",
    }
    alone = pd.DataFrame({"patient": "P100"} | one, index=range(30))
    pd.concat([table, alone], ignore_index=True).to_csv(path, index=False)


def finished(folder: Path, **strategy: object) -> Run:
    """Run the planted table through every stage."""
    write_visits(folder / "visits.csv")
    recipe = Recipe.model_validate(
        {
            "name": "planted",
            "data": {"source": str(folder / "visits.csv"), "subject": "patient"},
            "model": {"base": str(save_tiny_llama(folder / "model")), "layers": 2},
            "finetune": {"epochs": 1},
            "generate": {"formats": ["parquet", "csv", "jsonl"], "batch_size": 64},
            "eval": {"bootstrap": 100, "repeats": 1},
        }
        | strategy
    )
    return paracosm.run(recipe, run=folder / "run")


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    return finished(tmp_path_factory.mktemp("planted"))


def marks_in(folder: Path) -> set[tuple[str, str]]:
    """Return every file below a folder that holds a planted value, with the value."""
    files = [path for path in folder.rglob("*") if path.is_file()]
    return {
        (path.relative_to(folder).as_posix(), mark)
        for path in files
        for mark in PLANTED
        if mark in text_of(path)
    }


def text_of(path: Path) -> str:
    """Return the text of a file: cells and metadata of Parquet, the unpacked content of gzip, and else the bytes."""
    if path.suffix == ".gz":
        return gzip.decompress(path.read_bytes()).decode("utf-8", errors="replace")
    if path.suffix == ".parquet":
        return str(pq.read_table(path).to_pylist()) + str(pq.read_schema(path).metadata)
    return path.read_bytes().decode("utf-8", errors="replace")


def test_no_file_of_the_run_holds_a_planted_value(run: Run) -> None:
    files = {path for path in run.root.rglob("*") if path.is_file()}
    assert {run.codec, run.schema, run.metrics, run.report, run.card, run.shard(0)} <= files
    assert marks_in(run.root) == set()


def test_no_file_of_a_published_version_holds_a_planted_value(run: Run, tmp_path: Path) -> None:
    registry.publish(run=run.root, url=str(tmp_path / "store"), override="a test")
    folder = registry.pull(name="planted", url=str(tmp_path / "store"), into=tmp_path / "pulled")
    names = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert {
        "adapter_model.safetensors", "codec.json", "schema.json", "README.md", "metrics.json", "manifest.json", "provenance.json",
        "dataset/records.parquet", "dataset/README.md", "dataset/croissant.json",
    } <= names  # fmt: skip
    assert marks_in(tmp_path) == set()


@pytest.mark.parametrize("method", ["forest", "copula", "marginals"])
def test_no_file_of_a_statistical_run_holds_a_planted_value(method: str, tmp_path: Path) -> None:
    run = finished(tmp_path, strategy="statistical", statistical={"method": method})
    assert run.statistics.is_dir()
    assert marks_in(run.root) == set()
    registry.publish(run=run.root, url=str(tmp_path / "store"), override="a test")
    assert marks_in(tmp_path / "store") == set()


def test_no_file_of_a_run_with_bins_holds_a_planted_value(tmp_path: Path) -> None:
    run = finished(tmp_path, finetune={"epochs": 1, "numbers": "bins"})
    assert {"cost", "born"} <= set(json.loads(run.codec.read_text())["bins"])
    assert marks_in(run.root) == set()


def test_a_planted_value_would_be_found(tmp_path: Path) -> None:
    write_visits(tmp_path / "visits.csv")
    pd.read_csv(tmp_path / "visits.csv").to_parquet(tmp_path / "visits.parquet")
    (tmp_path / "visits.csv.gz").write_bytes(gzip.compress((tmp_path / "visits.csv").read_bytes()))
    assert len(marks_in(tmp_path)) == 3 * len(PLANTED)


def test_report_metrics_and_card_name_what_was_suppressed(run: Run) -> None:
    for path in (run.metrics, run.report, run.card):
        text = path.read_text()
        assert "data.rare" in text
        assert "&#39;ward&#39; 1 value" in text or "'ward' 1 value" in text
    metric = next(
        each for each in json.loads(run.metrics.read_text())["metrics"] if each["name"] == "rare_values"
    )
    assert metric["value"] == 0


def test_the_gate_of_partners_and_the_public_reads_it(run: Run) -> None:
    measured = read_measurements(run.measurements)
    for profile, states in (("internal", set()), ("partner", {"PASS"}), ("public", {"PASS"})):
        gates = rule(measured.results, measured.missing, Release.model_validate({"profile": profile}))
        assert {gate.state for gate in gates if gate.gate == "rare_values"} == states
