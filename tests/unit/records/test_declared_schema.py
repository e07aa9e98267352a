"""Under privacy nothing about the schema comes from the records, and no record decides where another one goes."""

import random
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from private_runs import FIELDS, people, private_recipe

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.recipes.loading.load import dump_recipe, load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.records.assembly import assemble
from paracosm.records.drafting.recipe_template import draft, write_draft
from paracosm.records.schema.schema import Field
from paracosm.records.stage import records_digest


def recipe_with(**data: Any) -> Recipe:
    return private_recipe(Path("model"), data=data)


def without(name: str, key: str) -> dict[str, Any]:
    return FIELDS | {name: {at: value for at, value in FIELDS[name].items() if at != key}}


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        (
            {},
            r"data\.fields has to declare age: type; sex: type; dose: type; seen: type \(and 1 more columns\)",
        ),
        (without("age", "minimum"), "declare age: minimum; or name"),
        (without("dose", "decimals"), "declare dose: decimals;"),
        (without("seen", "nullable"), "declare seen: nullable;"),
        (FIELDS | {"sex": {"type": "category", "nullable": False}}, "declare sex: categories;"),
        (FIELDS | {"sex": {"type": "text"}}, "declare sex: max_length, nullable;"),
        (
            FIELDS | {"seen": {"type": "datetime", "nullable": False}},
            "declare seen: minimum, maximum, format;",
        ),
    ],
)
def test_the_error_names_what_is_not_declared_in_one_line(fields: dict[str, Any], says: str) -> None:
    with pytest.raises(RecipeError, match=says) as caught:
        assemble(recipe_with(fields=fields), people(60))
    assert "\n" not in str(caught.value)
    assert "paracosm init none.csv --private" in str(caught.value)


def test_a_sequence_declares_its_length_and_what_is_shared() -> None:
    data: dict[str, Any] = {"subject": "patient", "sequence": "seen"}
    table = people(90).assign(patient=[f"p{number // 3}" for number in range(90)])
    with pytest.raises(RecipeError, match=r"data\.longest_sequence has to be declared"):
        assemble(recipe_with(**data), table)
    with pytest.raises(RecipeError, match=r"data\.shared has to be declared"):
        assemble(recipe_with(**data, longest_sequence=3), table)
    with pytest.raises(
        DataError, match=r"data\.shared: there is no modelled column 'sexx'; did you mean 'sex'"
    ):
        assemble(recipe_with(**data, longest_sequence=3, shared=["sexx"]), table)
    found = assemble(recipe_with(**data, longest_sequence=3, shared=["sex"]), table).schema.sequence
    assert found is not None
    assert (found.shared, found.most) == (("sex",), 3)


def test_the_schema_keeps_nothing_that_was_inferred() -> None:
    table = people(80).assign(
        age=[f"{age} years" for age in people(80)["age"]],
        ill=["yes", "no"] * 40,
        id=[f"A{n:04d}" for n in range(80)],
    )
    fields = FIELDS | {"id": {"type": "identifier", "fresh": True}}
    schema = assemble(recipe_with(fields=fields), table).schema
    assert schema["age"] == Field(name="age", type="integer", minimum=0, maximum=120, declared=True)
    assert schema["ill"] == Field(name="ill", type="boolean", declared=True)
    assert schema["dose"].nullable
    assert schema["dose"].missing == 0.0
    assert schema["id"].pattern == "99999999"


def test_one_record_more_changes_no_split_of_another_and_no_domain() -> None:
    table = people(150, seed=3)
    whole = assemble(recipe_with(), table)
    for left_out in (0, 40, 149):
        rest = assemble(recipe_with(), table.drop(index=left_out).reset_index(drop=True))
        assert rest.schema == whole.schema
        gone = 0
        for name, part in whole.splits.items():
            merged = part.merge(rest.splits[name].drop_duplicates(), how="left", indicator=True)
            gone += int((merged["_merge"] == "left_only").sum())
        assert gone == 1


def test_a_declared_boolean_does_not_depend_on_its_last_record() -> None:
    table = people(150).assign(ill=["no"] * 149 + ["yes"])
    whole, rest = assemble(recipe_with(), table), assemble(recipe_with(), table.head(149))
    assert rest.schema == whole.schema


def test_a_subject_is_in_one_split_wherever_the_others_are() -> None:
    table = people(300).assign(patient=[f"p{number // 3}" for number in range(300)])
    whole = assemble(recipe_with(subject="patient"), table).splits
    half = assemble(recipe_with(subject="patient"), table.iloc[:150]).splits
    subjects = {name: set(part["patient"]) for name, part in whole.items()}
    assert not subjects["train"] & (subjects["control"] | subjects["test"])
    assert all(set(half[name]["patient"]) <= subjects[name] for name in half)
    assert 0.6 < len(whole["train"]) / 300 < 0.8
    with pytest.raises(DataError, match=r"data\.subject: 'patient' has no cells"):
        assemble(recipe_with(subject="patient"), table.assign(patient=None))


def test_a_value_outside_a_declaration_is_an_error() -> None:
    with pytest.raises(DataError, match=r"data\.fields\.age\.maximum: 50 is below the largest value"):
        assemble(recipe_with(fields=FIELDS | {"age": FIELDS["age"] | {"maximum": 50}}), people(80))
    with pytest.raises(DataError, match=r"data\.fields\.dose\.nullable: \d+ training records have no value"):
        assemble(recipe_with(fields=FIELDS | {"dose": FIELDS["dose"] | {"nullable": False}}), people(80))
    with pytest.raises(DataError, match="privacy: no training record has a value of 'dose'"):
        assemble(recipe_with(), people(80).assign(dose=None))


