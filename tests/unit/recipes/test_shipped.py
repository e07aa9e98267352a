import re
from pathlib import Path

import pytest

from paracosm import recipes
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.shipped import shipped, shipped_descriptions

FOLDER = Path(recipes.__file__).parent
ALL = sorted(FOLDER.rglob("*.yaml"))


def test_every_shipped_recipe_is_found_by_its_name():
    assert list(shipped().values()) == ALL
    assert "healthcare-heart" in shipped()


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_shipped_recipe_loads_by_its_name_which_is_its_own(path):
    assert load_recipe(Path(path.stem)) == load_recipe(path)
    assert load_recipe(path).name == path.stem


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_shipped_recipe_opens_with_what_it_needs_and_the_commands_that_run_it(path):
    opening = path.read_text(encoding="utf-8").partition("\nname:")[0]
    assert all(line.startswith("#") for line in opening.splitlines() if line)
    assert "Needs " in opening
    commands = re.findall(r"^#   paracosm run (\S+)(.*)$", opening, re.MULTILINE)
    assert commands
    for name, overrides in commands:
        assert name == path.stem
        load_recipe(Path(name), overrides.partition(" --run ")[0].split())


@pytest.mark.parametrize("path", ALL, ids=lambda path: path.stem)
def test_a_shipped_recipe_says_what_its_card_must(path):
    card = load_recipe(path).card
    assert card.data_statement
    assert card.intended_use
    assert card.not_for
    assert card.licence != "other"


def test_the_list_describes_each_in_one_line():
    assert shipped_descriptions().keys() == shipped().keys()
    for description in shipped_descriptions().values():
        assert 20 < len(description) < 120
        assert "\n" not in description
