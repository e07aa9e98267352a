"""Readers of foreign bytes, with valid inputs for each, and a generator of damaged ones."""

import contextlib
import gzip
import io
import json
import random
import signal
import tempfile
import traceback
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import pandas as pd
from finished_run import ADAPTER_CONFIG, adapter_tensors, evaluation_of
from safetensors.numpy import save
from tiny_models import byte_tokenizer

from paracosm.finetune.models.adapter_files import check_adapter
from paracosm.foundation.errors import ModelError, RegistryError
from paracosm.foundation.json_files import read_json
from paracosm.foundation.process.exit_codes import exit_code_of
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.loading.overrides import read_overrides
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.journal import Journal
from paracosm.recipes.sections.data import Data
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.stored_codec import codec_from_json, codec_to_json
from paracosm.records.constraints.parser import read_expression
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.sources.read_source import read_source
from paracosm.records.sources.select_statement import check_select
from paracosm.registry.site.safe_html import rendered_card
from paracosm.registry.stores.addresses import address
from paracosm.registry.versions.checks import front_matter
from paracosm.registry.versions.file_formats import check_content
from paracosm.registry.versions.manifest import FileEntry, Version

SCHEMA = Schema(
    (
        Field(name="age", type="integer", minimum=0, maximum=120),
        Field(name="ward", type="category", categories=("a", "b c")),
        Field(name="dose", type="number", minimum=0.0, maximum=9.5, decimals=1, nullable=True),
        Field(name="ill", type="boolean"),
        Field(name="note", type="text", max_length=80),
    )
)
CSV = "age,ward,dose,ill,when,note\n" + "".join(
    f'{n % 90},{"ab"[n % 2]},{n / 7:.1f},{n % 3 == 0},2024-0{n % 9 + 1}-1{n % 10},"it, ""is"" {n}"\n'
    for n in range(30)
)
ROWS = [{"age": n, "ward": "ab"[n % 2], "at": {"when": "10:30"}, "dose": None} for n in range(25)]
CARD = "---\ntags: [gate-pass, x]\nlicense: mit\nbase: &b {a: 1}\nmore: *b\n---\n# Card\n\n| a | b |\n|---|---|\n| 1 | <b>2</b> |\n\n[x](https://x.y) `c` ![p](fidelity.png)\n"


@dataclass(frozen=True)
class Target:
    """A reader of foreign bytes.

    Attributes:
        name: what it reads.
        read: reads a file; raises only what ends in one line and exit code 2.
        seeds: valid inputs.
        suffix: of the file's name.
    """

    name: str
    read: Callable[[Path], object]
    seeds: Callable[[], list[bytes]]
    suffix: str = ""


def _table(path: Path) -> None:
    data = Data(source=path.name)
    infer(read_source(data, root=path.parent), data)


def _text(path: Path) -> str:
    return path.read_bytes().decode("utf-8", errors="replace")


def _parquet() -> list[bytes]:
    inputs = []
    for options in ({}, {"compression": None, "use_dictionary": False}):
        content = io.BytesIO()
        pd.read_csv(io.StringIO(CSV)).to_parquet(content, **options)
        inputs.append(content.getvalue())
    return inputs


@cache
def _tokenizer() -> Any:
    return byte_tokenizer(("Male", "Female"))


def _codec(path: Path) -> None:
    text = json.dumps(read_json(path, ModelError))
    try:
        codec_from_json(text, _tokenizer())
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        # `load_codec` turns these into one line.
        raise ModelError(f"{path}: is not a codec") from error


def _codecs() -> list[bytes]:
    return [codec_to_json(Codec(SCHEMA, _tokenizer())).encode()]


def _manifest() -> list[bytes]:
    version = Version(
        name="ok",
        number=1,
        published="2026-01-01T00:00:00+00:00",
        verdict="PASS",
        profile="internal",
        limits={"c2st_auc": 0.7},
        override=None,
        base_model="x/y",
        paracosm="0.1",
        files={"README.md": FileEntry("0" * 64, 3), "codec.json": FileEntry("1" * 64, 4)},
        folder=Path(tempfile.mkdtemp()),
    )
    version.save()
    return [(version.folder / "manifest.json").read_bytes()]


