"""Personal data before training: found, replaced consistently, left out, counted; nothing is sent."""

import re
import socket
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.pii import detectors, patterns
from paracosm.records.pii.check_digits import iban_is_valid, luhn_is_valid, nhs_is_valid
from paracosm.records.pii.date_shifting import DateShifter
from paracosm.records.pii.protect import Protected, protect
from paracosm.records.pii.pseudonyms import Pseudonyms, canonical

SALT = b"k" * 32
WARD = (
    "The patient came with a cough and left the ward after {} days, feeling better, to come back in {} weeks."
)


def clinic() -> pd.DataFrame:
    """Return three told records of two subjects and forty plain ones."""
    columns = ["patient_id", "name", "sex", "dob", "phone", "email", "doctor_name", "admitted", "age", "note"]
    john = [
        "P10001",
        "Smith, John",
        "m",
        "03/14/1950",
        "(415) 555-2671",
        "john.smith@acme.com",
        "Dr. Anna Brown",
    ]
    rows = [
        [
            *john,
            "2021-03-01",
            "93",
            "Mr. Smith (MRN P10001, born 3/14/1950) was admitted on March 1, 2021 by Dr. Brown. John lives at 12 Main St,"
            " Boston. Call 415-555-2671 or john.smith@acme.com. J. Smith is a 93-year-old.",
        ],
        [*john, "2021-04-01", "93", "JOHN SMITH returned on 04/01/2021. smith said hello to dr. brown."],
        [
            *[
                "P10002",
                "Smith, Jane",
                "f",
                "12/01/1962",
                "(415) 555-2699",
                "jane99@acme.com",
                "Dr. Anna Brown",
            ],
            "2021-03-02",
            "59",
            "Jane Smith's visit of 2021-03-02 with Dr. Anna Brown. Lasix 40 mg, SSN 219-09-9999, BP 120/80, grade 3/6.",
        ],
    ]
    for row in range(40):
        born, phone = f"05/{row % 28 + 1:02d}/1970", f"(415) 555-{3000 + row}"
        plain = [
            f"P2{row:04d}",
            f"Walker, Bo{chr(97 + row % 26)}",
            "m",
            born,
            phone,
            f"b{row}@acme.com",
            "Dr. Carl Jones",
        ]
        rows.append([*plain, f"2021-05-{row % 28 + 1:02d}", "50", WARD.format(row + 3, row + 4)])
    return pd.DataFrame(rows, columns=columns, dtype="string")


def protected(raw: pd.DataFrame, pii: object, salt: bytes = SALT, **more: object) -> Protected:
    data = Data.model_validate({"source": "t.csv", "subject": "patient_id", "pii": pii, **more})
    return protect(raw, infer(raw, data).schema, data, salt=salt)


@pytest.fixture(scope="module")
def replaced() -> Protected:
    return protected(clinic(), {"action": "replace", "oldest_age": 89})


def test_a_subject_keeps_one_invented_name_in_every_column_text_and_record(replaced: Protected) -> None:
    new = replaced.raw
    family, given_name = new["name"][0].split(", ")
    assert new["name"][1] == new["name"][0] != "Smith, John"
    first, second = new["note"][0], new["note"][1]
    assert first.startswith(f"Mr. {family} (MRN {new['patient_id'][0]},")
    assert f" {given_name} lives at " in first
    assert f" {given_name[0]}. {family} is a 90-year-old." in first
    assert second.startswith(f"{given_name.upper()} {family.upper()} returned")
    assert f" {family.lower()} said hello to dr. " in second
    assert new["email"][0] in first
    assert new["email"][0].startswith(f"{given_name}.{family}@example.".lower())
    assert new["phone"][0][-8:] in first


def test_subjects_who_share_a_name_do_not_share_the_invented_one_and_staff_is_one_person(
    replaced: Protected,
) -> None:
    new = replaced.raw
    assert new["name"][0].split(", ")[0] != new["name"][2].split(", ")[0]
    assert new["doctor_name"][0] == new["doctor_name"][2] != "Dr. Anna Brown"
    doctor = new["doctor_name"][0]
    assert f"Dr. {doctor.split()[-1]}." in new["note"][0]
    assert doctor in new["note"][2]


