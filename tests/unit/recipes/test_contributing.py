"""The steps of CONTRIBUTING.md that add a recipe lead to one that loads and validates; no file of the product changes."""

import re
import textwrap
from pathlib import Path

import pytest

from paracosm.cli.app import main

PAGE = Path(__file__).parents[3] / "CONTRIBUTING.md"


def test_a_recipe_by_the_steps_of_the_page_validates(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    page = PAGE.read_text(encoding="utf-8").partition("## Add a recipe")[2]
    found = re.search(r"```yaml\n(.*?)```", page, flags=re.DOTALL)
    assert found is not None
    monkeypatch.chdir(tmp_path)
    Path("town-fines.yaml").write_text(textwrap.dedent("   " + found[1]), encoding="utf-8")
    rows = [f"{20 + number % 37},{number % 9}.5,{'yes' if number % 3 else 'no'}" for number in range(60)]
    Path("fines.csv").write_text("\n".join(["amount,weeks,paid", *rows]) + "\n", encoding="utf-8")
    with pytest.raises(SystemExit) as left:
        main(["validate", "town-fines.yaml"])
    assert left.value.code == 0
    assert "paid" in capsys.readouterr().out