def _metrics(path: Path) -> None:
    from paracosm.eval.results.evaluation_file import read_evaluation
    from paracosm.registry.versions.verdict import recomputed_verdict

    evaluation = read_evaluation(path, RegistryError)
    recomputed_verdict(evaluation, profile="internal", what="records", limits={}, paracosm="0.1", where=path)


def _adapter(path: Path) -> None:
    """Read a file of tensors, or of the configuration, beside a valid other one."""
    weights = path.read_bytes()
    is_config = weights[:1] in (b"{", b"[")
    folder = path.parent
    (folder / "adapter_config.json").write_bytes(
        weights if is_config else json.dumps(ADAPTER_CONFIG).encode()
    )
    (folder / "adapter_model.safetensors").write_bytes(save(adapter_tensors()) if is_config else weights)
    check_adapter(folder)


def _version_file(path: Path) -> None:
    for suffix in (".json", ".safetensors", ".parquet", ".txt"):
        renamed = path.rename(path.with_name(f"config{suffix}"))
        with contextlib.suppress(RegistryError):
            check_content(renamed)
        path = renamed


def _card(path: Path) -> None:
    text = _text(path)
    front_matter(text)
    rendered_card(text, pictures={})


def _journals() -> list[bytes]:
    path = Path(tempfile.mkdtemp()) / "run.json"
    Journal(path).write({"stages": {"records": {"status": "done", "inputs": {"a": [1, 2.5]}, "outputs": {}}}})
    return [path.read_bytes()]


RECIPE = b"""\
name: x
data: {source: t.csv, target: ill, drop: [a], fields: {age: {type: integer, minimum: 0}}}
model: &m {base: smollm2-135m, layers: 2}
finetune:
  epochs: 2
  learning_rate: 1e-3
generate: {records: 20, where: {age: ">= 3"}}
rules: {checks: ["age > 3"], derived: {dose: age / 2}}
"""
TARGETS = (
    Target("CSV", _table, lambda: [CSV.encode(), CSV.replace(",", ";").encode("utf-16")], ".csv"),
    Target("TSV", _table, lambda: [CSV.replace(",", "\t").encode()], ".tsv"),
    Target("CSV, gzip", _table, lambda: [gzip.compress(CSV.encode(), mtime=0)], ".csv.gz"),
    Target("JSONL", _table, lambda: ["".join(json.dumps(row) + "\n" for row in ROWS).encode()], ".jsonl"),
    Target("JSON", _table, lambda: [json.dumps(ROWS).encode(), json.dumps({"rows": ROWS}).encode()], ".json"),
    Target("Parquet", _table, _parquet, ".parquet"),
    Target("recipe", load_recipe, lambda: [RECIPE], ".yaml"),
    Target(
        "override",
        lambda path: (
            Recipe.model_validate({"name": "x", "data": {"source": "x"}}) and read_overrides([_text(path)])
        ),
        lambda: [b"finetune.epochs=2", b"data.drop=[a, b]", b'generate.where.a b="x"'],
    ),
    Target("codec", _codec, _codecs, ".json"),
    Target("schema", Schema.load, lambda: [_saved_schema()], ".json"),
    Target(
        "manifest", lambda path: Version.read(_text(path), path.parent, where=str(path)), _manifest, ".json"
    ),
    Target("metrics", _metrics, lambda: [evaluation_of("FAIL").to_json().encode()], ".json"),
    Target("card", _card, lambda: [CARD.encode()], ".md"),
    Target("run.json", lambda path: Journal(path).read(), _journals, ".json"),
    Target(
        "adapter", _adapter, lambda: [save(adapter_tensors()), json.dumps(ADAPTER_CONFIG).encode()], ".bin"
    ),
    Target(
        "file of a version",
        _version_file,
        lambda: [save(adapter_tensors()), b'{"auto_map": {}}', *_parquet()],
    ),
    Target(
        "rule",
        lambda path: read_expression(_text(path), SCHEMA, "rules"),
        lambda: [
            b"if age > 3 and ward == 'a' then dose <= 2.5 * age",
            b"abs(age - dose) in (1, 2) or not ill",
            b"`age` + 1 < 2 ** 3",
        ],
    ),
    Target(
        "query",
        lambda path: [check_select(_text(path), dialect) for dialect in ("sqlite", "postgresql", "mysql")],
        lambda: [
            b"WITH a AS (SELECT 1) SELECT * FROM a WHERE x = 'it''s' -- c",
            b'SELECT "a" /* x */ FROM b;',
        ],
    ),
    Target(
        "registry URL",
        lambda path: address(None, url=_text(path)),
        lambda: [b"hf://acme/patients@v2", b"mlflow://me:pw@host:80/n@stable", b"./store"],
    ),
)