def test_all_dates_of_a_subject_move_by_the_same_days_in_the_same_notation(replaced: Protected) -> None:
    old, new = clinic(), replaced.raw
    for row in range(len(old)):
        moved = [
            pd.to_datetime(new[column][row], format=form) - pd.to_datetime(old[column][row], format=form)
            for column, form in (("dob", "%m/%d/%Y"), ("admitted", "%Y-%m-%d"))
        ]
        assert moved[0] == moved[1]
        assert moved[0].days % 7 == 0 != moved[0].days
    days = pd.to_datetime(new["admitted"][0]) - pd.to_datetime("2021-03-01")
    told = re.search(r"admitted on (\w+ \d+, \d{4}) by", new["note"][0])
    assert told is not None
    assert pd.to_datetime(told[1]) - pd.to_datetime("2021-03-01") == days
    back = re.search(r"returned on (\d\d/\d\d/\d{4})\.", new["note"][1])
    assert back is not None
    assert pd.to_datetime(back[1], format="%m/%d/%Y") - pd.to_datetime("2021-04-01") == days


def test_text_without_personal_data_stays(replaced: Protected) -> None:
    old, new = clinic(), replaced.raw
    assert "Lasix 40 mg" in new["note"][2]
    assert "BP 120/80, grade 3/6." in new["note"][2]
    assert new["note"][3:].tolist() == old["note"][3:].tolist()
    assert new["sex"].tolist() == old["sex"].tolist()
    assert new["age"].tolist() == ["90", "90", *old["age"][2:]]


def test_no_identifier_remains_and_subjects_stay_distinct(replaced: Protected) -> None:
    old, new = clinic(), replaced.raw
    everything = "\n".join(new.astype(str).to_numpy().ravel())
    for column in ("patient_id", "phone", "email"):
        assert not any(cell in everything for cell in old[column])
        assert new[column].nunique() == old[column].nunique()
    assert "219-09-9999" not in everything
    assert all(re.fullmatch(r"P\d{5}", cell) for cell in new["patient_id"])
    assert all(re.fullmatch(r"\(\d{3}\) 555-01\d\d", cell) for cell in new["phone"])


def test_one_key_gives_the_same_table_and_another_key_another_one(replaced: Protected) -> None:
    asked = {"action": "replace", "oldest_age": 89}
    assert protected(clinic(), asked).raw.equals(replaced.raw)
    other = protected(clinic(), asked, salt=b"l" * 32).raw
    assert (other["name"] != replaced.raw["name"]).mean() > 0.9


def test_the_summary_counts_and_quotes_nothing(replaced: Protected) -> None:
    facts = replaced.facts
    assert {each["column"]: each["kind"] for each in facts["columns"]} == {
        "patient_id": "record_id",
        "name": "name",
        "dob": "date",
        "phone": "phone",
        "email": "email",
        "doctor_name": "name",
        "admitted": "date",
        "age": "age",
    }
    assert facts["texts"]["note"]["national_id"] == 1
    assert facts["subjects"] == 42
    assert not re.search("Smith|Jane|10001|2671|Boston", str(facts))


def test_dropping_leaves_columns_out_and_masks_texts() -> None:
    found = protected(clinic(), "drop")
    assert set(found.left_out) == {"name", "dob", "phone", "email", "doctor_name", "admitted"}
    assert found.raw["note"][1] == "[NAME] returned on [DATE]. [NAME] said hello to dr. [NAME]."
    # Without it nobody could tell whose records belong together.
    assert found.raw["patient_id"][0] == found.raw["patient_id"][1] != "P10001"
    assert len(found.raw) == 43


def test_reporting_changes_nothing() -> None:
    raw = clinic()
    found = protected(raw, "report")
    assert found.raw.equals(raw)
    assert found.facts["texts"]["note"]["name"] >= 8


def test_kept_columns_and_unrequested_kinds_stay() -> None:
    found = protected(
        clinic(), {"action": "replace", "keep": ["doctor_name"], "entities": ["name", "phone"]}
    ).raw
    old = clinic()
    for column in ("doctor_name", "dob", "admitted", "email", "patient_id"):
        assert found[column].tolist() == old[column].tolist()
    assert "March 1, 2021" in found["note"][0]
    assert found["name"][0] != old["name"][0]


def test_without_a_declared_subject_an_identifier_or_a_name_identifies_it() -> None:
    raw = clinic().drop(columns="patient_id")
    data = Data.model_validate({"source": "t.csv", "pii": "replace"})
    new = protect(raw, infer(raw, data).schema, data, salt=SALT)
    assert new.facts["subjects_by"] == "name"
    assert new.raw["name"][0] == new.raw["name"][1]


