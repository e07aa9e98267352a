"""What `paracosm init` decides about persons in exports of a hospital, a bank and a shop."""

from pathlib import Path

import pytest
from daily_exports import AMERICAN, bank, hospital, shop

from paracosm.records.drafting import persons
from paracosm.records.drafting.recipe_template import Draft, draft
from paracosm.records.pii import columns

pytest.importorskip("faker")
pytest.importorskip("presidio_analyzer")


def _draft(source: Path) -> Draft:
    return draft(source=str(source), out=source.with_suffix(".yaml"))


def _minted(made: Draft) -> set[str]:
    return {field.name for field in made.prepared.schema if field.personal}


def test_a_hospital_export_has_a_subject_and_invented_persons(tmp_path: Path) -> None:
    made = _draft(hospital(tmp_path / "stays.csv"))
    assert made.recipe.data.subject == "Patientennr"
    assert made.recipe.data.pii is not None
    assert (made.recipe.data.pii.action, made.recipe.data.pii.language) == ("replace", "de")
    assert _minted(made) == {"Name", "Vorname", "Strasse", "Telefon", "Versichertennummer"}
    assert "pii: {action: replace, language: de}" in made.text
    assert any("data.sequence: Aufnahme" in line for line in made.persons.subject_lines)
    assert not {"Name", "Patientennr"} & set(made.recipe.data.drop)
    assert made.prepared.schema["Name"].personal == "name.family"


def test_a_bank_export_keeps_its_customer_and_mints_accounts(tmp_path: Path) -> None:
    made = _draft(bank(tmp_path / "bookings.csv"))
    assert made.recipe.data.subject == "customer_no"
    assert _minted(made) == {"Kontoinhaber", "IBAN"}
    assert "pii: replace" in made.text
    assert not any("'customer_no'" in line for line in made.prepared.warnings)


def test_a_shop_export_mints_customers_and_models_towns_and_brands(tmp_path: Path) -> None:
    made = _draft(shop(tmp_path / "orders.csv"))
    assert made.recipe.data.subject is None
    assert _minted(made) == {"Customer Email", "First Name", "Last Name", "Phone"}
    assert {"City", "State", "SKU", "Brand"} <= {field.name for field in made.prepared.schema.modelled}
    said = " ".join(made.persons.pii_lines)
    assert all(repr(name) in said for name in _minted(made))
    assert "data.pii.keep" in said


def test_without_the_extra_personal_columns_are_left_out_and_the_line_says_what_to_install(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persons, "missing_package", lambda: "faker")
    made = _draft(shop(tmp_path / "orders.csv"))
    assert made.recipe.data.pii is None
    assert {"Customer Email", "First Name", "Last Name", "Phone"} <= set(made.recipe.data.drop)
    assert 'pip install "paracosm[pii]"' in " ".join(made.persons.pii_lines)


def test_surnames_under_a_header_that_says_nothing_are_recognized_and_towns_are_not(tmp_path: Path) -> None:
    towns = "Austin Boston Chicago Dallas Denver Detroit Houston Memphis Miami Nashville Oakland Omaha Orlando Phoenix Portland Raleigh"
    cells = [*towns.split(), "Sacramento", "Seattle", "Tampa", "Tucson", "Tulsa", "Wichita"]
    path = tmp_path / "plain.csv"
    rows = [f"{AMERICAN[row % 30]},{cells[row % len(cells)]},{row % 7}" for row in range(300)]
    path.write_text("\n".join(["col7,col8,score", *rows]) + "\n")
    made = _draft(path)
    assert _minted(made) == {"col7"}
    assert any("recognized by its cells" in line for line in made.persons.pii_lines)


def test_two_keys_of_persons_are_not_decided(tmp_path: Path) -> None:
    path = tmp_path / "pairs.csv"
    rows = [f"{1000 + row % 60},{5000 + row * 7 % 45},{row % 9}" for row in range(300)]
    path.write_text("\n".join(["buyer_id,patient_id,score", *rows]) + "\n")
    made = _draft(path)
    assert made.recipe.data.subject is None
    (line,) = made.persons.subject_lines
    assert "'buyer_id', 'patient_id' repeat" in line
    assert "data.subject" in line


def test_without_lists_of_names_columns_called_name_are_left_out_by_the_form_of_their_cells(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(persons, "missing_package", lambda: "faker")
    monkeypatch.setattr(columns, "has_name_lists", lambda: False)
    people = [
        f"{given} {family}" for given in ("Anna", "Li", "Omar") for family in ("Meyer", "de Boer", "Haddad")
    ]
    rows = [f"{people[row % 9]},{'ABC'[row % 3]}-{row % 7},{row % 50}" for row in range(200)]
    source = tmp_path / "people.csv"
    source.write_text("\n".join(["name,model,age", *rows]) + "\n", encoding="utf-8")
    made = _draft(source)
    assert made.recipe.data.drop == ["name"]
    assert "'name'" in " ".join(made.persons.pii_lines)
    stays = _draft(hospital(tmp_path / "stays.csv"))
    assert {"Name", "Vorname"} <= set(stays.recipe.data.drop)
    assert "Station" not in stays.recipe.data.drop
