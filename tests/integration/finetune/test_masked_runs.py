"""Complete runs of masked models: the bundled BERT-tiny from records to a pulled version, unsuitable models, kills, rewriting."""

import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from tiny_models import save_tiny_llama, save_tiny_masked

from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records

RECIPE = """\
name: notes
data: {source: notes.csv, target: ill, split: {control: 0.2, test: 0.2}, fields: {note: {type: text}}}
model: {base: bert-tiny, dtype: float32}
finetune: {objective: masked, epochs: 3, patience: null, warmup_steps: 2}
generate: {records: 60, batch_size: 16, text_passes: 6}
eval: {bootstrap: 100, repeats: 1, attacked_records: 50}
card: {data_licence: cc-by-4.0}
"""


def environment(**more: str) -> dict[str, str]:
    return os.environ | {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "HF_HUB_OFFLINE": "1"} | more


def paracosm(folder: Path, *words: str, **more: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "paracosm.cli.app", *words],
        cwd=folder, env=environment(**more), capture_output=True, text=True, timeout=300,
    )  # fmt: skip


def done(folder: Path, *words: str, **more: str) -> str:
    found = paracosm(folder, *words, **more)
    assert found.returncode == 0, found.stderr[-3000:]
    return found.stdout + found.stderr


def write_notes(path: Path) -> None:
    rng = np.random.default_rng(0)
    rows = ["age,sex,ill,note"]
    for number in range(220):
        sex, ill, days = rng.choice(["Male", "Female"]), rng.random() < 0.4, rng.integers(2, 30)
        noun = "man" if sex == "Male" else "woman"
        words = (
            f"Case {number}: a {noun} who {'complains of' if ill else 'denies'} chest pain for {days} days."
        )
        rows.append(f"{rng.integers(20, 90)},{sex},{'yes' if ill else 'no'},{words}")
    path.write_text("\n".join(rows) + "\n")


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with a finished run of the bundled model."""
    folder = tmp_path_factory.mktemp("masked")
    write_notes(folder / "notes.csv")
    (folder / "notes.yaml").write_text(RECIPE)
    done(folder, "run", "notes.yaml")
    return folder


def records(run: Path) -> list[dict[str, object]]:
    schema = Schema.load(Run(run).schema)
    return [
        record
        for path in sorted((run / "synthetic").glob("*.parquet"))
        for record in to_records(read_table(path, schema), schema)
    ]


def test_a_run_writes_a_card_and_valid_records(folder: Path) -> None:
    run = folder / "runs" / "notes"
    schema, made = Schema.load(Run(run).schema), records(run)
    assert len(made) == 60
    assert all(schema.allows(record) for record in made)
    assert sum(bool(record["note"]) for record in made) > 50
    lines = [json.loads(line) for line in (run / "history.jsonl").read_text().splitlines()]
    assert lines[-1]["control_bits"] < lines[0]["control_bits"]
    metrics = {
        each["name"]: each for each in json.loads((run / "eval" / "metrics.json").read_text())["metrics"]
    }
    assert 0.2 < metrics["adapter_mia_auc"]["value"] < 0.9
    assert metrics["extraction"]["value"] is None
    card = (run / "card" / "README.md").read_text()
    assert "AutoModelForMaskedLM" in card
    assert "AutoPeftModelForCausalLM" not in card


def test_a_pulled_version_generates_the_same_records(folder: Path, tmp_path: Path) -> None:
    done(folder, "publish", "runs/notes", str(tmp_path / "store"), "--override", "a test of the registry")
    done(tmp_path, "pull", "notes@v1", "--url", str(tmp_path / "store"))
    done(tmp_path, "generate", "notes", "generate.records=60")
    made = [
        pq.read_table(path).to_pylist()
        for run in (folder / "runs" / "notes", tmp_path / "runs" / "notes-v1")
        for path in sorted((run / "synthetic").glob("*.parquet"))
    ]
    assert made[: len(made) // 2] == made[len(made) // 2 :]


def test_seeds_are_rewritten_and_the_fraction_kept_is_recorded(folder: Path) -> None:
    seeds = ["sex,note", "Male,Case 7: a man who DENIES chest pain.", "Female,A woman with ___ since Monday."]
    (folder / "seeds.csv").write_text("\n".join(seeds) + "\n")
    shutil.copytree(folder / "runs" / "notes", folder / "rewritten")
    wanted = (f"generate.seeds={folder / 'seeds.csv'}", "generate.rewrite=0.3", "generate.records=20")
    said = done(folder, "generate", "rewritten", *wanted)
    assert "of the words of the seed texts are unchanged in the records" in said
    made = records(folder / "rewritten")
    assert [record["sex"] for record in made] == ["Male", "Female"] * 10
    assert len({record["note"] for record in made}) > 10
    facts = Run(folder / "rewritten").journal.stage("generate")["facts"]
    assert 0.5 < facts["seed_words_kept"] < 0.95


@pytest.mark.parametrize(
    ("overrides", "words"),
    [
        (("model.base=llama",), "'llama' is a causal language model, and finetune.objective is masked"),
        (
            ("finetune.objective=causal",),
            "'bert-tiny' is a masked language model, and finetune.objective is causal",
        ),
        (("model.base=headless",), "'headless' has no weights for its language-model head"),
        (("generate.rewrite=0.2", "model.base=tiny"), "generate.rewrite: needs generate.seeds"),
    ],
)
def test_unsuitable_models_and_settings_are_errors_of_one_line(
    folder: Path, overrides: tuple[str, ...], words: str
) -> None:
    if not (folder / "llama").is_dir():
        save_tiny_llama(folder / "llama")
        save_tiny_masked(folder / "tiny")
        save_tiny_masked(folder / "headless")
        from safetensors.torch import load_file, save_file

        weights = load_file(folder / "headless" / "model.safetensors")
        bare = {name: each for name, each in weights.items() if "transform" not in name}
        save_file(bare, folder / "headless" / "model.safetensors", {"format": "pt"})
    run = f"wrong-{overrides[0].replace('=', '-')}"
    found = paracosm(folder, "run", "notes.yaml", *overrides, "--run", run)
    assert found.returncode == 2
    assert words in found.stderr
    assert "Traceback" not in found.stderr
    if "rewrite" not in words:
        assert not (folder / run / "adapter").exists()
        assert not list((folder / run).rglob("checkpoint-*"))


def test_a_killed_run_ends_with_the_same_bytes(folder: Path) -> None:
    save_tiny_masked(folder / "small", "ModernBERT")
    learn = ("finetune", "notes.yaml", "model.base=small", "finetune.epochs=4", "--run")
    write = ("generate.batch_size=4", "generate.records=96", "generate.text_passes=16")
    done(folder, *learn, "whole")
    done(folder, "generate", "whole", *write)
    rng = random.Random(0)
    killed = [kill_in("finetune", (*learn, "killed"), folder, rng)]
    done(folder, *learn, "killed")
    killed.append(kill_in("generate", ("generate", "killed", *write), folder, rng))
    done(folder, "generate", "killed", *write)
    assert any(killed), killed
    for path in sorted((folder / "whole").rglob("*")):
        kept = path.relative_to(folder / "whole")
        if path.is_file() and kept.parts[0] in ("adapter", "history.jsonl", "synthetic"):
            assert path.read_bytes() == (folder / "killed" / kept).read_bytes(), kept


def kill_in(stage: str, words: tuple[str, ...], folder: Path, rng: random.Random) -> bool:
    """Start or resume a run and kill it a random moment into `stage`; return whether that hit a live process."""
    told = folder / "killed" / "run.json"
    process = subprocess.Popen(
        [sys.executable, "-m", "paracosm.cli.app", *words],
        cwd=folder, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, start_new_session=True,
    )  # fmt: skip
    deadline = time.monotonic() + 120
    while process.poll() is None and time.monotonic() < deadline:
        if told.is_file() and stage in json.loads(told.read_text())["stages"]:
            time.sleep(rng.random())
            break
        time.sleep(0.02)
    alive = process.poll() is None
    if alive:
        os.killpg(process.pid, signal.SIGKILL)
    process.wait()
    return alive
