"""Questions over records: answers are passages of their contexts, and what cannot be answered is not there."""

import json
import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracosm.foundation.errors import DataError
from paracosm.generate.questions.asking import Question, ask, is_valid
from paracosm.generate.questions.exports import UNKNOWN, write_questions
from paracosm.generate.questions.of_table import questions_of
from paracosm.generate.questions.passages import passages
from paracosm.generate.questions.phrasing import spoken
from paracosm.generate.questions.rewording import objection
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.pii.detectors import ner_model
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.sources.read_source import read_source

SCHEMA = Schema(
    (
        Field(name="age", type="integer", minimum=0, maximum=99),
        Field(name="blood_type", type="category", categories=("A", "B")),
        Field(name="smoker", type="boolean"),
        Field(name="note", type="text", max_length=500),
    )
)
CELL = st.one_of(st.none(), st.text(min_size=1, max_size=12))


@given(
    age=CELL,
    blood=CELL,
    smoker=CELL,
    note=st.one_of(st.none(), st.text(max_size=80)),
    seed=st.integers(0, 999),
)
def test_an_answer_is_a_passage_and_an_unanswerable_one_is_absent(age, blood, smoker, note, seed) -> None:
    cells = {"age": age, "blood_type": blood, "smoker": smoker, "note": note}
    made = (
        ask(
            0,
            cells,
            SCHEMA,
            most=4,
            unanswerable=0.5,
            random=np.random.default_rng(seed),
            entities={"note": [("x", "PERSON")]},
        )
        if "x" in (note or "")
        else ask(0, cells, SCHEMA, most=4, unanswerable=0.5, random=np.random.default_rng(seed))
    )
    assert len(made) <= 4
    for question in made:
        assert is_valid(question)
        if question.answer is None:
            assert not re.search(
                rf"^{re.escape(spoken(question.about))}: ", question.context.split("\n\n")[0], re.M
            )
        elif question.about != "note":
            assert question.answer == cells[question.about]


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {
            "age": [f"{20 + row}" for row in range(30)],
            "cause": ["fall", "burn", "bite"] * 10,
            "note": [
                f"Mr. Miller came to Boston after {20 + row} years of work on {row + 30} ships."
                for row in range(30)
            ],
        }
    ).astype("string")


def test_questions_are_reproducible_varied_and_valid() -> None:
    raw = table()
    schema = infer(raw, Data(source="x")).schema
    schema = Schema(
        tuple(
            Field(name=field.name, type="text", max_length=200) if field.name == "note" else field
            for field in schema
        )
    )
    made = questions_of(raw, schema, per_record=5, unanswerable=0.3, seed=1)
    assert made == questions_of(raw, schema, per_record=5, unanswerable=0.3, seed=1)
    assert made != questions_of(raw, schema, per_record=5, unanswerable=0.3, seed=2)
    assert all(is_valid(each) for each in made)
    assert len({each.id for each in made}) == len(made)
    assert len({each.text for each in made}) > 10
    assert any(each.answer is None and each.about == "cause" for each in made)
    # The age stands in the text too, so that leaving out its line would not leave out the answer.
    assert all(each.answer is not None for each in made if each.about == "age")
    if ner_model("en") is not None:
        named = {each.answer for each in made if each.about == "note"}
        assert "Miller" in named
        # The recogniser is not sure of places and organisations.
        assert "Boston" not in named


def test_what_a_text_may_tell_is_not_asked_as_unanswerable() -> None:
    told = {"age": "60.0", "blood_type": "A", "smoker": "Yes", "note": "He is a 60-year-old smoker."}
    for seed in range(20):
        made = ask(0, told, SCHEMA, most=4, unanswerable=1.0, random=np.random.default_rng(seed))
        assert "age" not in {each.about for each in made if each.answer is None}
    sexes = Schema((Field(name="sex", type="category", categories=("male", "female")), *SCHEMA.fields))
    made = ask(0, told | {"sex": "male"}, sexes, most=5, unanswerable=1.0, random=np.random.default_rng(0))
    assert "sex" not in {each.about for each in made if each.answer is None}


def question(text: str, about: str = "blood_type", kind: str = "word", answer: str | None = "A") -> Question:
    context = "age: 61\nblood type: A"
    start = -1 if answer is None else context.index(answer)
    return Question("record-0-0", context, text, answer, start, about, kind)


PLAIN = question("What is recorded under blood type?")


