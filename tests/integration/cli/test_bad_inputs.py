"""Whatever a user hands in wrongly: one line that names the culprit, exit code 2, and nothing half-written."""

import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from tiny_models import save_tiny_llama

from paracosm.cli.app import main
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import OpenRun
from paracosm.records.stage import prepare

GOOD = "name: ok\ndata:\n  source: t.csv\n"
TABLE = "age,score,sex\n" + "".join(f"{row % 7},{row * 1.5},{'fm'[row % 2]}\n" for row in range(60))
TABLES = ("eval", "--train", "t.csv", "--control", "t.csv", "--synthetic", "t.csv")


@dataclass(frozen=True)
class Bad:
    """Arguments, the files that they meet beside a good recipe and a good table, and words of the one line."""

    arguments: tuple[str, ...]
    says: tuple[str, ...]
    files: dict[str, str | bytes] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.says[0]


def recipe(text: str | bytes, *says: str) -> Bad:
    return Bad(("run", "r.yaml"), says, {"r.yaml": text})


def override(written: str, *says: str) -> Bad:
    return Bad(("run", "ok.yaml", written), says)


def table(name: str, content: str | bytes, *says: str) -> Bad:
    return Bad(("run", "ok.yaml", f"data.source={name}"), (name, *says), {name: content})