def _saved_schema() -> bytes:
    path = Path(tempfile.mkdtemp()) / "schema.json"
    SCHEMA.save(path)
    return path.read_bytes()


ROOT = str(Path(__file__).parents[1])
TOKENS = [
    b"", b"\x00", b"\xff\xfe", b"\xef\xbb\xbf", b"\r", b"\n\n", b'"', b"'", b"`", b"{", b"}", b"[", b"]", b"(", b")", b"null", b"true",
    b"NaN", b"Infinity", b"-1", b"1e999", b"9" * 400, b"9" * 5000, b"0x", b"[" * 2000, b"(" * 300, b"- " * 300, b"not " * 300,
    b"*a", b"&a ", b"<<: ", b"!!python/object:os.system ", b"---\n", b"\x1b[2J", "\u202e".encode(), "\ud800".encode("utf-8", "surrogatepass"),
    b"__proto__", b"../../x", b"%s%n", b"${HOME}", b"=cmd()", b"<script>", b"**", b"@", b"://", b":", b",", b"\t", b"2**9**9**9", b"if", b"lambda: 0",
]  # fmt: skip
"""What is put into inputs: structure, limits of numbers, markup and control characters."""


def mutated(seed: bytes, draw: random.Random) -> bytes:
    """Return an input with one to eight random changes."""
    content = bytearray(seed)
    for _ in range(draw.choice((1, 1, 2, 4, 8))):
        at = draw.randrange(len(content) + 1)
        length = draw.choice((1, 1, 2, 8, 64))
        change = draw.randrange(7)
        if change == 0 and content:
            content[min(at, len(content) - 1)] ^= 1 << draw.randrange(8)
        elif change == 1:
            del content[at : at + length]
        elif change == 2:
            content[at:at] = draw.choice(TOKENS)
        elif change == 3:
            content[at : at + length] = draw.choice(TOKENS)
        elif change == 4:
            content[at:at] = content[at : at + 8 * length]
        elif change == 5:
            content[at : at + length] = draw.randbytes(length)
        else:
            other = draw.randrange(len(content) + 1)
            content[at : at + length] = content[other : other + length]
        del content[200_000:]
    return bytes(content)


def inputs(target: Target, draw: random.Random) -> Iterator[bytes]:
    """Yield the valid inputs, then endless damaged ones."""
    seeds = target.seeds()
    yield from seeds
    while True:
        yield mutated(draw.choice(seeds), draw)


ENDED = (129, 130, 143)
"""Exit codes of SIGHUP, Ctrl-C and SIGTERM: not the reader ended, but whoever runs it wants to end."""


class _Hang(Exception):  # noqa: N818  # the finding of a hang
    """A reader took too long."""


def _stop(*_: object) -> None:
    raise _Hang


def execute(target: Target, content: bytes, *, patience: float = 20.0) -> str | None:
    """Let a reader read; return the finding, by its place in the code, or None if it ends well or in one line.

    Args:
        target: the reader.
        content: its input.
        patience: seconds of processor time after which it counts as a hang.
    """
    before = signal.signal(signal.SIGVTALRM, _stop)
    signal.setitimer(signal.ITIMER_VIRTUAL, patience)
    try:
        with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()) as told:
            path = Path(folder) / f"input{target.suffix}"
            path.write_bytes(content)

            def read() -> int:
                target.read(path)
                return 0

            code = exit_code_of(read)
        if code in ENDED:
            raise KeyboardInterrupt
        lines = told.getvalue().count("\nerror: ") + told.getvalue().startswith("error: ")
        return None if (code, lines) in ((0, 0), (2, 1)) else f"exit code {code} with {lines} error lines"
    except Exception as error:  # noqa: BLE001  # whatever else it raises is the finding
        own = [
            frame for frame in traceback.extract_tb(error.__traceback__) if frame.filename.startswith(ROOT)
        ]
        where = own[-1] if own else traceback.extract_tb(error.__traceback__)[-1]
        return f"{type(error).__name__} at {Path(where.filename).name}:{where.lineno} in {where.name}: {str(error)[:100]!r}"
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
