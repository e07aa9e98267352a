"""Sources and recipes that try to exhaust a machine or to break a reader: how each is made, and what its line says."""

import bz2
import gzip
import io
import json
import lzma
import os
import sqlite3
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

Make = Callable[[Path], object]
SMALL = {"bounds": {"gigabytes": 0.001}}
"""Bounds of one megabyte."""
FEW = {"bounds": {"rows": 1000}}
TIGHT = {"bounds": {"expansion": 2}}
TABLE = b"a,b\n" + b"1,2\n" * 600_000
ROWS = "a,b\n" + "".join(f"{row},x{row % 7}\n" for row in range(2000))
JSON_ROW = '{"a": 1, "b": "x"}\n'
DEEP = 100_000


def put(name: str, content: bytes | str) -> Make:
    return lambda folder: (folder / name).write_bytes(
        content.encode() if isinstance(content, str) else content
    )


def zstd(content: bytes) -> bytes:
    sink = io.BytesIO()
    with pa.CompressedOutputStream(pa.PythonFile(sink, mode="w"), "zstd") as stream:
        stream.write(content)
        stream.flush()
        return sink.getvalue()


def zipped(content: bytes, *, files: int = 1) -> bytes:
    sink = io.BytesIO()
    with zipfile.ZipFile(sink, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(files):
            archive.writestr(f"a{number}.csv", content)
    return sink.getvalue()


def sparse(name: str, gigabytes: int) -> Make:
    def make(folder: Path) -> None:
        with (folder / name).open("wb") as file:
            file.write(b"a,b\n1,2\n")
            file.truncate(gigabytes * 10**9)

    return make


def parquet(name: str, table: pa.Table, **options: Any) -> Make:
    return lambda folder: pq.write_table(table, folder / name, **options)


def declared(number: bytes, *, everywhere: bool) -> Make:
    """Return what writes a Parquet file of 1,000 rows that declares another number: in its footer, or in its pages too."""

    def make(folder: Path) -> None:
        schema = pa.schema([pa.field("a", pa.int64(), nullable=False)])
        table = pa.table({"a": range(1000)}, schema)
        pq.write_table(table, folder / "a.parquet", use_dictionary=False, compression="none")
        content = (folder / "a.parquet").read_bytes()
        # 1,000 as a Thrift varint of zigzag form is d0 0f; the other number takes as many bytes.
        before, after, rest = content.rpartition(b"\xd0\x0f")
        before = before.replace(b"\xd0\x0f", number) if everywhere else before
        (folder / "a.parquet").write_bytes(before + (number if after else after) + rest)

    return make


def cut(name: str, table: pa.Table, keep: float) -> Make:
    def make(folder: Path) -> None:
        pq.write_table(table, folder / name)
        content = (folder / name).read_bytes()
        (folder / name).write_bytes(content[: int(len(content) * keep)])

    return make


def links(folder: Path) -> None:
    """Make folders that link to each other in circles."""
    for name in "pq":
        (folder / name).mkdir()
        for other in "pq":
            (folder / name / other).symlink_to(folder / other)


def many_files(folder: Path) -> None:
    for number in range(12):
        (folder / f"{number}.csv").write_text("a\n1\n")


def database(folder: Path) -> None:
    with sqlite3.connect(folder / "a.db") as connection:
        connection.execute("create table t (a int, b text)")
        connection.executemany("insert into t values (?, ?)", [(row, "x") for row in range(3000)])


def fifo(folder: Path) -> None:
    os.mkfifo(folder / "a.csv")


def linked_device(folder: Path) -> None:
    (folder / "a.csv").symlink_to("/dev/zero")


ENDLESS = "with recursive c(n) as (select 1 union all select n + 1 from c) select n from c"
WIDE = ",".join(f"c{number}" for number in range(20_000)) + "\n" + ",".join(["1"] * 20_000) + "\n"
WIDE_RECORD = {f"c{number}": 1 for number in range(20_000)}
SPREAD = "".join(json.dumps({f"k{row}_{key}": 1 for key in range(20)}) + "\n" for row in range(600))
NESTED_KEYS: Any = 1
for _ in range(200):
    NESTED_KEYS = {"a": NESTED_KEYS}
NESTED_LIST: Any = 1
for _ in range(200):
    NESTED_LIST = [NESTED_LIST]
LONG_TEXTS = pa.table({"a": pa.array(["x" * 100_000] * 200).dictionary_encode().cast(pa.string())})
BROKEN = "stream is broken or cut off"
TOO_DEEP = "is nested more than 100 levels deep"
TOO_LARGE = "raise data.bounds.gigabytes"
JSON_FILES = {"a.json": "[%s]", "a.jsonl": '{"b": %s}\n{"b": 1}\n'}

HOSTILE: dict[str, tuple[Make, str, dict[str, Any], str]] = {
    "gzip of one megabyte": (put("a.csv.gz", gzip.compress(TABLE)), "a.csv.gz", SMALL, TOO_LARGE),
    "bzip2 of one megabyte": (put("a.csv.bz2", bz2.compress(TABLE)), "a.csv.bz2", SMALL, TOO_LARGE),
    "xz of one megabyte": (put("a.csv.xz", lzma.compress(TABLE)), "a.csv.xz", SMALL, TOO_LARGE),
    "zstd of one megabyte": (put("a.csv.zst", zstd(TABLE)), "a.csv.zst", SMALL, TOO_LARGE),
    "zip of one megabyte": (put("a.csv.zip", zipped(TABLE)), "a.csv.zip", SMALL, TOO_LARGE),
    "gzip of one long line": (put("a.csv.gz", gzip.compress(b"a" * 2**21)), "a.csv.gz", SMALL, TOO_LARGE),
    "gzip of zeros": (
        put("a.csv.gz", gzip.compress(bytes(2**21))),
        "a.csv.gz",
        {},
        ":1: holds a zero byte",
    ),
    "gzip that expands": (
        put("a.csv.gz", gzip.compress(b"a,b\n" + b"1,2\n" * (2**24 + 2**19))),
        "a.csv.gz",
        TIGHT,
        "raise data.bounds.expansion",
    ),
    "JSON gzip that expands": (
        put("a.json.gz", gzip.compress(b"[" + b" " * (2**26 + 2**20) + b'{"a": 1}]')),
        "a.json.gz",
        TIGHT,
        "raise data.bounds.expansion",
    ),
    "xz JSON Lines of one megabyte": (
        put("a.jsonl.xz", lzma.compress(JSON_ROW.encode() * 90_000)),
        "a.jsonl.xz",
        SMALL,
        TOO_LARGE,
    ),
    "gzip in gzip": (
        put("a.csv.gz", gzip.compress(gzip.compress(ROWS.encode()))),
        "a.csv.gz",
        {},
        "not UTF-8",
    ),
    "Parquet in gzip": (put("a.parquet.gz", gzip.compress(TABLE)), "a.parquet.gz", SMALL, TOO_LARGE),
    "cut gzip": (put("a.csv.gz", gzip.compress(ROWS.encode())[:-60]), "a.csv.gz", {}, BROKEN),
    "cut bzip2": (put("a.csv.bz2", bz2.compress(ROWS.encode())[:-60]), "a.csv.bz2", {}, BROKEN),
    "cut xz": (put("a.csv.xz", lzma.compress(ROWS.encode())[:-60]), "a.csv.xz", {}, BROKEN),
    "cut zstd": (put("a.csv.zst", zstd(ROWS.encode())[:-60]), "a.csv.zst", {}, BROKEN),
    "cut zip": (put("a.csv.zip", zipped(ROWS.encode())[:-60]), "a.csv.zip", {}, BROKEN),
    "zip of two files": (put("a.csv.zip", zipped(ROWS.encode(), files=2)), "a.csv.zip", {}, "holds 2 files"),
    "zip of no file": (put("a.csv.zip", zipped(b"", files=0) + b"x"), "a.csv.zip", {}, "zero byte"),
    "only the signature of gzip": (put("a.csv.gz", b"\x1f\x8b"), "a.csv.gz", {}, BROKEN),
    "only the signature of xz": (put("a.csv.xz", b"\xfd7zXZ\0"), "a.csv.xz", {}, BROKEN),
    "gzip of nothing": (put("a.csv.gz", gzip.compress(b"")), "a.csv.gz", {}, "is empty"),
    "not gzipped": (put("a.csv.gz", ROWS), "a.csv.gz", {}, "is not gzipped"),
    "sparse file": (sparse("a.csv", 1000), "a.csv", {}, "a.csv: is larger than 4 GB"),
    "sparse JSON": (sparse("a.json", 1000), "a.json", {}, "a.json: is larger than 4 GB"),
    "sparse Parquet": (sparse("a.parquet", 1000), "a.parquet", {}, "a.parquet: is larger than 4 GB"),
    "sparse file of zeros, first rows": (
        sparse("a.csv", 1000),
        "a.csv",
        {"limit": 5, "limit_order": "first"},
        "holds a zero byte",
    ),
    **{
        f"{kind} brackets in {name}": (
            put(name, form % (start * DEEP + "1" + end * DEEP)),
            name,
            {},
            TOO_DEEP,
        )
        for name, form in JSON_FILES.items()
        for kind, start, end in (("square", "[", "]"), ("curly", '{"a":', "}"))
    },
    "brackets that are never closed": (put("a.json", '{"a":' * DEEP), "a.json", {}, TOO_DEEP),
    "200 levels of keys": (put("a.jsonl", json.dumps({"a": NESTED_KEYS})), "a.jsonl", {}, TOO_DEEP),
    "200 levels of arrays": (
        put("a.jsonl", json.dumps({"a": NESTED_LIST})),
        "a.jsonl",
        {"nested": "json"},
        TOO_DEEP,
    ),
    "an array where none is allowed": (put("a.jsonl", '{"a": [1]}\n'), "a.jsonl", {}, "holds a nested array"),
    "a key twice": (put("a.jsonl", '{"a": 1, "a": 2}\n'), "a.jsonl", {}, "has the same key twice"),
    "infinity": (put("a.jsonl", '{"a": Infinity}\n'), "a.jsonl", {}, "Infinity is not a number"),
    "not JSON": (put("a.jsonl", '{"a": 1}\n{"a": secret}\n'), "a.jsonl", {}, "a.jsonl:2: is not JSON"),
    "lines that are no objects": (put("a.jsonl", "1\n2\n"), "a.jsonl", {}, "expected one JSON object a line"),
    "zero bytes in JSON": (put("a.jsonl", '{"a": "x"}\n\0\n'), "a.jsonl", {}, "holds a zero byte"),
    "a lone surrogate": (put("a.jsonl", '{"a": "\\ud800"}\n'), "a.jsonl", {}, "lone surrogate"),
    "20,000 columns of CSV": (put("a.csv", WIDE), "a.csv", {}, "more than 10,000 columns"),
    "20,000 columns of TSV": (put("a.tsv", WIDE.replace(",", "\t")), "a.tsv", {}, "more than 10,000 columns"),
    "20,000 keys": (put("a.jsonl", json.dumps(WIDE_RECORD)), "a.jsonl", {}, "more than 10,000 columns"),
    "20,000 keys in a document": (
        put("a.json", json.dumps([WIDE_RECORD])),
        "a.json",
        {},
        "more than 10,000 columns",
    ),
    "other keys in each line": (put("a.jsonl", SPREAD), "a.jsonl", {}, "more than 10,000 columns"),
    "20,000 columns of Parquet": (
        parquet("a.parquet", pa.table({f"c{number}": [1] for number in range(12_000)})),
        "a.parquet",
        {},
        "more than 10,000 columns",
    ),
    "many rows of CSV": (put("a.csv", ROWS), "a.csv", FEW, "raise data.bounds.rows"),
    "many rows of CSV, some drawn": (
        put("a.csv", ROWS),
        "a.csv",
        FEW | {"limit": 10},
        "raise data.bounds.rows",
    ),
    "many rows of JSON Lines": (put("a.jsonl", JSON_ROW * 2000), "a.jsonl", FEW, "raise data.bounds.rows"),
    "many rows of JSON": (
        put("a.json", json.dumps([{"a": 1}] * 2000)),
        "a.json",
        FEW,
        "raise data.bounds.rows",
    ),
    "many cells": (put("a.csv", ROWS), "a.csv", {"bounds": {"cells": 3000}}, "raise data.bounds.cells"),
    "many cells of files": (
        lambda folder: [put(f"{number}.csv", ROWS)(folder) for number in range(3)],
        "*.csv",
        {"bounds": {"cells": 9000}},
        "raise data.bounds.cells",
    ),
    "many rows of Parquet": (
        parquet("a.parquet", pa.table({"a": pa.array([1] * 50_000_000, pa.int8())})),
        "a.parquet",
        {},
        "more than 10,000,000 rows",
    ),
    "rows that a footer alone declares": (
        declared(b"\xfe\x7f", everywhere=False),
        "a.parquet",
        {},
        "is not a complete Parquet file",
    ),
    "rows that all headers declare": (
        declared(b"\xfe\x7f", everywhere=True),
        "a.parquet",
        {},
        "is not a complete Parquet file",
    ),
    "fewer rows than none": (
        declared(b"\xff\x7f", everywhere=False),
        "a.parquet",
        {},
        "is not a complete Parquet file",
    ),
    "long texts of Parquet": (
        parquet("a.parquet", LONG_TEXTS),
        "a.parquet",
        SMALL,
        TOO_LARGE,
    ),
    "half a Parquet file": (
        cut("a.parquet", pa.table({"a": [1] * 90}), 0.5),
        "a.parquet",
        {},
        "is not a complete Parquet file",
    ),
    "text as Parquet": (put("a.parquet", ROWS), "a.parquet", {}, "is not a complete Parquet file"),
    "nested Parquet": (
        parquet("a.parquet", pa.table({"a": [[1, 2]]})),
        "a.parquet",
        {},
        "a cell must be a single value",
    ),
    "bytes in Parquet": (
        parquet("a.parquet", pa.table({"a": [b"x"]})),
        "a.parquet",
        {},
        "a cell must be a single value",
    ),
    "a pipe": (fifo, "a.csv", {}, "is a pipe"),
    "a pipe in a glob": (fifo, "*.csv", {}, "matches no file"),
    "a device": (lambda _: None, "/dev/zero", {}, "is a device"),
    "random bytes for ever": (lambda _: None, "/dev/urandom", {}, "is a device"),
    "a link to a device": (linked_device, "a.csv", {}, "is a device"),
    "a file of the kernel": (
        lambda _: None,
        "/proc/self/environ",
        {},
        "files of this kind are not supported",
    ),
    "many files": (many_files, "*.csv", {"bounds": {"files": 5}}, "raise data.bounds.files"),
    "many entries": (many_files, "*/*.csv", {"bounds": {"files": 1}}, "matches no file"),
    "a list of many files": (
        many_files,
        ["0.csv", "1.csv", "2.csv"],
        {"bounds": {"files": 2}},
        "raise data.bounds.files",
    ),
    "folders in a circle": (links, "**/*.csv", {}, "matches no file"),
    "the whole machine": (
        lambda _: None,
        "/usr/**/*.no-such-file",
        {"bounds": {"files": 10}},
        "looks through more than 1,000 entries",
    ),
    "a name of a megabyte": (lambda _: None, "x" * 10**6, {}, "File name too long"),
    "a zero byte in a name": (lambda _: None, "a\0.csv", {}, "there is no such file"),
    "an unknown home": (lambda _: None, "~nobody-here/a.csv", {}, "is not a path that can be read"),
    "a link to itself": (lambda folder: (folder / "a.csv").symlink_to("a.csv"), "a.csv", {}, "a.csv"),
    "an endless query": (
        database,
        "sqlite:///a.db",
        {"query": ENDLESS, "bounds": {"rows": 50_000}},
        "raise data.bounds.rows",
    ),
    "an endless query, some drawn": (
        database,
        "sqlite:///a.db",
        {"query": ENDLESS, "limit": 5, "bounds": {"rows": 50_000}},
        "raise data.bounds.rows",
    ),
    "a query of many cells": (
        database,
        "sqlite:///a.db",
        {"query": "select * from t", "bounds": {"cells": 100}},
        "raise data.bounds.cells",
    ),
    "markup": (put("a.csv", "<!DOCTYPE html><html>" + "<b>" * 9999), "a.csv", {}, "holds HTML or XML"),
    "quotes that never end": (put("a.csv", 'a,b\n"' + "x,y\n" * 9999), "a.csv", {}, "the quotes"),
    "blanks only": (put("a.csv", " \n" * 10**6), "a.csv", {}, "begins with blanks only"),
    "an unpaired UTF-16": (put("a.csv", b"\xff\xfea\0,\0b\0\n\0\0\xd8"), "a.csv", {}, "UTF-16"),
}
"""Name -> how the source is made in a folder, `data.source`, other keys of `data`, a part of the line."""