@pytest.mark.parametrize(
    ("pii", "says"),
    [
        (
            {"action": "replace", "keep": ["nmae"]},
            "data.pii.keep: there is no column 'nmae'; did you mean 'name'?",
        ),
        ({"action": "replace", "columns": {"fone": "phone"}}, "data.pii.columns: there is no column 'fone'"),
        (
            {"action": "drop", "keep": ["name"], "columns": {"name": "name"}},
            "data.pii.columns: the column 'name' is also in data.pii.keep",
        ),
    ],
)
def test_a_wrong_column_gets_one_line(pii: dict[str, object], says: str) -> None:
    with pytest.raises(DataError, match=re.escape(says)):
        protected(clinic(), pii)


def test_declared_categories_of_a_replaced_column_are_refused() -> None:
    with pytest.raises(
        DataError, match=r"data\.fields\.doctor_name\.categories: lists values that data\.pii replaces"
    ):
        protected(
            clinic(),
            "replace",
            fields={"doctor_name": {"categories": ["Dr. Anna Brown", "Dr. Carl Jones"]}},
        )


def test_a_missing_extra_is_one_line_that_names_it(monkeypatch: pytest.MonkeyPatch) -> None:
    found = detectors.importlib.util.find_spec
    monkeypatch.setattr(
        detectors.importlib.util,
        "find_spec",
        lambda name: None if name == "presidio_analyzer" else found(name),
    )
    with pytest.raises(DataError, match=re.escape('install it with: pip install "paracosm[pii]"')):
        protected(clinic(), "report")


def test_nothing_is_sent(monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object, **__: object) -> None:
        raise AssertionError("somebody opened a connection")

    for name in ("connect", "connect_ex", "sendto"):
        monkeypatch.setattr(socket.socket, name, refused)
    monkeypatch.setattr(socket, "getaddrinfo", refused)
    patterns._recognizers.cache_clear()
    detectors._pipeline.cache_clear()
    texts = [
        "Write to ann@web.de or see www.nowhere.org, Dr. Lee in Boston, +44 20 7946 0958, 4111 1111 1111 1111."
    ]
    kinds = ["name", "email", "url", "phone", "card", "place"]
    assert {span.kind for span in detectors.find_spans(texts, language="en", kinds=kinds)[0]} == set(kinds)


@pytest.mark.parametrize(
    ("kind", "text", "is_right"),
    [
        ("card", "4111 1111 1111 1111", lambda new: luhn_is_valid(new.replace(" ", ""))),
        ("bank_account", "GB82 WEST 1234 5698 7654 32", iban_is_valid),
        ("national_id", "943 476 5919", lambda new: nhs_is_valid(new.replace(" ", ""))),
        ("national_id", "219-09-9999", lambda new: re.fullmatch(r"9\d\d-\d\d-\d{4}", new)),
        ("ip", "10.1.2.3", lambda new: re.fullmatch(r"198\.1[89](\.\d{1,3}){2}", new)),
        ("phone", "+44 20 7946 0958", lambda new: re.fullmatch(r"\+44 \d\d \d{4} \d{4}", new)),
        ("phone", "415.555.2671 x12", lambda new: re.fullmatch(r"\d{3}\.555\.01\d\d x\d\d", new)),
        ("record_id", "VA-049", lambda new: re.fullmatch(r"VA-\d{3}", new)),
        ("url", "https://clinic.org/ann", lambda new: new.startswith("https://www.example.")),
    ],
)
def test_invented_values_keep_notation_and_check_digits(kind, text, is_right) -> None:
    new = Pseudonyms(SALT, "en", {}).identifier(kind, text)
    assert new != text
    assert is_right(new)


@settings(max_examples=60, deadline=None)
@given(
    st.sets(st.from_regex(r"[A-Z]{0,2}-?[0-9]{1,5}", fullmatch=True), min_size=1, max_size=40),
    st.sampled_from(["record_id", "phone", "national_id", "card"]),
)
def test_no_real_identifier_is_ever_invented_and_none_is_shared(values: set[str], kind: str) -> None:
    taken = {canonical(kind, value) for value in values}
    invented = Pseudonyms(SALT, "en", {kind: taken})
    new = {
        real: canonical(kind, invented.identifier(kind, value))
        for value in values
        if (real := canonical(kind, value))
    }
    assert not taken & set(new.values())
    assert len(set(new.values())) == len(new)


