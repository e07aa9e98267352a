"""Minted personal data: new for every record, the same in any order, consistent within a record, never of the source."""

import pytest

from paracosm.generate.minting import Minter
from paracosm.records.pii.keyed_random import value_hash
from paracosm.records.schema.schema import Field, Schema

pytest.importorskip("faker")

SCHEMA = Schema(
    (
        Field(name="sex", type="category", categories=("m", "w")),
        Field(name="Vorname", type="identifier", fresh=True, personal="name.given", pattern="Given"),
        Field(name="Name", type="identifier", fresh=True, personal="name.family", pattern="FAMILY"),
        Field(name="Mutter", type="identifier", fresh=True, personal="name.full", pattern="Family, Given"),
        Field(name="mail", type="identifier", fresh=True, personal="email", missing=0.5),
        Field(
            name="iban",
            type="identifier",
            fresh=True,
            personal="bank_account",
            pattern="DE9\\9 9999 9999 9999 9999 99",
        ),
        Field(name="phone", type="identifier", fresh=True, personal="phone", pattern="(999) 999-9999"),
    )
)


def _all(minter: Minter, numbers: range) -> dict[int, dict[str, object]]:
    return {number: dict(minter.add_to({"sex": "w"}, number, {"sex": "w"})) for number in numbers}


def test_values_depend_on_the_number_alone() -> None:
    forth = _all(Minter(SCHEMA, 7, "de"), range(30))
    assert _all(Minter(SCHEMA, 7, "de"), range(29, -1, -1)) == forth
    assert _all(Minter(SCHEMA, 8, "de"), range(30)) != forth


def test_a_record_is_about_one_person_in_the_notation_of_the_source() -> None:
    minter = Minter(SCHEMA, 1, "de")
    records = list(_all(minter, range(60)).values())
    for record in records:
        assert str(record["Name"]).isupper()
        assert ", " in str(record["Mutter"])
        assert str(record["iban"])[:2] == "DE"
        assert str(record["phone"])[0] == "("
        if record["mail"] is not None:
            assert str(record["mail"]).partition("@")[2].startswith("example.")
    assert 15 < sum(record["mail"] is None for record in records) < 45
    assert len({record["iban"] for record in records}) == 60


def test_values_of_the_source_are_never_minted_even_where_nearly_all_names_are_in_it() -> None:
    from paracosm.records.pii.lexicon.name_lists import name_lists

    real = [name.upper() for name in name_lists("de").family]
    hashes = {"Name": {value_hash(b"key", "Name", name) for name in real}}
    minter = Minter(SCHEMA, 1, "de", hashes=hashes, key=b"key")
    names = {str(record["Name"]) for record in _all(minter, range(5)).values()}
    assert len(names) >= 4
    assert not names & set(real)
