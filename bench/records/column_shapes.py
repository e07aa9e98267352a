"""Types and round trips of the column shapes of the tests, before a change and after it.

python bench/records/column_shapes.py --out after.json                 # in this tree
python bench/records/column_shapes.py --out before.json                # with the package of another tree on the path
python bench/records/column_shapes.py --compare before.json after.json # the table
"""

import argparse
import json
import runpy
from pathlib import Path

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
    arguments = parser.parse_args()
    if arguments.compare:
        print(table(*(json.loads(path.read_text()) for path in arguments.compare)))
    else:
        text = json.dumps(measure(), indent=1)
        if arguments.out:
            arguments.out.write_text(text)
        else:
            print(text)


if __name__ == "__main__":
    main()
