"""`paracosm recipes show` and `copy`."""

from pathlib import Path

import pytest

from paracosm.cli.workspace.shipped_recipes import recipes
from paracosm.foundation.errors import RecipeError
from paracosm.recipes.shipped import shipped


def test_a_copy_is_the_shipped_recipe_and_no_file_is_overwritten(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = shipped()["legal-clauses"].read_text(encoding="utf-8")
    recipes("show", "legal-clauses")
    assert capsys.readouterr().out == text
    recipes("copy", "legal-clauses", tmp_path / "mine.yaml")
    assert (tmp_path / "mine.yaml").read_text(encoding="utf-8") == text
    with pytest.raises(RecipeError, match="exists already"):
        recipes("copy", "legal-clauses", tmp_path / "mine.yaml")
    with pytest.raises(RecipeError, match=r"did you mean 'legal-clauses'"):
        recipes("show", "legal-clause")