@pytest.mark.parametrize(
    ("plain", "wording", "against"),
    [
        (PLAIN, "Which blood type does this patient have?", None),
        (PLAIN, "Could you tell me what blood type is on file?", None),
        (PLAIN, "what is recorded under blood type ?", "the same words"),
        (PLAIN, "Is blood type the key to how love works?", "asks in another way than its answer is"),
        (PLAIN, "What is a blood type?", "asks for something else"),
        (PLAIN, "The blood type is recorded.", "not one question"),
        (PLAIN, "What is the blood type? What is the age?", "not one question"),
        (PLAIN, "Note: what is the blood type?", "not one question"),
        (PLAIN, "Which type of blood does the patient have?", "does not name its field"),
        (PLAIN, "What is not the blood type?", "a negation"),
        (PLAIN, "Why is there a blood type?", "asks in another way than its answer is"),
        (PLAIN, "What does blood type mean?", "asks for something else"),
        (PLAIN, "What are age and blood type?", "names another field"),
        (PLAIN, "What is the blood type, is it 17?", "tells a value"),
        (PLAIN, "What tells that A stands under blood type?", "tells a value"),
        (
            question("Who is named with a title in the note?", "note", "PERSON", None),
            "Who is named in the note?",
            "does not say which passage is meant",
        ),
    ],
)
def test_a_wording_that_may_ask_for_something_else_is_not_taken(
    plain: Question, wording: str, against: str | None
) -> None:
    assert objection(plain, wording, SCHEMA.names) == against


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("systolicBP_mmHg", "systolic bp mm hg"),
        ("blood_type", "blood type"),
        ("Timely response?", "timely response"),
        ("ID", "ID"),
    ],
)
def test_names_of_columns_are_spoken(name: str, words: str) -> None:
    assert spoken(name).lower() == words.lower()


@pytest.mark.parametrize("suffix", [".json", ".jsonl"])
def test_exports_load_back_through_the_sources(tmp_path: Path, suffix: str) -> None:
    raw = table()
    made = questions_of(raw, infer(raw, Data(source="x")).schema)
    path = tmp_path / f"questions{suffix}"
    write_questions(made, path)
    read = read_source(Data(source=str(path), nested="rows"), root=tmp_path)
    cells = {str(cell) for name in read for cell in read[name].dropna()}
    for question in made:
        assert any(question.text in cell for cell in cells)
        if question.answer is not None:
            assert any(question.answer in cell for cell in cells)
    if suffix == ".json":
        plain = json.loads(path.read_text(encoding="utf-8"))
        answers = [
            (paragraph["context"], answer)
            for paragraph in plain["data"][0]["paragraphs"]
            for question in paragraph["qas"]
            for answer in question["answers"]
        ]
        assert answers
        assert all(context[each["answer_start"] :].startswith(each["text"]) for context, each in answers)
        assert any(
            question["is_impossible"]
            for paragraph in plain["data"][0]["paragraphs"]
            for question in paragraph["qas"]
        )
    else:
        assert UNKNOWN in path.read_text(encoding="utf-8")


def test_another_suffix_is_refused(tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"\.json file \(SQuAD\) or a \.jsonl file"):
        write_questions([], tmp_path / "questions.csv")


@pytest.mark.parametrize(
    ("text", "passage", "label", "asked"),
    [
        ("She came on 3 May 2021 by bus.", "3 May 2021", "DATE", True),
        ("The cough began 2 weeks ago.", "2 weeks ago", "DATE", True),
        ("She came in 2019. The cough began in May.", "2019", "DATE", True),
        ("Write to me at 10552 please.", "10552", "DATE", False),
        ("He is a 22-year-old man.", "22-year-old", "DATE", False),
        ("The 14-month-old child slept.", "14-month-old", "DATE", False),
        ("Heart disease in his 40s.", "40s", "DATE", False),
        ("He came in 2019, and in 2021 again.", "2019", "DATE", False),
        ("Blood pressure is 125/75.", "125/75", "DATE", False),
        ("The period was 6/3/2009.", "6/3/2009", "DATE", True),
        ("Admitted in 07/2007.", "07/2007", "DATE", True),
        ("He paid {$600.00} at once.", "600.00", "MONEY", True),
        ("He paid $600 and then $700.", "600", "MONEY", False),
        ("He has lost 18 pounds.", "18 pounds", "MONEY", False),
        ("A fee of 200 % was charged.", "200 %", "PERCENT", True),
        ("Dr. Miller saw her.", "Miller", "PERSON", True),
        ("Dr. Miller and Mrs. Jones saw her.", "Miller", "PERSON", False),
    ],
)
def test_only_a_passage_that_is_surely_the_one_meant_is_asked(
    text: str, passage: str, label: str, asked: bool
) -> None:
    assert passages(text, [(passage, label)]) == ([(passage, label)] if asked else [])


def test_what_a_text_may_name_in_other_words_is_not_hidden() -> None:
    schema = Schema(
        (
            Field(name="firm", type="category", categories=("Acme Ltd.", "Bolt Inc.")),
            Field(name="zip", type="text", max_length=9),
            Field(name="note", type="text", max_length=200),
        )
    )
    cells = {"firm": "Acme Ltd.", "zip": "10552", "note": "The people at Zest Loans never answered."}
    for seed in range(20):
        made = ask(
            0,
            cells,
            schema,
            most=3,
            unanswerable=1.0,
            random=np.random.default_rng(seed),
            entities={"note": [("Zest Loans", "ORG")]},
            codes=["zip"],
            labels={"firm": "ORG"},
        )
        assert {each.about for each in made if each.answer is None} <= {"zip"}
        assert {each.answer for each in made if each.about == "firm"} <= {"Acme Ltd."}
