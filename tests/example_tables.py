"""Small synthetic tables with known dependencies between columns, used by the tests."""

from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.records.schema.schema import Field, Schema

FINDINGS = (
    "cough",
    "fever",
    "back pain",
    "dizziness",
    "nausea",
    "a rash",
    "headache",
    "palpitations",
    "fatigue",
    "wheezing",
)
BODY_PARTS = (
    "the left knee",
    "the right hip",
    "the lower back",
    "the neck",
    "the chest",
    "both hands",
    "the jaw",
    "one ankle",
)
DRUGS = (
    "ibuprofen",
    "metformin",
    "lisinopril",
    "amoxicillin",
    "prednisone",
    "omeprazole",
    "sertraline",
    "warfarin",
)
JOBS = ("teacher", "driver", "nurse", "farmer", "clerk", "baker", "welder", "student", "pilot", "gardener")
SENTENCES = (
    "The patient is a {job} who reports {finding} for {days} days.",
    "Pain sits in {place} and is worse after {hours} hours of work.",
    "There was {finding} last spring, which went away on {drug}.",
    "Takes {drug} {days} mg in the morning and {drug2} at night.",
    "Denies {finding} and {finding2}, sleeps about {hours} hours.",
    "On examination {place} is tender, pulse {pulse}, otherwise unremarkable.",
    "We agreed to stop {drug} and to come back in {days} days.",
    "Family history of {finding2}; works as a {job} with little rest.",
    "Blood pressure {pulse} over {days}, temperature normal, lungs clear.",
    "Will try {drug2} for {days} days and call if {finding} returns.",
)


def notes(rows: int, seed: int) -> list[str]:
    """Return `rows` short clinical notes, composed from templates; duplicates are very unlikely."""
    random = np.random.default_rng(seed)

    def note() -> str:
        chosen = random.permutation(len(SENTENCES))[: random.integers(4, 7)]
        words = {
            "job": random.choice(JOBS),
            "place": random.choice(BODY_PARTS),
            "days": random.integers(2, 99),
            "hours": random.integers(1, 12),
            "pulse": random.integers(55, 150),
        }
        pairs = {
            name: random.choice(words_of_kind)
            for name, words_of_kind in (
                ("finding", FINDINGS),
                ("finding2", FINDINGS),
                ("drug", DRUGS),
                ("drug2", DRUGS),
            )
        }
        return " ".join(SENTENCES[number].format(**words, **pairs) for number in chosen)

    return [note() for _ in range(rows)]


def patients(rows: int, seed: int) -> pd.DataFrame:
    """Return `rows` rows of five related columns of mixed type, with missing cells."""
    random = np.random.default_rng(seed)
    age = random.normal(55, 12, rows).round().clip(20, 90)
    pressure = (80 + 0.8 * age + random.normal(0, 8, rows)).round(1)
    sex = np.where(random.random(rows) < 0.5, "female", "male")
    ill = random.random(rows) < 1 / (1 + np.exp(-(age - 55) / 6 - (sex == "male") + 0.5))
    stage = np.where(ill, random.choice(["II", "III"], rows), random.choice(["none", "I"], rows))
    table = pd.DataFrame({"age": age, "pressure": pressure, "sex": sex, "stage": stage, "ill": ill}).astype(
        {"age": "Int64", "pressure": "Float64", "sex": "string", "stage": "string", "ill": "boolean"}
    )
    table.loc[random.random(rows) < 0.1, "pressure"] = pd.NA
    return table


PATIENT_FIELDS = (
    Field(name="age", type="integer", minimum=20, maximum=90),
    Field(name="pressure", type="number", minimum=0.0, maximum=300.0, decimals=1, nullable=True),
    Field(name="sex", type="category", categories=("female", "male")),
    Field(name="stage", type="category", categories=("I", "II", "III", "none")),
    Field(name="ill", type="boolean"),
)
NOTE_FIELD = Field(name="note", type="text", max_length=2000)
PATIENTS = Schema(PATIENT_FIELDS)
NOTES = Schema((NOTE_FIELD,))
HYBRID = Schema((*PATIENT_FIELDS, NOTE_FIELD))


def example(kind: str, rows: int, seed: int) -> tuple[pd.DataFrame, Schema]:
    """Return a `structured`, `text` or `hybrid` table and its schema."""
    if kind == "structured":
        return patients(rows, seed), PATIENTS
    text = pd.DataFrame({"note": pd.Series(notes(rows, seed), dtype="string")})
    return (text, NOTES) if kind == "text" else (pd.concat([patients(rows, seed), text], axis=1), HYBRID)


def typed_numbers(frame: pd.DataFrame) -> tuple[pd.DataFrame, Schema]:
    """Return a table of float columns as a typed table with its schema."""
    fields = tuple(
        Field(
            name=str(name),
            type="number",
            minimum=float(frame[name].min()),
            maximum=float(frame[name].max()),
            decimals=6,
        )
        for name in frame
    )
    return frame.rename(columns=str).astype("Float64").reset_index(drop=True), Schema(fields)


def write_people(path: Path, rows: int = 199) -> None:
    """Write a small CSV table of four columns; the last one depends on the first."""
    random = np.random.default_rng(0)
    lines = ["age,sex,dose,ill"]
    for _ in range(rows):
        age = int(random.integers(20, 90))
        ill = "yes" if random.random() * 90 < age else "no"
        lines.append(f"{age},{random.choice(['Male', 'Female'])},{random.random() * 4:.1f},{ill}")
    path.write_text("\n".join(lines) + "\n")
