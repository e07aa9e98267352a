"""Publishing a trained run to every kind of store, and generating from it elsewhere, without the training data."""

import json
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pytest
from hub_server import TOKEN, running_hub
from mlflow_server import running_mlflow
from tiny_models import save_tiny_llama

import paracosm.registry
from paracosm.foundation.errors import RegistryError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import run_if_stale
from paracosm.registry.card.stage import write_card

RECIPE = """\
name: tiny
data: {source: people.csv, target: ill, split: {control: 0.2, test: 0.2}}
model: {base: tiny/llama, dtype: float32, layers: 2}
finetune: {rank: 4, learning_rate: 0.01, epochs: 2, batch_size: 16, patience: null, warmup_steps: 2}
generate: {records: 40, batch_size: 8}
eval: {bootstrap: 100, repeats: 1}
card: {data_licence: cc-by-4.0}
"""


@dataclass(frozen=True)
class World:
    """A trained run, and the registries that it can be published to."""

    run: Run
    environment: dict[str, str]
    urls: dict[str, str]


def call(world_environment: dict[str, str], cwd: Path, *words: str) -> str:
    done = subprocess.run(
        [sys.executable, "-m", "paracosm.cli.app", *words],
        cwd=cwd, env=world_environment, capture_output=True, text=True, timeout=300,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """Train a tiny model whose base lies on the Hub; its training data and its base go away afterwards."""
    folder = tmp_path_factory.mktemp("world")
    base = save_tiny_llama(folder / "model", layers=3)
    chance = np.random.default_rng(0)
    rows = ["age,sex,dose,ill"]
    rows += [
        f"{chance.integers(20, 90)},{chance.choice(['Male', 'Female'])},{chance.random() * 4:.1f},{chance.choice(['yes', 'no'])}"
        for _ in range(150)
    ]
    (folder / "people.csv").write_text("\n".join(rows) + "\n")
    (folder / "tiny.yaml").write_text(RECIPE)
    (folder / "mlflow").mkdir()
    with running_hub() as hub, running_mlflow(folder / "mlflow") as mlflow:
        hub.add_model("tiny/llama", {path.name: path.read_bytes() for path in base.iterdir()})
        shutil.rmtree(base)
        environment = os.environ | {
            "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(folder / "hf"),
            "OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true",
        }  # fmt: skip
        call(environment, folder, "run", "tiny.yaml")
        (folder / "people.csv").unlink()
        urls = {
            "folder": str(folder / "store"),
            "mlflow": f"mlflow://{mlflow}/tiny",
            "hub": "hf://acme/tiny",
        }
        yield World(Run(folder / "runs" / "tiny"), environment, urls)


@pytest.mark.parametrize("kind", ["folder", "mlflow", "hub"])
def test_a_pulled_version_generates_the_same_records_from_every_store(
    world: World, tmp_path: Path, kind: str
) -> None:
    url = world.urls[kind]
    fresh = world.environment | {"HF_HOME": str(tmp_path / "hf"), "PARACOSM_CACHE": str(tmp_path / "cache")}
    call(fresh, tmp_path, "publish", str(world.run.root), url, "--override", "a test of the registry")
    moved = world.run.root.rename(world.run.root.with_name("moved"))
    try:
        where = ("tiny@v1", "--url", url) if kind == "folder" else (f"{url}@v1",)
        assert call(fresh, tmp_path, "pull", *where) == "tiny\n"
        call(fresh, tmp_path, "generate", "tiny", "generate.records=40")
    finally:
        moved.rename(world.run.root)
    made = tmp_path / "runs" / "tiny-v1"
    again = records(made / "synthetic")
    assert len(again) == 40
    assert again == records(world.run.synthetic)
    assert not (made / "splits" / "train.parquet").exists()
    paracosm.registry.verify(name="tiny", url=str(copied_store(tmp_path)))


def records(folder: Path) -> list[dict[str, object]]:
    import pyarrow.parquet as pq

    return [row for path in sorted(folder.glob("*.parquet")) for row in pq.read_table(path).to_pylist()]


def copied_store(tmp_path: Path) -> Path:
    """Return a registry with the pulled folder in it: generating changed nothing in there."""
    shutil.copytree(tmp_path / "tiny", tmp_path / "again" / "tiny" / "v1")
    return tmp_path / "again"


def test_peft_loads_a_pulled_folder_without_paracosm(world: World, tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    paracosm.registry.publish(run=world.run, url=url, override="a test of the registry")
    folder = paracosm.registry.pull(name="tiny", into=tmp_path / "tiny", url=url)
    card = (folder / "README.md").read_text(encoding="utf-8")
    line = next(line for line in card.splitlines() if line.startswith("model = "))
    code = f"""
import torch
from peft import AutoPeftModelForCausalLM
from pathlib import Path
from paracosm.generate.decoding.loaded_model import load_adapted
{line}
loaded = load_adapted(Path("tiny"))
ids = torch.tensor([[loaded.codec.start, *loaded.codec.vocabulary[:5]]])
logits = model(input_ids=ids).logits[0][:, list(loaded.codec.vocabulary)]
assert model.config.num_hidden_layers == 2
print(float((logits - loaded.model(input_ids=ids).logits[0]).abs().max()))
"""
    done = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, env=world.environment, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr[-3000:]
    assert float(done.stdout.splitlines()[-1]) < 1e-4


def test_a_pulled_version_that_was_changed_generates_nothing(world: World, tmp_path: Path) -> None:
    url = str(tmp_path / "store")
    paracosm.registry.publish(run=world.run, url=url, override="a test of the registry")
    folder = paracosm.registry.pull(name="tiny", into=tmp_path / "tiny", url=url)
    codec = json.loads((folder / "codec.json").read_text())
    (folder / "codec.json").write_text(json.dumps(codec | {"layout": "markers"}))
    done = subprocess.run(
        [sys.executable, "-m", "paracosm.cli.app", "generate", "tiny"],
        cwd=tmp_path, env=world.environment, capture_output=True, text=True,
    )  # fmt: skip
    assert done.returncode == 2
    assert done.stderr.startswith("error: tiny/codec.json: differs from its manifest")
    assert not (tmp_path / "runs").exists()


def test_a_run_that_copies_its_training_data_is_refused_or_marked(world: World, tmp_path: Path) -> None:
    shutil.copytree(world.run.root, tmp_path / "leaking")
    run, recipe = Run(tmp_path / "leaking"), load_recipe(world.run.recipe)

    def copy() -> dict[str, object]:
        run.synthetic.mkdir()
        shutil.copyfile(run.split("train"), run.shard(0))
        return run.journal.stage("generate").get("facts", {})

    run_if_stale(run, "generate", {"copied": "train"}, copy)
    call(world.environment, tmp_path, "eval", str(run.root))
    write_card(recipe=recipe, run=run)
    for name, url in world.urls.items():
        if name != "hub":
            with pytest.raises(RegistryError, match=r"not published: the verdict is FAIL \(.*exact_copies"):
                paracosm.registry.publish(run=run, url=f"{url}-refused" if name == "folder" else url)
    version = paracosm.registry.publish(
        run=run, url=str(tmp_path / "store"), override="to show what a leak looks like", by="R. Evans"
    )
    opening = (version.folder / "README.md").read_text(encoding="utf-8").split("\n# ", 1)[1].splitlines()[:6]
    assert "Published against its verdict (FAIL)" in opening[2]
    assert "Exact copies of training records (exact_copies) FAIL" in opening[2]
    assert "R. Evans: “to show what a leak looks like”" in opening[4]
    assert paracosm.registry.verify(name="tiny", url=str(tmp_path / "store")).verdict == "FAIL"
