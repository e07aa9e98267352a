"""The notebooks run from top to bottom, with a tiny model and a quick evaluation in their parameters."""

from pathlib import Path

import nbclient
import nbformat
import pytest
from tiny_models import save_tiny_llama

FOLDER = Path(__file__).parents[3] / "docs" / "notebooks"
NOTEBOOKS = sorted(FOLDER.glob("*.ipynb"))


def test_there_are_four_and_none_holds_outputs() -> None:
    assert [path.stem for path in NOTEBOOKS] == ["edge_cases", "model_validation", "privacy", "scarcity"]
    for path in NOTEBOOKS:
        cells = nbformat.read(path, as_version=4).cells
        assert all(not cell.outputs for cell in cells if cell.cell_type == "code")


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_a_notebook_runs(path: Path, tmp_path: Path) -> None:
    book = nbformat.read(path, as_version=4)
    base = save_tiny_llama(tmp_path / "tiny")
    (parameters,) = [cell for cell in book.cells if "parameters" in cell.metadata.get("tags", ())]
    quick = {"eval.bootstrap": 100, "eval.repeats": 1}
    tiny = {"model.base": str(base), "model.layers": None, "finetune.epochs": 1}
    parameters.source = f"settings = {tiny!r}\nmeasuring = {quick!r}"
    nbclient.NotebookClient(book, timeout=1200, resources={"metadata": {"path": str(FOLDER)}}).execute()
    shown = [output for cell in book.cells if cell.cell_type == "code" for output in cell.outputs]
    assert not [output for output in shown if output.output_type == "error"]
    assert any("data" in output for output in shown)
