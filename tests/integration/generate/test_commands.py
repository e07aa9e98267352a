"""`paracosm generate` command after command: overrides hold for one of them, and a refused one changes nothing."""

import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_models import save_tiny_llama

from paracosm.cli.app import _invoke
from paracosm.finetune.stage import train
from paracosm.foundation.process.exit_codes import exit_code_of_command
from paracosm.generate.settings import as_generated
from paracosm.generate.shards import Shards
from paracosm.recipes.loading.load import dump_recipe, load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.stage import prepare

RECIPE = """\
name: holes
data:
  source: holes.csv
  target: num
  split: {{control: 0.2, test: 0.2}}
model: {{base: "{base}", dtype: float32}}
finetune: {{rank: 4, learning_rate: 0.01, epochs: 1, patience: null, order: {order}, warmup_steps: 2, smoothing: 0}}
generate: {{records: 64, batch_size: 8}}
"""


def holes(rows: int) -> pd.DataFrame:
    random = np.random.default_rng(0)
    table = pd.DataFrame(
        {
            "age": random.integers(29, 78, rows),
            "sex": random.choice(["Male", "Female"], rows),
            "cp": random.choice(["typical", "atypical", "none"], rows),
            "chol": random.integers(120, 560, rows).astype(object),
            "dose": [f"{value:.2f}" for value in random.uniform(0, 99, rows)],
            "num": random.integers(0, 2, rows),
        }
    )
    for name in ("cp", "chol", "dose"):
        table.loc[random.random(rows) < 0.3, name] = None
    table.insert(3, "empty", None)
    return table


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with two runs that have their own set of records: `shuffled` and `fixed`."""
    folder = tmp_path_factory.mktemp("commands")
    base = save_tiny_llama(folder / "model")
    holes(300).to_csv(folder / "holes.csv", index=False)
    for order in ("shuffled", "fixed"):
        (folder / f"{order}.yaml").write_text(RECIPE.format(base=base, order=order))
        recipe, run = load_recipe(folder / f"{order}.yaml"), Run.create(folder / order)
        prepare(recipe=recipe, run=run, root=folder)
        train(recipe=recipe, run=run, progress=lambda _: None)
        run.recipe.write_text(dump_recipe(recipe))
        run.journal.note(recipe_folder=str(folder))
        assert generate(run.root) == 0
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path) -> Run:
    shutil.copytree(trained / "shuffled", tmp_path / "run")
    return Run(tmp_path / "run")


def generate(*arguments: object) -> int:
    return exit_code_of_command(lambda: _invoke(["generate", *map(str, arguments)]))


def asked(run: Run) -> dict[str, Any]:
    return run.journal.stage("generate")["inputs"]


def files(folder: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(folder)): path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.name != ".lock"
    }


def test_conditions_of_one_command_do_not_hold_for_the_next(run: Run) -> None:
    recipe = run.recipe.read_bytes()
    assert generate(run.root, "generate.where.sex=Female", "--records", 6) == 0
    assert pd.read_parquet(run.synthetic)["sex"].tolist() == ["Female"] * 6
    assert asked(run)["generate"]["where"] == {"sex": "Female"}
    shown = as_generated(load_recipe(run.recipe), run).generate
    assert (shown.where, shown.records) == ({"sex": "Female"}, 6)
    assert generate(run.root, "generate.quotas.cp=balanced", "--records", 24) == 0
    table = pd.read_parquet(run.synthetic)
    assert table["cp"].value_counts().to_dict() == {"typical": 8, "atypical": 8, "none": 8}
    assert set(table["sex"]) == {"Male", "Female"}
    assert generate(run.root) == 0
    assert len(pd.read_parquet(run.synthetic)) == 64
    assert (asked(run)["generate"]["where"], asked(run)["generate"]["quotas"]) == ({}, {})
    assert run.recipe.read_bytes() == recipe
    assert as_generated(load_recipe(run.recipe), run) == load_recipe(run.recipe)


@pytest.mark.parametrize(
    "refused",
    [
        "generate.where.age=50.5",
        "generate.where.sex=Femal",
        "generate.where.age=null",
        "generate.quotas.age={null: 0.5}",
        "generate.seeds=nowhere.csv",
        "rules.checks=[agee > 3]",
        # No record meets this rule, so that it fails only while records are sampled.
        "rules.checks=[age > 9000]",
        "generate.engine=vllm",
    ],
)
def test_a_refused_command_changes_nothing(run: Run, refused: str) -> None:
    before = files(run.root)
    assert generate(run.root, refused, "generate.attempts=3") == 2
    assert files(run.root) == before
    assert generate(run.root) == 0
    assert files(run.root) == before


@pytest.mark.parametrize("order", ["shuffled", "fixed"])
@pytest.mark.parametrize("name", ["cp", "chol", "dose"])
def test_null_is_a_condition_and_the_key_of_a_quota(
    trained: Path, tmp_path: Path, order: str, name: str
) -> None:
    out = tmp_path / "out"
    assert generate(trained / order, f"generate.where.{name}=null", "--out", out, "--records", 16) == 0
    assert pd.read_parquet(out)[name].isna().all()
    quota = f"generate.quotas.{name}={{null: 0.25}}"
    assert generate(trained / order, quota, "--out", out, "--records", 16) == 0
    assert pd.read_parquet(out)[name].isna().sum() == 4


def test_another_set_of_records_leaves_the_set_of_the_run_alone(run: Run, tmp_path: Path) -> None:
    before, out = files(run.root), tmp_path / "other" / "set"
    options = ["generate.where.sex=Male", "generate.formats=[csv,jsonl]", "--out", out]
    assert generate(run.root, *options) == 0
    assert files(run.root) == before
    table = pd.read_parquet(out)
    assert set(table["sex"]) == {"Male"}
    assert len(table) == 64
    first = files(out)
    assert {name for name in first if "part" not in name} == {".generate.json"}
    assert sorted(path.name for path in out.iterdir() if path.is_dir()) == ["_csv", "_jsonl"]
    assert generate(run.root, *options) == 0
    assert files(out) == first
    # Another command replaces the set in the folder.
    assert generate(run.root, "--out", out, "--records", 8) == 0
    assert len(pd.read_parquet(out)) == 8
    assert not (out / "_csv").exists()


def test_the_own_set_has_the_same_bytes_as_another_one_with_the_same_settings(
    run: Run, tmp_path: Path
) -> None:
    assert generate(run.root, "--out", tmp_path / "other") == 0
    other = files(tmp_path / "other")
    del other[".generate.json"]
    assert other == files(run.synthetic)


def test_a_killed_command_resumes_in_the_folder_with_the_same_bytes(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Shards.write

    def write_two(self: Shards, number: int, groups: Any) -> None:
        if number == 2:
            (self.run.synthetic / ".part-00002.parquet.4711.partial").write_bytes(b"half")
            raise KeyboardInterrupt
        write(self, number, groups)

    assert generate(run.root, "--out", tmp_path / "whole") == 0
    with monkeypatch.context() as patch:
        patch.setattr(Shards, "write", write_two)
        assert generate(run.root, "--out", tmp_path / "killed") != 0
    begun = (tmp_path / "killed" / "part-00000.parquet").stat().st_mtime_ns
    assert not (tmp_path / "killed" / "part-00003.parquet").exists()
    assert generate(run.root, "--out", tmp_path / "killed") == 0
    assert (tmp_path / "killed" / "part-00000.parquet").stat().st_mtime_ns == begun
    whole, killed = files(tmp_path / "whole"), files(tmp_path / "killed")
    del whole[".generate.json"], killed[".generate.json"]
    assert killed == whole


def test_a_folder_with_other_files_is_refused(run: Run, tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "thesis.txt").write_text("years of work")
    (tmp_path / "file").write_text("")
    for out in (tmp_path / "full", tmp_path / "file", run.root, run.synthetic):
        assert generate(run.root, "--out", out) == 2
    assert files(tmp_path / "full") == {"thesis.txt": b"years of work"}


def test_columns_without_cells_are_written_in_their_position(run: Run, tmp_path: Path) -> None:
    names = ["age", "sex", "cp", "empty", "chol", "dose", "num"]
    assert generate(run.root, "generate.formats=[csv,jsonl]", "--out", tmp_path / "out") == 0
    tables = [
        pd.read_parquet(tmp_path / "out"),
        pd.read_csv(tmp_path / "out" / "_csv" / "part-00000.csv"),
        pd.read_json(tmp_path / "out" / "_jsonl" / "part-00000.jsonl", lines=True),
    ]
    for table in tables:
        assert list(table) == names
        assert table["empty"].isna().all()
    for line in (tmp_path / "out" / "_jsonl" / "part-00000.jsonl").read_text().splitlines():
        record = json.loads(line)
        assert isinstance(record["age"], int)
        assert isinstance(record["dose"], float | None)
