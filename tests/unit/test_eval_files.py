"""Files of any origin: read, typed together, measured, written."""

import json
import runpy
from pathlib import Path

import pandas as pd
import pytest
from rich.console import Console

from paracosm.eval.files import evaluate_files
from paracosm.eval.summary import summary
from paracosm.recipes.errors import DataError
from paracosm.recipes.recipe import Evaluate

patients = runpy.run_path(str(Path(__file__).parents[1] / "example_tables.py"))["patients"]
QUICK = Evaluate(bootstrap=100, repeats=1)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path]:
    """Four tables as CSV, JSONL and Parquet, as different tools would write them."""
    table = patients(400, 0)
    parts = {"train": (0, 200), "control": (200, 260), "test": (260, 320), "synthetic": (320, 400)}
    frames = {name: table.iloc[a:b].reset_index(drop=True) for name, (a, b) in parts.items()}
    frames["train"].to_csv(tmp_path / "train.csv", index=False)
    frames["control"].to_json(tmp_path / "control.jsonl", orient="records", lines=True)
    frames["test"].to_csv(tmp_path / "test.csv.gz", index=False)
    # Another generator writes whole numbers as floats and adds a column of its own.
    frames["synthetic"].astype({"age": "Float64"}).assign(made=1).to_csv(
        tmp_path / "synthetic.csv", index=False
    )
    names = {
        "train": "train.csv",
        "control": "control.jsonl",
        "test": "test.csv.gz",
        "synthetic": "synthetic.csv",
    }
    return {name: tmp_path / file for name, file in names.items()}


def test_files_are_measured_and_written(files: dict[str, Path], tmp_path: Path) -> None:
    found = evaluate_files(**files, target="ill", out=tmp_path / "out", settings=QUICK)
    plain = json.loads((tmp_path / "out" / "metrics.json").read_text())
    assert plain == json.loads(found.to_json())
    assert plain["sizes"] == {"train": 200, "control": 60, "test": 60, "synthetic": 80}
    assert "<html" in (tmp_path / "out" / "report.html").read_text()
    console = Console(width=140, record=True, file=(tmp_path / "terminal").open("w"))
    console.print(summary(plain))
    shown = console.export_text()
    assert found.verdict in shown
    assert all(metric["name"] in shown for metric in plain["metrics"])


def test_nothing_is_written_without_a_folder(files: dict[str, Path], tmp_path: Path) -> None:
    before = sorted(tmp_path.iterdir())
    found = evaluate_files(
        train=files["train"], control=files["control"], synthetic=files["synthetic"], settings=QUICK
    )
    assert sorted(tmp_path.iterdir()) == before
    assert found.missing["utility_skill"].reason.startswith("no target")


def test_a_lacking_column_names_file_column_and_nearest(files: dict[str, Path]) -> None:
    pd.read_csv(files["synthetic"]).rename(columns={"stage": "Stage"}).to_csv(files["synthetic"], index=False)
    with pytest.raises(
        DataError, match=r"synthetic.csv: lacks the column 'stage' of .*train.csv; did you mean 'Stage'"
    ):
        evaluate_files(**files, target="ill", settings=QUICK)
    with pytest.raises(DataError, match=r"train.csv: has no column 'il' \(--target\); did you mean 'ill'"):
        evaluate_files(**files, target="il", settings=QUICK)
