"""Types and round trips of the column shapes of the tests, before a change and after it, and through files.

python bench/records/column_shapes.py --files                          # cells that JSONL and Parquet files do not give back
python bench/records/column_shapes.py --out after.json                 # in this tree
python bench/records/column_shapes.py --out before.json                # with the package of another tree on the path
python bench/records/column_shapes.py --compare before.json after.json # the table
"""

import argparse
import json
import runpy
import tempfile
from pathlib import Path
from typing import Any

SHAPES = Path(__file__).parents[2] / "tests/unit/records/column_shapes.py"


def measure() -> dict[str, dict[str, str]]:
    """Return type and round trip of every shape, by the installed package."""
    import pandas as pd

    from paracosm.foundation.errors import ParacosmError
    from paracosm.recipes.sections.data import Data
    from paracosm.records.inference.infer_schema import infer
    from paracosm.records.schema.table import to_typed, written

    results = {}
    for shape in runpy.run_path(str(SHAPES))["SHAPES"]:
        cells = [cell or None for cell in shape.cells]
        others = [str(number % 7) for number in range(len(cells))]
        raw = pd.DataFrame(
            {
                shape.column: pd.Series(cells, dtype="string"),
                "zz": pd.Series(others, dtype="string"),
            }
        )
        try:
            inference = infer(raw, Data(source="a.csv"))
            field = inference.schema[shape.column]
            lost = 0
            if field.modelled:
                back = written(to_typed(raw, inference.schema), inference.schema)[shape.column]
                lost = int((back.fillna("") != raw[shape.column].fillna("")).sum())
            said = any(repr(shape.column) in warning for warning in inference.warnings)
            result = {"type": field.type, "lost": f"{lost / len(raw):.0%}", "said": "yes" if said else "no"}
        except ParacosmError as error:
            result = {"type": "error", "lost": str(error), "said": "yes"}
        right = result["type"] in shape.read_as and result["lost"] == "0%"
        results[shape.name] = result | {"right": "yes" if right else "no"}
    return results


def measure_files() -> str:
    """Return for JSONL and Parquet how many shapes come back whole, and which do not.

    Each shape is written as texts to both formats. Shapes of which JSON writes every cell as a number as it stands are written to
    JSONL as numbers too.
    """
    kept: dict[str, int] = {}
    lost: dict[str, list[str]] = {}
    with tempfile.TemporaryDirectory() as folder:
        for shape in runpy.run_path(str(SHAPES))["SHAPES"]:
            cells = [cell or None for cell in shape.cells]
            numbers = [None if cell is None else _json_value(cell) for cell in cells]
            tries = {"JSONL texts": (".jsonl", cells), "Parquet texts": (".parquet", cells)}
            if not any(isinstance(cell, str) for cell in numbers):
                tries["JSONL numbers"] = (".jsonl", numbers)
            for name, (suffix, column) in tries.items():
                changed = _changed(Path(folder), shape.column, column, suffix)
                if changed is None:
                    continue
                kept[name] = kept.get(name, 0) + (changed == 0)
                if changed:
                    lost.setdefault(name, []).append(f"{shape.name} ({changed} of {len(column)} cells)")
    lines = ["| file | shapes that are modelled | given back whole | not |", "|---|---|---|---|"]
    for name, count in kept.items():
        not_kept = lost.get(name, [])
        lines.append(f"| {name} | {count + len(not_kept)} | {count} | {', '.join(not_kept) or '-'} |")
    return "\n".join(lines)


def _json_value(cell: str) -> Any:
    """Return the number that JSON writes as this cell does, else the cell."""
    try:
        value = json.loads(cell)
    except ValueError:
        return cell
    return value if type(value) in (int, float) and json.dumps(value) == cell else cell


def _changed(folder: Path, column: str, cells: list[Any], suffix: str) -> int | None:
    """Return how many cells of a file are not written again as they were; None for an identifier."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    from paracosm.recipes.sections.data import Data
    from paracosm.records.inference.infer_schema import infer
    from paracosm.records.schema.jsonl_writer import write_jsonl
    from paracosm.records.schema.origin import origin_of
    from paracosm.records.schema.schema import Schema
    from paracosm.records.schema.source_types import with_source_types, write_records
    from paracosm.records.schema.table import to_typed, written
    from paracosm.records.sources.read_source import read_source

    source, out = folder / f"a{suffix}", folder / f"b{suffix}"
    others = [number % 7 for number in range(len(cells))]
    if suffix == ".jsonl":
        rows = ({column: cell, "zz": other} for cell, other in zip(cells, others, strict=True))
        source.write_text("\n".join(map(json.dumps, rows)))
    else:
        pq.write_table(pa.table({column: pa.array(cells, pa.string()), "zz": others}), source)
    raw = read_source(Data(source=source.name), root=folder)
    field = infer(raw, Data(source=source.name)).schema[column]
    if not field.modelled:
        return None
    alone = Schema((field,))
    typed = to_typed(raw, alone)
    schema = with_source_types(alone, origin_of(raw), typed, [])
    if suffix == ".jsonl":
        write_jsonl(written(typed, schema), out, schema)
        back = [json.loads(line)[column] for line in out.read_text().splitlines()]
    else:
        write_records(typed, out, schema)
        back = pq.read_table(out).column(column).to_pylist()
    return sum(repr(one) != repr(other) for one, other in zip(cells, back, strict=True))


def table(before: dict[str, dict[str, str]], after: dict[str, dict[str, str]]) -> str:
    """Return both measurements side by side as a table in Markdown."""
    lines = [
        "| shape | type before | cells changed before | type after | cells changed after | right after |",
        "|---|---|---|---|---|---|",
    ]
    for name, new in after.items():
        old = before.get(name, {"type": "-", "lost": "-"})
        lines.append(
            f"| {name} | {old['type']} | {old['lost']} | {new['type']} | {new['lost']} | {new['right']} |"
        )
    for title, results in (("before", before), ("after", after)):
        right = sum(result["right"] == "yes" for result in results.values())
        kept = sum(result["lost"] == "0%" for result in results.values())
        lines.append(
            f"\n{title}: {right} of {len(results)} shapes have a right type and give back every cell; {kept} give back every cell."
        )
    return "\n".join(lines)


def main() -> None:
    """Measure, or compare two measurements."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--compare", type=Path, nargs=2)
    parser.add_argument("--files", action="store_true")
    arguments = parser.parse_args()
    if arguments.files:
        print(measure_files())
    elif arguments.compare:
        print(table(*(json.loads(path.read_text()) for path in arguments.compare)))
    else:
        text = json.dumps(measure(), indent=1)
        if arguments.out:
            arguments.out.write_text(text)
        else:
            print(text)


if __name__ == "__main__":
    main()
