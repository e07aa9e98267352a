"""Columns derived from texts: what they hold, what is refused, and that the splits and the domains have them."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from paracosm.foundation.errors import DataError, MissingExtraError, RecipeError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.records.assembly import assemble
from paracosm.records.features import sentiment as sentiment_module
from paracosm.records.features.entities import entity_counts
from paracosm.records.features.phrases import key_phrases, vocabulary
from paracosm.records.features.sentiment import sentiment

GOOD = "Dr Smith was kind and the chest pain is better, thank you."
BAD = "The nurse was rude and the back ache is terrible, a disaster."


def notes(rows: int = 60) -> pd.DataFrame:
    texts = [f"{GOOD if row % 2 else BAD} Visit {row}." for row in range(rows)]
    return pd.DataFrame({"age": [str(20 + row % 50) for row in range(rows)], "note": texts}).astype("string")


def recipe(**data: Any) -> Recipe:
    features = {"note": ["phrases", "sentiment"]}
    return Recipe.model_validate({"name": "x", "data": {"source": "notes.csv", "features": features} | data})


def test_derived_columns_stand_before_their_text_and_are_in_every_split() -> None:
    prepared = assemble(recipe(fields={"note": {"type": "text"}}), notes())
    names = [field.name for field in prepared.schema]
    assert names == ["age", "note.sentiment", "note.phrases", "note"]
    field = prepared.schema["note.sentiment"]
    assert (field.type, field.decimals) == ("number", 2)
    for table in prepared.splits.values():
        good = table["note"].str.contains("kind")
        assert (table["note.sentiment"][good] > 0).all()
        assert (table["note.sentiment"][~good] < 0).all()
        assert set(table["note.phrases"][good].dropna()) <= {"chest pain", "better"}


def test_the_columns_of_a_missing_text_are_missing() -> None:
    raw = notes()
    raw.loc[3, "note"] = pd.NA
    prepared = assemble(recipe(), raw)
    table = pd.concat(prepared.splits.values())
    missing = table["note"].isna()
    assert missing.sum() == 1
    assert table["note.sentiment"].isna().equals(missing)


def test_sentiment_is_of_the_text_that_the_model_sees() -> None:
    raw = notes()
    raw["note"] = "It went fine. " * 3 + raw["note"]
    cut = assemble(recipe(longest_text=45), raw)
    table = pd.concat(cut.splits.values())
    assert table["note.sentiment"].tolist() == sentiment(table["note"].tolist(), None)


def test_phrases_are_those_that_enough_texts_share_and_hold_no_names() -> None:
    texts = [f"Maria Gonzalez has chest pain since day {row}." for row in range(8)]
    texts += [f"We saw Peter Jones about a knee injury, number {row}." for row in range(8)]
    texts += ["A rare duodenal polyp." for _ in range(4)]
    phrases = vocabulary(texts, 5)
    assert {"chest pain", "knee injury"} <= set(phrases)
    assert not any(re.search("maria|gonzalez|peter|jones|polyp", phrase) for phrase in phrases)
    found = key_phrases(["CHEST\n pain and more", "painful chest", ""], phrases)
    assert found == ["chest pain", None, None]
    assert vocabulary(["same words here"] * 9, 5) == []


@pytest.mark.parametrize("phrases", [["pain", "chest pain"], ["chest pain", "pain"]])
def test_the_longest_phrase_of_a_text_counts(phrases: list[str]) -> None:
    assert key_phrases(["pain first, then chest pain"], phrases) == ["chest pain"]


def test_entities_are_counted_by_type() -> None:
    pytest.importorskip("spacy")
    counts = entity_counts(["John Smith of Boston met Mary Jones in Chicago on March 3, 2021."], "en")[0]
    assert counts["PERSON"] == 2
    assert counts["GPE"] == 2
    with pytest.raises(DataError, match=r"data\.features: entities are found in en, .*'xx'"):
        entity_counts(["a"], "xx")


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (
            {"features": {"nte": ["sentiment"]}},
            "data.features: there is no column 'nte'; did you mean 'note'?",
        ),
        ({"fields": {"note": {"type": "category"}}}, "'note' is declared category"),
    ],
)
def test_a_column_that_has_no_texts_is_refused(data: dict[str, Any], message: str) -> None:
    with pytest.raises(DataError, match=re.escape(message)):
        assemble(recipe(**data), notes())


def test_a_name_that_is_taken_and_a_column_of_numbers_are_refused() -> None:
    taken = notes().assign(**{"note.sentiment": "1"})
    with pytest.raises(DataError, match=r"there is a column 'note\.sentiment' already"):
        assemble(recipe(), taken)
    numbers = pd.DataFrame({"note": np.arange(40), "b": "x"})
    with pytest.raises(DataError, match="holds int64 cells, not texts"):
        assemble(recipe(), numbers)


def test_an_unknown_feature_and_private_phrases_are_refused_with_their_line(tmp_path: Path) -> None:
    path = tmp_path / "recipe.yaml"
    path.write_text("name: x\ndata:\n  source: a.csv\n  features:\n    note: [sentimnt]\n")
    with pytest.raises(RecipeError, match=r"recipe\.yaml:5: .*sentimnt.*did you mean 'sentiment'"):
        load_recipe(path)
    path.write_text("name: x\ndata:\n  source: a.csv\n  features: {note: [phrases]}\nprivacy: {epsilon: 4}\n")
    with pytest.raises(RecipeError, match=r"data\.features\.note: phrases are chosen from all texts"):
        load_recipe(path)


def test_a_classifier_of_the_user_gives_the_sentiment(tmp_path: Path) -> None:
    folder = tiny_classifier(tmp_path / "classifier", {0: "negative", 1: "neutral", 2: "positive"})
    scores = sentiment([GOOD, BAD, "x" * 50_000], str(folder))
    assert all(-1 <= score <= 1 for score in scores)
    assert len(set(scores)) > 1
    other = tiny_classifier(tmp_path / "topics", {0: "sport", 1: "news", 2: "positive"})
    with pytest.raises(DataError, match="has the classes sport, news, positive; it needs one that begins"):
        sentiment([GOOD], str(other))


def test_a_classifier_that_cannot_be_loaded_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(DataError) as caught:
        sentiment([GOOD], "nobody/no-such-classifier")
    assert "\n" not in str(caught.value)
    assert "data.sentiment_model: 'nobody/no-such-classifier' cannot be loaded" in str(caught.value)


def test_without_vader_the_message_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(__import__("sys").modules, "vaderSentiment.vaderSentiment", None)
    sentiment_module._vader.cache_clear()
    try:
        with pytest.raises(MissingExtraError, match=r"paracosm\[features\]"):
            sentiment([GOOD], None)
    finally:
        sentiment_module._vader.cache_clear()


def tiny_classifier(folder: Path, labels: dict[int, str]) -> Path:
    """Write a text classifier with random weights that tells texts apart."""
    import torch
    from transformers import BertConfig, BertForSequenceClassification, BertTokenizerFast

    torch.manual_seed(0)
    folder.mkdir(parents=True)
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]", *"abcdefghijklmnopqrstuvwxyz", "kind", "rude"]
    (folder / "vocab.txt").write_text("\n".join(words), encoding="utf-8")
    config = BertConfig(
        vocab_size=len(words),
        hidden_size=16,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=16,
        max_position_embeddings=64,
        num_labels=len(labels),
        id2label=labels,
        label2id={label: number for number, label in labels.items()},
        initializer_range=2.0,
    )
    BertForSequenceClassification(config).save_pretrained(folder)
    BertTokenizerFast(str(folder / "vocab.txt"), model_max_length=64).save_pretrained(folder)
    return folder