RECIPES = [
    recipe(f"{GOOD}finetune:\n  learning_rte: 1\n", "r.yaml:5", "'finetune.learning_rte'", "did you mean"),
    recipe(f"{GOOD}finetun: {{}}\n", "r.yaml:4", "'finetun'", "did you mean 'finetune'"),
    recipe(f"{GOOD}learning_rate: 0.1\n", "r.yaml:4", "'learning_rate'", "finetune.learning_rate"),
    recipe(f"{GOOD}finetune:\n  epochs: many\n", "r.yaml:5", "finetune.epochs", "integer", "'many'"),
    recipe(f"{GOOD}finetune:\n  epochs: 0\n", "r.yaml:5", "finetune.epochs", "at least 1", "got 0"),
    recipe(f"{GOOD}finetune:\n  epochs: 2.5\n", "r.yaml:5", "finetune.epochs", "integer", "2.5"),
    recipe(f"{GOOD}finetune:\n  learning_rate: 2e9\n", "r.yaml:5", "finetune.learning_rate", "below 1"),
    recipe(f"{GOOD}finetune:\n  schedule: liner\n", "r.yaml:5", "finetune.schedule", "'linear'"),
    recipe(f"{GOOD}generate:\n  temperature: .nan\n", "r.yaml:5", "generate.temperature", "nan"),
    recipe(
        f"{GOOD}eval:\n  bootstrap: 5\nfinetune:\n  epochs: -1\n", "r.yaml:5", "bootstrap", "(and 1 more)"
    ),
    recipe(f"{GOOD}  split:\n    control: 0.6\n    test: 0.5\n", "r.yaml:4", "control + test", "1.1"),
    recipe(f"{GOOD}model: hello\n", "r.yaml:4", "model must be a mapping", "'hello'"),
    recipe(f"{GOOD}release:\n  gates:\n    c2st: 0.6\n", "release.gates", "'c2st'", "c2st_auc"),
    recipe(f"{GOOD}name: again\n", "r.yaml:4", "'name' is repeated", "line 1"),
    recipe("name: My Run\ndata:\n  source: t.csv\n", "r.yaml:1", "name", "'My Run'"),
    recipe("name: ok\n", "r.yaml", "data is required"),
    recipe("data:\n  source: t.csv\n", "r.yaml", "name is required"),
    recipe("name: ok\ndata:\n\tsource: t.csv\n", "r.yaml:3", "tab"),
    recipe("name: [ok\n", "r.yaml:2", "broken YAML"),
    recipe("- name\n- data\n", "r.yaml", "a mapping of keys", "a list"),
    recipe("", "r.yaml", "is empty"),
    recipe(b"name: \xff\n", "r.yaml:1", "not UTF-8", "0xff"),
    recipe(b"name: a\x00b\n", "r.yaml:1", "U+0000"),
    recipe(f"{GOOD}---\n{GOOD}", "r.yaml:4", "second document"),
    recipe(f"{GOOD}card: !!python/object/apply:os.system [ls]\n", "r.yaml:4", "tag"),
    Bad(("run", "nosuch.yaml"), ("nosuch.yaml", "no such recipe")),
    Bad(("run", "okk.yaml"), ("okk.yaml", "did you mean 'ok.yaml'")),
    Bad(("run", "healthcare-hart"), ("healthcare-hart", "did you mean 'healthcare-heart'")),
    Bad(("run", "t.csv"), ("t.csv", "is a data file", "paracosm init t.csv")),
    Bad(("run", "."), (".", "is a folder")),
]
OVERRIDES = [
    override("finetune.epochs=many", "override 'finetune.epochs=many'", "integer", "got 'many'"),
    override("finetune.epoch=2", "override 'finetune.epoch=2'", "did you mean 'epochs'"),
    override("data.split.control=2", "override 'data.split.control=2'", "below 1"),
    override("generate.formats=[xls]", "override 'generate.formats=[xls]'", "'parquet', 'csv', 'jsonl'"),
    override("finetune=3", "override 'finetune=3'", "a mapping of keys"),
    override("name.x=1", "override 'name.x=1'", "holds a value"),
    override("finetune.epochs", "override 'finetune.epochs'", "KEY=VALUE"),
    override("data.drop=[age", "override 'data.drop=[age'", "cannot be read"),
]
DATA = [
    override("data.source=tt.csv", "tt.csv", "no such file", "did you mean 't.csv'"),
    override("data.source=none/*.csv", "none/*.csv", "matches no file"),
    override("data.source=.", "is a folder", "*.csv"),
    override("data.source=https://example.org/t.csv", "data.source", "https://", "local file"),
    override("data.source=sample:hart", "sample:hart", "heart-disease"),
    override("data.target=agee", "data.target", "'agee'", "did you mean 'age'"),
    override("data.subject=sx", "data.subject", "'sx'"),
    override("data.drop=[ages]", "data.drop", "'ages'", "did you mean 'age'"),
    override("data.fields.ages.type=integer", "data.fields", "'ages'", "did you mean 'age'"),
    override("data.fields.sex.type=integer", "'sex'", "declared integer"),
    table("empty.csv", b"", "is empty"),
    table("header.csv", "a,b\n", "no rows"),
    table("ragged.csv", "a,b\n1,2\n1,2,3\n", "ragged.csv:3", "expected 2 fields, found 3"),
    table("twice.csv", "a,a\n1,2\n", "there are two columns 'a'"),
    table("binary.csv", bytes(range(256)), "binary.csv:1", "is not a text file"),
    table("quotes.csv", 'a,b\n"1,2\n3,4\n', "quotes.csv:2", "do not match"),
    table("cut.csv.gz", b"\x1f\x8b\x08\x00", "gzip"),
    table("cut.parquet", b"PAR1xx", "is not a complete Parquet file"),
    table("cut.jsonl", '{"a":1}\n{"a":\n', "cut.jsonl:2", "is not JSON"),
    table("list.jsonl", "[1]\n", "list.jsonl:1", "a list"),
    table("sheet.xlsx", b"PK", "files of this kind are not supported", ".csv"),
    table("no.db", b"", "files of this kind are not supported"),
    Bad(
        ("run", "ok.yaml", "data.source=few.csv"),
        ("has 2 rows", "at least 10"),
        {"few.csv": "a,b\n1,2\n3,4\n"},
    ),
    Bad(("run", "ok.yaml", "data.source=void.csv"), ("void.csv", "no rows"), {"void.csv": "a,b\n,\n,\n"}),
    Bad(
        ("run", "ok.yaml", "data.source=keys.csv"),
        ("no column is left",),
        {"keys.csv": "id\n" + "".join(f"{number}\n" for number in range(40))},
    ),
    Bad(
        ("run", "ok.yaml", "data.source=sqlite:///no.db", "data.query=SELECT 1"),
        ("no.db", "no such database"),
    ),
]
MODELS = [
    override("model.base=smolm2-135m", "model.base", "'smolm2-135m'", "did you mean 'smollm2-135m'"),
    override("model.base=./none", "model.base", "'./none'", "no folder"),
    Bad(("run", "ok.yaml", "model.base=./m"), ("model.base", "config.json"), {"m/weights": "x"}),
    Bad(
        ("run", "ok.yaml", "model.base=./m"),
        ("model.base", "config.json", "is not valid JSON"),
        {"m/config.json": "{"},
    ),
    Bad(("run", "ok.yaml", "model.base=./m"), ("model.base", ".safetensors"), {"m/config.json": "{}"}),
    Bad(("validate", "ok.yaml", "model.layers=900"), ("model.layers", "2 layers", "got 900")),
]
DISKS = [
    Bad(("run", "ok.yaml", "--run", "t.csv"), ("t.csv", "run directory")),
    Bad(("run", "ok.yaml", "--run", "t.csv/run"), ("t.csv/run", "run directory")),
    Bad(("run", "ok.yaml", "--run", "full"), ("full", "not a run directory"), {"full/letter.txt": "mine"}),
    Bad(("run", "ok.yaml", "--run", "old"), ("old/run.json", "JSON"), {"old/run.json": "{"}),
    Bad(("init", "t.csv", "-o", "ok.yaml"), ("ok.yaml", "exists already", "--force")),
    Bad(("init", "t.csv", "-o", "t.csv/r.yaml"), ("t.csv/r.yaml", "cannot be written")),
    Bad((*TABLES, "--out", "t.csv"), ("t.csv",)),
]
ARGUMENTS = [
    Bad(("rnu",), ("No such command 'rnu'", "paracosm --help")),
    Bad(("run",), ("Missing argument", "paracosm run --help")),
    Bad(("run", "ok.yaml", "--rnu", "x"), ("--rnu", "paracosm run --help")),
    Bad(("init", "none.csv"), ("none.csv", "no such file")),
    Bad(("init", "t.csv", "--target", "agee"), ("'agee'", "did you mean 'age'")),
    Bad(("generate", "ok.yaml"), ("runs/ok", "paracosm finetune")),
    Bad(("generate", "none"), ("none", "no such recipe")),
    Bad(("eval",), ("--train", "--control", "--synthetic")),
    Bad(("eval", "ok.yaml"), ("runs/ok", "not a run directory")),
    Bad(("eval", "ok.yaml", "--train", "t.csv"), ("--train", "ok.yaml")),
    Bad(("eval", "--train", "t.csv"), ("--control", "--synthetic")),
    Bad((*TABLES, "--target", "agee", "--out", "o"), ("t.csv", "'agee'", "did you mean 'age'")),
    Bad((*TABLES, "--gate", "publik"), ("--gate", "'publik'", "'public'")),
    Bad((*TABLES[:-1], "b.csv", "--out", "o"), ("b.csv", "'score'"), {"b.csv": "age,scor,sex\n1,2,f\n"}),
    Bad(("publish", "t.csv"), ("t.csv", "not a run directory")),
    Bad(("registry", "list", "--url", "nowhere"), ("nowhere", "does not hold a registry")),
    Bad(("registry", "show", "../x"), ("'../x'", "is not a model name")),
    Bad(("registry", "pull", "x"), ("paracosm-registry: does not hold a registry",)),
]
CASES = [*RECIPES, *OVERRIDES, *DATA, *MODELS, *DISKS, *ARGUMENTS]


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def place(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a good recipe and a good table."""
    (tmp_path / "t.csv").write_text(TABLE)
    (tmp_path / "ok.yaml").write_text(f"{GOOD}model:\n  base: {tiny_model}\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def content(folder: Path) -> dict[str, bytes | None]:
    """Return the bytes of every file below `folder`, and None for a folder; a lock says nothing but who was here."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
        if path.name != ".lock"
    }


