"""The command: exit codes, one-line errors, every stage on a tiny model, and what it must not import."""

import json
import random
import subprocess
import sys
from pathlib import Path

import pytest
from tiny_models import save_tiny_llama

import paracosm
from paracosm.cli.app import main
from paracosm.recipes.run.directory import STAGES, Run

QUICK = ("finetune.epochs=1", "generate.batch_size=64", "eval.bootstrap=100", "eval.repeats=1")
TABLES = ("eval", "--train", "a.csv", "--control", "b.csv", "--synthetic", "c.csv")
HEAVY = ("torch", "transformers", "pandas", "datasets", "sklearn", "numpy", "pydantic", "peft", "matplotlib")


def write_people(path: Path, *, rows: int = 160, seed: int = 0) -> Path:
    draw = random.Random(seed)
    lines = [
        f"{draw.randrange(20, 90)},{draw.choice(('north', 'south', 'west'))},{draw.uniform(50, 99):.1f}"
        for _ in range(rows)
    ]
    path.write_text("\n".join(["age,ward,weight", *lines]) + "\n", encoding="utf-8")
    return path


def command(*arguments: object) -> int:
    """Run the command in this process and return its exit code."""
    with pytest.raises(SystemExit) as left:
        main([str(each) for each in arguments])
    assert isinstance(left.value.code, int)
    return left.value.code


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with a table, a drafted recipe, a tiny model and a finished run."""
    folder = tmp_path_factory.mktemp("place")
    write_people(folder / "people.csv")
    save_tiny_llama(folder / "model")
    recipe = folder / "recipe.yaml"
    assert command("init", folder / "people.csv", "-o", recipe, "--target", "ward") == 0
    assert command("run", recipe, "--run", folder / "run", *quick(folder)) == 0
    return folder


def quick(folder: Path) -> list[str]:
    return [*QUICK, f"model.base={folder / 'model'}", "model.layers=2"]


def test_a_drafted_recipe_runs_to_its_card(place: Path) -> None:
    run = Run.open(place / "run")
    assert [run.journal.stage(stage)["status"] for stage in STAGES] == ["done"] * len(STAGES)
    assert run.card.is_file()
    assert run.report.is_file()


def test_a_second_run_repeats_nothing_and_prints_the_verdict(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = (place / "run" / "run.json").read_bytes()
    assert command("run", place / "recipe.yaml", "--run", place / "run", *quick(place)) == 0
    out, err = capsys.readouterr()
    assert [line.split()[0] for line in err.splitlines() if "done already" in line] == list(STAGES)
    assert json.loads((place / "run" / "eval" / "metrics.json").read_text())["verdict"] in out
    assert str(place / "run" / "card" / "README.md") in out
    assert (place / "run" / "run.json").read_bytes() == before


def test_a_run_goes_on_without_its_source(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    hidden = (place / "people.csv").rename(place / "elsewhere.csv")
    try:
        assert command("run", place / "run") == 0
    finally:
        hidden.rename(place / "people.csv")
    assert capsys.readouterr().err.count("done already") == len(STAGES)


def test_the_gate_of_an_evaluation_is_its_exit_code(place: Path) -> None:
    codes = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}
    assert command("eval", place / "run") == 0
    code = command("eval", place / "run", "--gate", "internal")
    assert code == codes[json.loads((place / "run" / "eval" / "metrics.json").read_text())["verdict"]]
    assert code != 0


def test_a_copy_of_train_fails_the_gate(tmp_path: Path) -> None:
    train = write_people(tmp_path / "train.csv", rows=150)
    control = write_people(tmp_path / "control.csv", rows=150, seed=1)
    given = ("--train", train, "--control", control, "--synthetic", train, "--out", tmp_path / "out")
    assert command("eval", *given, "--gate", "internal") == 1
    assert {path.name for path in (tmp_path / "out").iterdir()} == {"metrics.json", "report.html"}


def test_tables_are_measured_beside_the_adapter_that_made_them(place: Path, tmp_path: Path) -> None:
    run = Run.open(place / "run")
    strangers = {
        name: write_people(tmp_path / f"{name}.csv", rows=40, seed=seed)
        for seed, name in enumerate(("control", "test"), start=1)
    }
    given = ["--train", run.split("train")]
    given += [part for name, path in strangers.items() for part in (f"--{name}", path)]
    given += ["--synthetic", run.shard(0), "--target", "ward", "eval.bootstrap=100", "eval.repeats=1"]
    assert command("eval", *given, "--adapter", run.adapter, "--out", tmp_path / "with") == 0
    found = {
        each["name"]: each for each in json.loads((tmp_path / "with" / "metrics.json").read_text())["metrics"]
    }
    assert found["adapter_mia_auc"]["value"] is not None
    assert "rmia" in found["adapter_mia_auc"]["breakdown"]
    assert found["lira_auc"]["reason_not_measured"] == "eval.attacks does not name lira"
    assert not (tmp_path / "with" / "attackers").exists()


def test_records_of_any_origin_are_audited_by_a_model_that_learns_them(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tables = {"train": 40, "control": 40, "test": 20}
    files = {
        name: write_people(tmp_path / f"{name}.csv", rows=rows, seed=n)
        for n, (name, rows) in enumerate(tables.items())
    }
    given = [part for name, path in files.items() for part in (f"--{name}", path)]
    given += ["--synthetic", files["train"], "--attack", "auxiliary", "--out", tmp_path / "out"]
    given += [f"model.base={place / 'model'}", "eval.bootstrap=100", "eval.repeats=1"]
    assert command("eval", *given, "--gate", "internal") == 1
    found = json.loads((tmp_path / "out" / "metrics.json").read_text())
    audit = next(each for each in found["metrics"] if each["name"] == "auxiliary_mia_auc")
    # The synthetic records are train, so that their model is the worst case itself.
    assert audit["value"] == audit["worst"]
    assert audit["value"] > audit["ceiling"]
    assert (
        "auxiliary model: 5 adapters to train on 10 to 40 records each, up to about"
        in capsys.readouterr().err
    )
    assert {path.suffix for path in (tmp_path / "out" / "attackers").iterdir()} == {".npz"}


def test_validate_prints_the_plan_and_writes_nothing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    before = sorted(place.rglob("*"))
    assert command("validate", place / "recipe.yaml", *quick(place)) == 0
    out = capsys.readouterr().out
    assert "128 train · 16 control · 16 test" in out
    assert "trainable" in out
    assert sorted(place.rglob("*")) == before


def test_publish_needs_a_reason_and_the_registry_holds_what_was_published(
    place: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    store = tmp_path / "store"
    # other tests may have evaluated under other settings than the card describes
    assert command("run", place / "recipe.yaml", "--run", place / "run", *quick(place)) == 0
    assert command("publish", place / "run", store) == 2
    assert command("publish", place / "run", store, "--override", "a trial", "--by", "me") == 0
    capsys.readouterr()
    assert command("registry", "list", "--url", store) == 0
    assert capsys.readouterr().out.startswith("people@v1\t")
    assert command("registry", "verify", "people", "--url", store) == 0
    assert command("registry", "pull", "people", "--into", tmp_path / "pulled", "--url", store) == 0
    assert (tmp_path / "pulled" / "adapter_model.safetensors").is_file()


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["frob"], "No such command 'frob'"),
        (["run"], "RECIPE|RUN"),
        (["run", "nowhere.yaml"], "nowhere.yaml: there is no such recipe"),
        (["run", "healthcare-heart", "finetune.epocs=1"], "did you mean 'epochs'"),
        (["run", "healthcare-heart", "data.source=nowhere.csv", "--run", "new"], "nowhere.csv"),
        (["run", "healthcare-heart", "release.gates.dcr=1", "--run", "new"], "unknown gate 'dcr'"),
        (["run", "healthcare-heart", "model.base=./nowhere", "--run", "new"], "no folder './nowhere'"),
        (["generate", "healthcare-heart", "--run", "new"], "finetune"),
        (["eval", "healthcare-heart", "--run", "new"], "new: is not a run directory"),
        (["eval", "new", "--train", "a.csv"], "--train goes with tables"),
        (["eval", "--train", "a.csv"], "--control and --synthetic"),
        (["eval", "--gate", "strict"], "strict"),
        ([*TABLES, "--attack", "lira"], "lira attacks an adapter; name it with --adapter"),
        ([*TABLES, "--attack", "strange"], "'lira', 'auxiliary'"),
        ([*TABLES, "--attack", "auxiliary", "model.base=./nowhere"], "no folder './nowhere'"),
        ([*TABLES, "generate.records=3"], "use eval, model, finetune, release"),
        ([*TABLES, "eval.bootstrap=5"], "at least 100"),
        ([*TABLES, "eval.attacks=[lira]"], "write attacks: [adapter, lira]"),
        ([*TABLES, "eval.shadows=4"], "eval.shadows"),
        (["init", "nowhere.csv"], "nowhere.csv"),
        (["publish", "new"], "new: is not a run directory"),
        (["registry", "show", "nothing"], "nothing"),
        (["registry"], "Missing command"),
    ],
)
def test_bad_arguments_get_one_line_and_leave_nothing(
    arguments: list[str],
    told: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert command(*arguments) == 2
    out, err = capsys.readouterr()
    assert err.startswith("error: ")
    assert err.count("\n") == 1
    assert told in err
    assert out == ""
    assert list(tmp_path.rglob("*")) == []


@pytest.mark.parametrize("name", ["recipes", "schema", "metrics", "models", "--version", "--help"])
def test_what_there_is_can_be_listed(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert command(name) == 0
    out = capsys.readouterr().out
    expected = {
        "recipes": "healthcare-heart",
        "schema": '"finetune"',
        "metrics": "dcr_share",
        "models": "smollm2-135m",
    }
    assert expected.get(name, "paracosm") in out
    if name == "schema":
        json.loads(out)


def test_help_imports_nothing_heavy() -> None:
    code = f"import sys, paracosm.cli.app; print([each for each in {HEAVY} if each in sys.modules])"
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "[]"


def test_run_is_a_verb_of_the_package(place: Path) -> None:
    said: list[str] = []
    done = paracosm.run(place / "run", progress=said.append)
    assert done == Run(place / "run")
    assert sum("done already" in line for line in said) == len(STAGES)
    with pytest.raises(AttributeError, match="'walk'"):
        _ = paracosm.walk
