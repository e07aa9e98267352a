"""Bad inputs that need a real thing around them: databases, torn files, full disks, locks, other processes."""

import errno
import gzip
import json
import os
import resource
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pandas as pd
import pytest
from tiny_models import save_tiny_llama

from paracosm.cli.app import main
from paracosm.recipes.run.directory import Run

TABLE = "age,score,sex\n" + "".join(f"{row % 7},{row * 1.5},{'fm'[row % 2]}\n" for row in range(60))
HOLD = (
    "import sys\n"
    "from pathlib import Path\n"
    "from paracosm.recipes.run.directory import Run\n"
    "from paracosm.recipes.run.lock import locked\n"
    "with locked(Run.create(Path(sys.argv[1])).root):\n"
    "    print('held', flush=True)\n"
    "    sys.stdin.read()\n"
)
TABLES = ("eval", "--train", "t.csv", "--control", "t.csv", "--synthetic")


@pytest.fixture(scope="module")
def tiny_model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny_llama(tmp_path_factory.mktemp("tiny"))


@pytest.fixture
def place(tmp_path: Path, tiny_model: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Stand in a folder with a good recipe and a good table."""
    (tmp_path / "t.csv").write_text(TABLE)
    (tmp_path / "ok.yaml").write_text(
        f"name: ok\ndata:\n  source: t.csv\nmodel:\n  base: {tiny_model}\nfinetune:\n  epochs: 1\n"
    )
    monkeypatch.chdir(tmp_path)
    return tmp_path


def torn_gzip(place: Path) -> None:
    whole = gzip.compress(TABLE.encode(), mtime=0)
    (place / "torn.csv.gz").write_bytes(whole[: len(whole) // 2])


def flipped_gzip(place: Path) -> None:
    whole = bytearray(gzip.compress(TABLE.encode(), mtime=0))
    whole[-6] ^= 255
    (place / "flipped.csv.gz").write_bytes(whole)


def torn_parquet(place: Path) -> None:
    pd.DataFrame({"a": range(1000)}).to_parquet(place / "torn.parquet")
    whole = (place / "torn.parquet").read_bytes()
    (place / "torn.parquet").write_bytes(whole[: len(whole) // 2])


def damaged_parquet(place: Path) -> None:
    pd.DataFrame({"a": [f"cell {row}" for row in range(1000)]}).to_parquet(place / "hurt.parquet")
    whole = bytearray((place / "hurt.parquet").read_bytes())
    whole[4:400] = bytes(396)
    (place / "hurt.parquet").write_bytes(whole)


def nested_json(place: Path) -> None:
    (place / "nested.jsonl").write_text('{"a": 1, "who": [{"age": 2}]}\n' * 20)


def nested_parquet(place: Path) -> None:
    pd.DataFrame({"a": [[1, 2]] * 20}).to_parquet(place / "nested.parquet")


def not_text(place: Path) -> None:
    (place / "bytes.csv").write_bytes(bytes(range(256)) * 8)


def wide(place: Path) -> None:
    (place / "wide.csv").write_bytes("name,age\nAnn,3\n".encode("utf-16")[:-1])


def two_shapes(place: Path) -> None:
    (place / "parts").mkdir()
    (place / "parts" / "1.csv").write_text("age,sex\n1,f\n")
    (place / "parts" / "2.csv").write_text("age,sx\n1,f\n")


def database(place: Path) -> None:
    with sqlite3.connect(place / "real.db") as connection:
        connection.execute("CREATE TABLE patients (age INTEGER)")
        connection.executemany("INSERT INTO patients VALUES (?)", [(row,) for row in range(30)])


def no_database(place: Path) -> None:
    (place / "text.db").write_text("certainly no database, but long enough to be taken for one\n" * 20)


def other_columns(place: Path) -> None:
    (place / "other.csv").write_text(TABLE.replace("score", "scores"))


def unfinished_run(place: Path) -> None:
    Run.create(place / "half").journal.note(stages={})


def one_registry(place: Path) -> None:
    (place / "store").mkdir()


def nothing(place: Path) -> None:
    del place


SOURCES: dict[str, tuple[Callable[[Path], None], tuple[str, ...], tuple[str, ...]]] = {
    "torn gzip": (torn_gzip, ("data.source=torn.csv.gz",), ("torn.csv.gz", "gzip")),
    "flipped gzip": (flipped_gzip, ("data.source=flipped.csv.gz",), ("flipped.csv.gz", "gzip")),
    "torn parquet": (torn_parquet, ("data.source=torn.parquet",), ("torn.parquet", "Parquet")),
    "damaged parquet": (damaged_parquet, ("data.source=hurt.parquet",), ("hurt.parquet",)),
    "nested json": (nested_json, ("data.source=nested.jsonl",), ("nested.jsonl", "who")),
    "nested parquet": (nested_parquet, ("data.source=nested.parquet",), ("nested.parquet", "'a'")),
    "not text": (not_text, ("data.source=bytes.csv",), ("bytes.csv", "is not a text file")),
    "half of a UTF-16 character": (wide, ("data.source=wide.csv",), ("wide.csv", "UTF-16", "cut off")),
    "glob of two shapes": (two_shapes, ("data.source=parts/*.csv",), ("2.csv", "'sex'", "did you mean 'sx'")),
    "file with a query": (nothing, ("data.query=SELECT 1",), ("data.query", "t.csv")),
    "database without a query": (database, ("data.source=sqlite:///real.db",), ("data.query",)),
    "unknown table": (
        database,
        ("data.source=sqlite:///real.db", "data.query=SELECT * FROM patient"),
        ("real.db", "no such table: patient"),
    ),
    "broken SQL": (
        database,
        ("data.source=sqlite:///real.db", "data.query=SELEC age FROM patients"),
        ("data.query", "SELECT"),
    ),
    "SQL with an error": (
        database,
        ("data.source=sqlite:///real.db", "data.query=SELECT age FORM patients"),
        ("real.db", "syntax error"),
    ),
    "query without rows": (
        database,
        ("data.source=sqlite:///real.db", "data.query=SELECT * FROM patients WHERE age < 0"),
        ("no rows",),
    ),
    "no SQLite file": (
        no_database,
        ("data.source=sqlite:///text.db", "data.query=SELECT * FROM t"),
        ("text.db", "not a database"),
    ),
    "unknown database": (nothing, ("data.source=oracel://x/y", "data.query=SELECT 1"), ("oracel",)),
    "categories that cells do not fit": (
        nothing,
        ("data.fields.sex.categories=[f]",),
        ("data.fields.sex.categories", "not among"),
    ),
    "bounds that cells do not fit": (nothing, ("data.fields.age.maximum=2",), ("age", "maximum")),
    "bounds in the wrong order": (
        nothing,
        ("data.fields.age.minimum=9", "data.fields.age.maximum=2"),
        ("age", "minimum"),
    ),
    "everything dropped": (nothing, ("data.drop=[age,score,sex]",), ("no column is left",)),
    "target dropped": (nothing, ("data.drop=[sex]", "data.target=sex"), ("data.target", "'sex'")),
}


@pytest.mark.parametrize("name", SOURCES)
def test_a_bad_source_is_one_line_and_makes_no_run(
    name: str, place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    make, overrides, says = SOURCES[name]
    make(place)
    before = content(place)
    assert lacking(told(("run", "ok.yaml", *overrides), capsys), says) == []
    assert content(place) == before


@pytest.mark.parametrize(
    ("make", "arguments", "says"),
    [
        (
            other_columns,
            (*TABLES, "other.csv", "--out", "o"),
            ("other.csv", "'score'", "did you mean 'scores'"),
        ),
        (torn_gzip, (*TABLES, "torn.csv.gz", "--out", "o"), ("torn.csv.gz", "gzip")),
        (unfinished_run, ("publish", "half"), ("half", "finetune stage is not finished")),
        (unfinished_run, ("run", "half"), ("half/recipe.yaml", "is missing")),
        (one_registry, ("registry", "show", "nobody", "--url", "store"), ("nobody",)),
        (one_registry, ("registry", "list", "--url", "ftp://x/y"), ("ftp://x/y", "file:FOLDER")),
        (
            nothing,
            ("init", "t.csv", "-o", "runs.yaml/x/y.yaml", "--target", "sx"),
            ("'sx'", "did you mean 'sex'"),
        ),
        (database, ("init", "sqlite:///real.db"), ("data.query",)),
        (torn_parquet, ("init", "torn.parquet"), ("torn.parquet", "Parquet")),
        (
            nothing,
            ("validate", "ok.yaml", "release.gates.c2st_acu=0.6"),
            ("'c2st_acu'", "did you mean 'c2st_auc'"),
        ),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, tuple) else None,
)
def test_a_bad_argument_is_one_line_and_writes_nothing(
    make: Callable[[Path], None],
    arguments: tuple[str, ...],
    says: tuple[str, ...],
    place: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    make(place)
    before = content(place)
    assert lacking(told(arguments, capsys), says) == []
    assert content(place) == before


def test_a_run_that_another_process_holds_is_left_alone(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    holder = subprocess.Popen(
        [sys.executable, "-c", HOLD, "held"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        assert holder.stdout is not None
        assert holder.stdout.readline() == "held\n"
        before = content(place)
        line = told(("run", "ok.yaml", "--run", "held"), capsys)
        assert lacking(line, ("held", "another process", str(holder.pid))) == []
        assert content(place) == before
    finally:
        holder.communicate("", timeout=30)


@pytest.mark.parametrize("nth", range(1, 7))
def test_a_full_disk_is_one_line_at_whichever_write_it_comes(
    nth: int, place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    writes = 0

    def fails_at_the_nth(handle: int) -> None:
        nonlocal writes
        writes += 1
        if writes == nth:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fails_at_the_nth)
    line = told(("run", "ok.yaml", "--run", "full"), capsys)
    assert lacking(line, ("full/", "No space left on device")) == []
    assert_whole(place / "full")


def test_a_full_disk_leaves_no_recipe(
    place: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(handle: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    monkeypatch.setattr(os, "fsync", fails)
    before = content(place)
    assert lacking(told(("init", "t.csv", "-o", "new.yaml"), capsys), ("new.yaml", "No space left")) == []
    assert content(place) == before


def test_a_quota_stops_a_real_process_with_one_line(place: Path) -> None:
    done = process("run", "ok.yaml", "--run", "full", most_bytes=1200)
    assert_one_line(done, ("full/", "File too large"))
    assert_whole(place / "full")


@pytest.mark.skipif(os.geteuid() == 0, reason="root writes everywhere")
def test_a_folder_that_forbids_writing(place: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (place / "closed").mkdir(mode=0o500)
    assert lacking(told(("run", "ok.yaml", "--run", "closed/run"), capsys), ("closed/run", "denied")) == []


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("run", "ok.yaml", "finetune.epochs=many"), ("finetune.epochs", "integer")),
        (("run", "ok.yaml", "data.source=t.cvs"), ("t.cvs", "did you mean 't.csv'")),
        (("frob",), ("No such command 'frob'",)),
    ],
)
def test_a_real_process_prints_one_line_and_exits_2(
    arguments: tuple[str, ...], says: tuple[str, ...], place: Path
) -> None:
    before = content(place)
    assert_one_line(process(*arguments), says)
    assert content(place) == before


def process(*arguments: str, most_bytes: int | None = None) -> subprocess.CompletedProcess[str]:
    """Run the command as a process of its own, which may be forbidden to write larger files."""

    def limited() -> None:
        if most_bytes is not None:
            resource.setrlimit(resource.RLIMIT_FSIZE, (most_bytes, most_bytes))

    return subprocess.run(
        [sys.executable, "-m", "paracosm.cli.app", *arguments],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        preexec_fn=limited,
        env=os.environ | {"PYTHONDONTWRITEBYTECODE": "1"},
    )


def assert_one_line(done: subprocess.CompletedProcess[str], says: tuple[str, ...]) -> None:
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    lines = done.stderr.splitlines()
    assert len(lines) == 1, done.stderr
    assert lacking(lines[0], says) == []


def told(arguments: tuple[str, ...], capsys: pytest.CaptureFixture[str]) -> str:
    """Run the command, which must exit with 2, and return the one line that it prints."""
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    printed = capsys.readouterr()
    assert end.value.code == 2, printed.err
    assert printed.out == ""
    lines = printed.err.splitlines()
    assert len(lines) == 1, printed.err
    assert lines[0].startswith("error: ")
    return lines[0]


def lacking(line: str, says: tuple[str, ...]) -> list[str]:
    """Return the words that `line` lacks, and the line with them."""
    absent = [words for words in says if words not in line]
    return [*absent, line] if absent else []


def content(folder: Path) -> dict[str, bytes | None]:
    """Return the bytes of every file below `folder`, and None for a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() if path.is_file() else None
        for path in folder.rglob("*")
    }


def assert_whole(run: Path) -> None:
    """Check that every file of a run is complete: no partial ones, and JSON and Parquet that can be read."""
    for path in run.rglob("*"):
        assert not path.name.endswith(".partial"), path
        if path.suffix == ".json":
            json.loads(path.read_text())
        if path.suffix == ".parquet":
            pd.read_parquet(path)