def test_privacy_changes_the_digest_of_the_records() -> None:
    assert records_digest(recipe_with()) != records_digest(private_recipe(Path("model"), privacy=None))


def test_a_private_draft_declares_everything_and_warns_that_it_was_inferred(tmp_path: Path) -> None:
    table = people(120).assign(
        note=[f"seen by day {number}, doing well, back in {number} days" for number in range(120)]
    )
    table.assign(empty=None, id=range(120)).to_csv(tmp_path / "people.csv", index=False)
    lines = write_draft(
        source=str(tmp_path / "people.csv"), out=tmp_path / "recipe.yaml", target="ill", private=True
    )
    assert any("an expert of the domain has to confirm it" in line for line in lines)
    assert "READ FROM THE RECORDS" in (tmp_path / "recipe.yaml").read_text()
    loaded = load_recipe(tmp_path / "recipe.yaml")
    assert loaded.privacy is not None
    assert set(loaded.data.drop) == {"empty", "id"}
    prepared = assemble(loaded, pd.read_csv(tmp_path / "people.csv", dtype=str))
    assert all(field.declared for field in prepared.schema)
    made = draft(
        source=str(tmp_path / "people.csv"), out=tmp_path / "recipe.yaml", target="ill", private=True
    )
    (tmp_path / "dumped.yaml").write_text(dump_recipe(made.recipe))
    assert load_recipe(tmp_path / "dumped.yaml") == loaded


def drafted(folder: Path, table: pd.DataFrame) -> tuple[Recipe, list[str]]:
    """Return the recipe that `paracosm init --private` writes, and its lines for the terminal."""
    table.to_csv(folder / "table.csv", index=False)
    lines = write_draft(source=str(folder / "table.csv"), out=folder / "recipe.yaml", private=True)
    return load_recipe(folder / "recipe.yaml"), lines


def test_a_private_draft_covers_every_row_because_any_may_train(tmp_path: Path) -> None:
    table = people(60).assign(
        ward=["rare" + str(row) if row % 12 == 0 else "north" for row in range(60)],
        score=[str(9999 if row == 7 else row) for row in range(60)],
        note=[None if row % 13 == 0 else "pq"[row % 2] for row in range(60)],
    )
    loaded, _ = drafted(tmp_path, table)
    prepared = assemble(loaded, pd.read_csv(tmp_path / "table.csv", dtype=str))
    assert prepared.facts["outside_training_domain"] == {"control": 0, "test": 0}
    assert loaded.data.fields["ward"].categories == ["north", *(f"rare{row}" for row in (0, 12, 24, 36, 48))]


def test_a_private_draft_leaves_out_what_no_training_record_has(tmp_path: Path) -> None:
    for row in range(30):
        table = people(60).assign(seldom=["here" if at == row else None for at in range(60)])
        (tmp_path / "recipe.yaml").unlink(missing_ok=True)
        loaded, lines = drafted(tmp_path, table)
        said = "warning: column 'seldom': is missing in all training records; left out" in lines
        assert said == ("seldom" in loaded.data.drop) == ("seldom" not in loaded.data.fields)
        assemble(loaded, pd.read_csv(tmp_path / "table.csv", dtype=str))
        if said:
            return
    raise AssertionError("every row trains")


def test_a_private_draft_declares_full_precision_in_fixed_point(tmp_path: Path) -> None:
    draw = random.Random(0)
    table = people(60).assign(
        share=[draw.random() for _ in range(60)],
        tiny=[f"{draw.randrange(10, 99) / 10}e-09" for _ in range(60)],
        spread=[f"{draw.randrange(10, 99) / 10}e-{2 if row % 6 else 20}" for row in range(60)],
    )
    loaded, lines = drafted(tmp_path, table)
    fields = loaded.data.fields
    assert [fields[name].decimals for name in ("share", "tiny", "spread")] == [12, 10, 12]
    assert [line.partition(": ")[2] for line in lines if line.startswith("warning: column")] == [
        "column 'share': is declared with 12 decimals, because private training does not support scientific numbers; values are rounded",
        "column 'spread': is declared with 12 decimals, because private training does not support scientific numbers; values are rounded;"
        " 10 values become 0",
    ]
    train = assemble(loaded, pd.read_csv(tmp_path / "table.csv", dtype=str)).splits["train"]
    assert train["share"].isin([round(share, 12) for share in table["share"]]).all()
    assert (train["tiny"] > 0).all()


@pytest.mark.parametrize("cell", ["{}.5e-30", "{}.5e+30"])
def test_magnitudes_that_fit_no_fixed_point_are_left_out_of_a_private_draft(
    tmp_path: Path, cell: str
) -> None:
    cells = [cell.format(row % 9 + 1) for row in range(60)]
    loaded, lines = drafted(tmp_path, people(60).assign(far=cells))
    assert "far" in loaded.data.drop
    assert any("column 'far': its magnitudes do not fit 15 digits" in line for line in lines)
    with pytest.raises(DataError, match=r"^column 'far': its magnitudes do not fit 15 digits.*another unit$"):
        draft(source=str(tmp_path / "table.csv"), out=tmp_path / "a.yaml", target="far", private=True)
    (tmp_path / "recipe.yaml").unlink()
    with pytest.raises(DataError, match="no column is left to model: column 'far': its magnitudes"):
        drafted(tmp_path, pd.DataFrame({"far": cells, "farther": cells}))
