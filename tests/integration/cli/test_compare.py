"""`paracosm compare` on a small table: two strategies on the same records, and a second call that repeats nothing."""

import json
import random
from pathlib import Path

import pytest

from paracosm.cli.app import main
from paracosm.recipes.run.directory import STAGES, Run

QUICK = ("eval.bootstrap=100", "eval.repeats=1", "eval.max_rows=100")


def compare(folder: Path, *strategies: str, train_rows: str = "all") -> None:
    with pytest.raises(SystemExit) as left:
        main(
            [
                "compare",
                str(folder / "people.yaml"),
                *QUICK,
                "--strategies",
                ",".join(strategies),
                "--train-rows",
                train_rows,
                "--out",
                str(folder / "out"),
            ]
        )
    assert left.value.code == 0


def test_two_strategies_are_compared_and_a_second_call_resumes(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    draw = random.Random(0)
    lines = [f"{draw.randrange(20, 60)},{draw.choice(('north', 'south', 'west'))}" for _ in range(120)]
    (tmp_path / "people.csv").write_text("\n".join(["age,ward", *lines]) + "\n")
    # There is no such base model, so that `finetuned` cannot serve.
    (tmp_path / "people.yaml").write_text(
        "name: people\ndata: {source: people.csv}\nmodel: {base: ./absent}\n"
    )
    compare(tmp_path, "finetuned", "marginals", "copula")
    out = tmp_path / "out"
    text = (out / "comparison.md").read_text()
    assert "|  |  | marginals | copula |" in text
    assert "left out: finetuned: " in capsys.readouterr().out
    plain = json.loads((out / "comparison.json").read_text())
    runs = [Run.open(out / name) for name in plain["strategies"]]
    assert len({run.split("train").read_bytes() for run in runs}) == 1
    before = [run.journal.read() for run in runs]
    assert [set(STAGES) - set(journal["stages"]) for journal in before] == [set(), set()]
    compare(tmp_path, "marginals")
    assert [run.journal.read() for run in runs] == before
    again = json.loads((out / "comparison.json").read_text())
    assert again["strategies"] == {"marginals": plain["strategies"]["marginals"]}
    compare(tmp_path, "marginals", train_rows="40,all,9999")
    fewer = Run.open(out / "marginals@40")
    assert [run.journal.read() for run in runs] == before
    assert fewer.journal.stage("records")["facts"]["rows"]["train"] == 40
    assert fewer.split("control").read_bytes() == runs[0].split("control").read_bytes()
    curve = json.loads((out / "comparison.json").read_text())["learning_curve"]
    assert [each["train_rows"] for each in curve] == [40, len(lines) - 24]
    assert "40 training records: within the interval" in capsys.readouterr().out
