"""`paracosm init`: the drafted recipe loads, says what was found, and shows no value of any record."""

import random
from pathlib import Path

import pytest
import yaml

from paracosm.cli.init.time_budget import within
from paracosm.foundation.errors import DataError, RecipeError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.finetune import Finetune
from paracosm.records.drafting.recipe_template import draft, write_draft
from paracosm.records.inference.infer_schema import infer
from paracosm.records.sources.read_source import read_source


def write_people(path: Path, *, extra: str = "ward", cells: tuple[str, ...] = ("north", "south")) -> Path:
    draw = random.Random(0)
    lines = [f"patient,age,{extra},weight"]
    for row in range(120):
        age = "" if row % 10 == 0 else draw.randrange(20, 90)
        lines.append(
            f"P{row:05d}{draw.randrange(10**6):06d},{age},{draw.choice(cells)},{draw.uniform(50, 99):.1f}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


@pytest.fixture
def people(tmp_path: Path) -> Path:
    return write_people(tmp_path / "Our People.csv")


def test_the_written_text_loads_as_the_drafted_recipe(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    made = draft(source=str(people), out=out, target="ward")
    out.write_text(made.text, encoding="utf-8")
    assert load_recipe(out) == made.recipe
    assert made.recipe.name == "our-people"
    assert made.recipe.data.source == "Our People.csv"
    assert made.recipe.data.target == "ward"
    assert made.recipe.data.drop == ["patient"]


def test_every_key_of_a_recipe_is_in_the_draft_with_its_own_words(people: Path, tmp_path: Path) -> None:
    text = draft(source=str(people), out=tmp_path / "recipe.yaml", full=True).text
    uncommented = "\n".join(
        line.replace("# ", "", 1) if line.endswith(": null") else line for line in text.splitlines()
    )
    plain = yaml.safe_load(uncommented)
    assert plain.keys() == Recipe.model_fields.keys()
    for name in ("data", "model", "finetune", "generate", "eval", "release", "card"):
        section = Recipe.model_fields[name].annotation
        assert plain[name].keys() == section.model_fields.keys()  # type: ignore[union-attr]
    words = " ".join(text.replace("#", " ").split())
    for field in Finetune.model_fields.values():
        assert " ".join((field.description or "?").split()) in words


def test_a_short_draft_has_what_was_decided_and_makes_the_same_recipe(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    short = draft(source=str(people), out=out, target="ward")
    every = draft(source=str(people), out=out, target="ward", full=True)
    assert short.recipe == every.recipe
    out.write_text(every.text, encoding="utf-8")
    assert load_recipe(out) == short.recipe
    keys = [line for line in short.text.splitlines() if line and not line.lstrip().startswith("#")]
    assert len(keys) < 15
    assert "  # - category: ward" in short.text.splitlines()
    assert "epochs" not in short.text


def test_rare_classes_are_told_to_the_user_and_not_to_the_recipe(tmp_path: Path) -> None:
    source = write_people(tmp_path / "a.csv", cells=("north",) * 8 + ("south",))
    lines = write_draft(source=str(source), out=tmp_path / "recipe.yaml", target="ward")
    (rare,) = [line for line in lines if line.startswith("rare classes of ward: south (")]
    assert rare.endswith("generate.quotas.ward=balanced")
    assert "south" not in (tmp_path / "recipe.yaml").read_text()


def test_the_draft_opens_with_the_command_that_runs_it(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    opening = draft(source=str(people), out=out).text.split("\n\n")[0]
    assert f"paracosm run {out}" in opening
    assert all(line.startswith("#") for line in opening.splitlines())


def test_fields_are_described_without_any_value_of_theirs(tmp_path: Path) -> None:
    source = write_people(tmp_path / "a.csv", cells=("north", "south", "rarely-seen"))
    text = draft(source=str(source), out=tmp_path / "recipe.yaml", full=True).text
    assert "- ward: category, 3 values" in text
    assert "- weight: number, 1 decimal\n" in text
    assert "missing" in next(line for line in text.splitlines() if "- age: integer" in line)
    for value in ("north", "south", "rarely-seen", "P00000"):
        assert value not in text


@pytest.mark.parametrize(
    "name", ["a: b", "x #y", "null", "naïve – 年", "'quoted'", "- dash", "[list]", "{a: b}"]
)
def test_hostile_column_names_survive_the_draft(name: str, tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    source = write_people(tmp_path / "data.csv", extra=name)
    write_draft(source=str(source), out=out, target=name)
    assert load_recipe(out).data.target == name


def test_a_line_break_in_a_column_name_does_not_leave_its_comment(tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    source = write_people(tmp_path / "data.csv", extra='"ward\nname: taken"')
    write_draft(source=str(source), out=out, target="ward\nname: taken")
    loaded = load_recipe(out)
    assert (loaded.name, loaded.data.target) == ("data", "ward\nname: taken")


def test_an_existing_file_is_replaced_only_when_forced(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    out.write_text("mine", encoding="utf-8")
    with pytest.raises(RecipeError, match="exists already"):
        write_draft(source=str(people), out=out)
    assert out.read_text(encoding="utf-8") == "mine"
    write_draft(source=str(people), out=out, force=True)
    assert load_recipe(out).name == "our-people"


def test_an_unknown_target_writes_nothing_and_names_the_nearest(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "recipe.yaml"
    with pytest.raises(DataError, match="did you mean 'ward'"):
        write_draft(source=str(people), out=out, target="wrad")
    assert not out.exists()


def test_the_source_is_found_from_a_recipe_in_another_folder(people: Path, tmp_path: Path) -> None:
    out = tmp_path / "plans" / "recipe.yaml"
    write_draft(source=str(people), out=out)
    assert load_recipe(out).data.source == "../Our People.csv"


def test_every_warning_of_the_inference_is_printed_and_in_the_recipe(tmp_path: Path) -> None:
    source, out = tmp_path / "orders.csv", tmp_path / "recipe.yaml"
    draw = random.Random(0)
    lines = [
        f"O{row:05d},C{draw.randrange(200):05d},{draw.choice(['card', 'cash'])},{draw.randrange(99)},"
        for row in range(400)
    ]
    source.write_text("order_id,customer_id,method,age,empty\n" + "\n".join(lines) + "\n")
    printed = write_draft(source=str(source), out=out)
    comments = " ".join(line.strip(" #") for line in out.read_text().splitlines())
    warnings = infer(read_source(Data(source=str(source)), root=tmp_path), Data(source=str(source))).warnings
    assert any("'customer_id'" in warning and "data.subject" in warning for warning in warnings)
    assert any("'empty'" in warning for warning in warnings)
    # The key of persons is set as the subject, so its warning gives way to the line that says so.
    assert any("'customer_id'" in line and "data.subject" in line for line in printed)
    for warning in (line for line in warnings if "'customer_id'" not in line):
        assert printed.count(f"warning: {warning}") == 1
        assert f"Warning: {warning}" in comments


def test_minutes_choose_layers_epochs_and_rows(people: Path, tmp_path: Path) -> None:
    def planned(minutes: float) -> Recipe:
        return draft(source=str(people), out=tmp_path / "recipe.yaml", plan=within(minutes)).recipe

    long, short = planned(600), planned(1)
    assert long.model.layers == 6
    assert long.finetune.epochs == Finetune().epochs
    assert 500 < (long.finetune.max_minutes or 0) < 600
    assert (short.model.layers or 30) <= 6
    assert (short.finetune.max_minutes or 0) >= 1.0
    with pytest.raises(RecipeError, match=r"^--minutes: the fastest plan takes about"):
        planned(0.01)


def test_what_is_done_about_personal_data_can_be_said(tmp_path: Path) -> None:
    source = write_people(tmp_path / "a.csv", extra="surname", cells=("Meyer", "Smith", "Rossi", "Patel"))
    out = tmp_path / "recipe.yaml"
    lines = write_draft(source=str(source), out=out, pii="report")
    assert "personal data: data.pii: report, as you asked" in lines
    pii = load_recipe(out).data.pii
    assert pii is not None
    assert pii.action == "report"