@settings(max_examples=60, deadline=None)
@given(
    st.dates(min_value=pd.Timestamp("1930-01-01").date(), max_value=pd.Timestamp("2060-01-01").date()),
    st.sampled_from(["%m/%d/%Y", "%Y-%m-%d", "%B %d, %Y", "%d %b %Y", "%Y/%m/%d"]),
    st.integers(-364, 364),
)
def test_a_date_in_a_text_moves_by_the_days(day, form: str, days: int) -> None:
    text, writing = f"Seen on {day.strftime(form)} at noon", DateShifter("en")
    (found,) = writing.find(text)
    # May is its own abbreviation, so what follows it is written out.
    form = form.replace("%b", "%B") if day.month == 5 else form
    moved = pd.to_datetime(writing.shifted(found, days), format=form)
    assert (moved.date() - day).days == days


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["Martha", "Kwame", "Ingrid", "Pedro"]),
            st.sampled_from(["Okafor", "Lindqvist", "Suarez"]),
        ),
        min_size=10,
        max_size=14,
    )
)
def test_no_name_of_a_subject_remains_in_its_record(names: list[tuple[str, str]]) -> None:
    raw = pd.DataFrame(
        {
            "patient": [f"{one} {other}" for one, other in names],
            "note": [
                f"{WARD.format(row + 3, row + 5)} {one} {other} slept; {other}, {one} ate. Mrs. {other} and {one.lower()} left."
                for row, (one, other) in enumerate(names)
            ],
        },
        dtype="string",
    )
    data = Data.model_validate(
        {"source": "t.csv", "pii": {"action": "replace", "columns": {"patient": "name"}}}
    )
    new = protect(raw, infer(raw, data).schema, data, salt=SALT).raw
    for row, (one, other) in enumerate(names):
        record = f"{new['patient'][row]} {new['note'][row]}"
        assert not re.search(rf"\b(?:{one}|{other})\b", record, re.IGNORECASE)
        assert new["patient"][row] in new["note"][row]


def test_the_key_is_the_only_secret_that_the_run_keeps(tmp_path: Path) -> None:
    from paracosm.recipes.recipe import Recipe
    from paracosm.recipes.run.directory import Run
    from paracosm.records.stage import prepare

    clinic().to_csv(tmp_path / "t.csv", index=False)
    recipe = Recipe.model_validate(
        {"name": "clinic", "data": {"source": "t.csv", "subject": "patient_id", "pii": "replace"}}
    )
    run = Run.create(tmp_path / "run")
    assert prepare(recipe=recipe, run=run, root=tmp_path)
    assert run.pii_key.stat().st_mode & 0o777 == 0o600
    before = {path.name: path.read_bytes() for path in run.splits.iterdir()}
    for path in run.splits.iterdir():
        path.unlink()
    assert prepare(recipe=recipe, run=run, root=tmp_path)
    assert {path.name: path.read_bytes() for path in run.splits.iterdir()} == before
    told = b"".join(
        path.read_bytes() for path in run.root.rglob("*") if path.is_file() and path.suffix != ".parquet"
    )
    tables = "".join(str(pd.read_parquet(path).to_numpy().ravel()) for path in run.splits.glob("*.parquet"))
    for secret in ("john.smith@acme", "P10001", "Dr. Anna Brown"):
        assert secret.encode() not in told
        assert secret not in tables


def test_copies_stay_in_one_split_although_their_names_differ_after_replacement(tmp_path: Path) -> None:
    from paracosm.recipes.recipe import Recipe
    from paracosm.records.assembly import assemble

    raw = clinic()[3:].drop(columns=["patient_id", "email", "name", "phone"])
    twice = pd.concat([raw, raw], ignore_index=True)
    plain = assemble(Recipe.model_validate({"name": "c", "data": {"source": "t.csv"}}), twice)
    new = assemble(Recipe.model_validate({"name": "c", "data": {"source": "t.csv", "pii": "replace"}}), twice)
    assert new.facts["groups"] == plain.facts["groups"]
    assert new.facts["exact_duplicates"] == plain.facts["exact_duplicates"]
    assert new.facts["rows"] == plain.facts["rows"]