def told(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str], *, code: int = 2) -> list[str]:
    """Run the command; return the lines on stderr."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert end.value.code == code
    printed = capsys.readouterr()
    assert printed.out == ""
    return printed.err.splitlines()


@pytest.mark.parametrize("bad", CASES, ids=str)
def test_a_bad_input_is_one_line_and_leaves_nothing(
    bad: Bad, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for name, text in bad.files.items():
        (place / name).parent.mkdir(exist_ok=True)
        (place / name).write_bytes(text.encode() if isinstance(text, str) else text)
    before = content(place)
    lines = told(bad.arguments, capsys)
    assert len(lines) == 1
    assert lines[0].startswith("error: ")
    assert [word for word in bad.says if word not in lines[0]] == [], lines[0]
    assert content(place) == before


@pytest.mark.parametrize("module", ["cli.app", "finetune", "generate"])
def test_a_real_process_says_one_line_too(module: str, place: Path) -> None:
    command = [sys.executable, "-m", f"paracosm.{module}", *["run"][: module == "cli.app"]]
    before = content(place)
    done = subprocess.run(
        [*command, "ok.yaml", "finetune.epoch=2"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stdout == ""
    assert (
        done.stderr
        == "error: override 'finetune.epoch=2': unknown key 'finetune.epoch'; did you mean 'epochs'?\n"
    )
    assert content(place) == before


@pytest.mark.parametrize("bad", ["data.target=agee", "data.source=tt.csv", "finetune.epochs=0"])
@pytest.mark.parametrize("command", ["run", "finetune"])
def test_a_bad_input_leaves_an_earlier_run_as_it_was(
    command: str, bad: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = Run.create(place / "earlier")
    recipe = load_recipe(place / "ok.yaml")
    with OpenRun(recipe, run, place, from_run=False).working():
        prepare(recipe=recipe, run=run, root=place)
    before = content(place)
    (line,) = told((command, "ok.yaml", bad, "--run", "earlier"), capsys)
    assert bad.partition("=")[2] in line
    assert content(place) == before
