"""The tables of docs/evaluation.md are those that the code gives."""

import runpy
from pathlib import Path

DOCS = Path(__file__).parents[2] / "docs"


def test_the_metric_tables_are_up_to_date() -> None:
    tables = runpy.run_path(str(DOCS / "tables.py"))
    page = (DOCS / "evaluation.md").read_text(encoding="utf-8")
    assert page.count("<!-- metrics: ") == 3
    assert tables["with_tables"](page) == page, "run: python docs/tables.py"
