"""Augmentation of texts: the operations on real parses and a real masked model, and what they never change."""

import re
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paracosm.foundation.errors import DataError, MissingExtraError, RecipeError
from paracosm.foundation.progress import Step
from paracosm.generate.augmentation import augmented_table
from paracosm.generate.augmentation import wordnet as wordnet_module
from paracosm.generate.augmentation.augmented_table import augment_table, write_table
from paracosm.generate.augmentation.augmenter import Augmenter, parser
from paracosm.generate.augmentation.grammar.restructuring import Restructuring
from paracosm.generate.augmentation.protection import cell_words, keeps_facts
from paracosm.generate.augmentation.segments import MaskedSegments
from paracosm.generate.augmentation.synonyms import _with_words
from paracosm.generate.augmentation.variation import SentenceVariation
from paracosm.generate.augmentation.wordnet import WordNet, open_wordnet
from paracosm.recipes.sections.texts import Augment

spacy = pytest.importorskip("spacy")
NONE: frozenset[str] = frozenset()
NOTE = (
    "The nurse gave aspirin to Mr. Miller on Monday. He felt completely well after 3 days. The doctor was not worried, and the"
    " family was happy. The injuries were minor. He denies fever."
)


def random(seed: int = 0) -> np.random.Generator:
    return np.random.default_rng(seed)


def results(operation, text: str) -> set[str | None]:
    document = parser()(text)
    return {operation(document, NONE, random(seed)) for seed in range(12)}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The doctor examined the patient.", "The patient was examined by the doctor."),
        ("The wounds were cleaned by the nurses.", "The nurses cleaned the wounds."),
        ("He was treated by Dr. Smith in 2012.", "Dr. Smith treated him in 2012."),
        ("She left the hospital in May 2019.", "In May 2019, she left the hospital."),
        (
            "After the surgery was done, she developed a fever.",
            "She developed a fever after the surgery was done.",
        ),
    ],
)
def test_sentences_are_restructured(text: str, expected: str) -> None:
    assert expected in results(Restructuring(parser()), text)


@pytest.mark.parametrize(
    "text",
    [
        "Psychiatric issues include chronic depression.",
        "Status post stroke.",
        "The patient cannot recollect when he left.",
        "The patient does deny pain at night.",
        "The headache lasted 3 days.",
        "Tobacco history: smokes two packs of cigarettes.",
        "He had an assault in December 2009, which led to his detention.",
        "He plays with his father and with his mother in May.",
        "He took it.",
        "Is the doctor here?",
        "None.",
    ],
)
def test_what_has_no_other_form_stays(text: str) -> None:
    assert results(Restructuring(parser()), text) == {None}


def test_sentences_change_their_order_and_are_divided_and_joined() -> None:
    text = "The patient is married. The wound is clean. The ward was quiet and the staff was kind."
    found = results(SentenceVariation(), text)
    assert "The patient is married. The ward was quiet and the staff was kind. The wound is clean." in found
    assert "The patient is married. The wound is clean. The ward was quiet. The staff was kind." in found
    assert (
        "The patient is married, and the wound is clean. The ward was quiet and the staff was kind." in found
    )


@pytest.mark.parametrize("text", ["It rained. However, we went out.", "1. Aspirin. 2. Heparin.", "Hello", ""])
def test_sentences_that_depend_on_each_other_stay(text: str) -> None:
    assert results(SentenceVariation(), text) == {None}


def test_sentences_with_two_blanks_between_them_keep_both() -> None:
    text = "The ward was full.  The doctor was worried.  The family was happy.  The injuries were minor."
    found = {each for each in results(SentenceVariation(), text) if each is not None}
    assert any(
        ".  The family was happy.  The doctor" in each or ".  The injuries were minor.  The family" in each
        for each in found
    )
    assert not any(re.search(r"\.[A-Z]", each) for each in found)


def test_synonyms_are_words_of_one_sense_in_the_form_of_the_word() -> None:
    wordnet = open_wordnet()
    assert wordnet.synonyms("attorney", "n") == ["lawyer"]
    # Too many senses; mostly a verb; not in WordNet's texts.
    assert wordnet.synonyms("fall", "v") == []
    assert "hurt" not in wordnet.synonyms("injury", "n")
    assert "outlaw" not in wordnet.synonyms("illicit", "a")
    assert wordnet.synonyms("no-such-word", "n") == []
    augmenter = Augmenter(Augment(operations=["synonyms"], share=1.0, slack=20))
    note = "The attorneys decreased their tiredness."
    changed = augmenter.augment({"note": note}, "note", random()).text
    assert changed != note
    assert re.fullmatch(
        r"The (lawyer|attorney)s (lessened|diminished|decreased) their \w+", changed.rstrip(".")
    )
    # A word that the text has already would be said twice.
    twice = augmenter.augment({"note": "Attorneys and lawyers left."}, "note", random())
    assert "lawyers and lawyers" not in twice.text.casefold()


def test_files_with_the_line_ends_of_windows_give_the_same_words(tmp_path: Path) -> None:
    own = open_wordnet()
    for path in own.folder.glob("*.*"):
        if path.name.startswith(("index.", "data.")):
            plain = path.read_bytes().replace(b"\r\n", b"\n")
            (tmp_path / path.name).write_bytes(plain.replace(b"\n", b"\r\n"))
    for lemma in ("doctor", "injury", "pain"):
        assert WordNet(tmp_path).synonyms(lemma, "n") == own.synonyms(lemma, "n")


def test_a_missing_wordnet_is_one_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(RecipeError, match=r"generate\.augment\.wordnet: .*index\.noun"):
        open_wordnet(str(tmp_path))
    open_wordnet.cache_clear()
    monkeypatch.setattr(wordnet_module, "PLACES", ())
    monkeypatch.setattr(wordnet_module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(MissingExtraError, match=r"paracosm\[augment\]"):
        open_wordnet()
    open_wordnet.cache_clear()


def test_articles_follow_the_word() -> None:
    assert _with_words("A big injury, an old one", {2: (5, "enormous")}) == "An enormous injury, an old one"
    assert _with_words("an old one", {3: (6, "former")}) == "a former one"
    # The letters of `hour` do not tell its article, so those of another word do not either.
    assert _with_words("an hour", {3: (7, "minute")}) == "an minute"


@pytest.mark.parametrize("operations", [["restructuring", "variation", "synonyms"], ["segments"]])
def test_entities_numbers_negations_and_cells_stay(operations: list) -> None:
    augmenter = Augmenter(Augment(operations=operations, share=1.0, slack=5))
    record = {"drug": "Aspirin", "finding": "injuries", "note": NOTE}
    texts = {augmenter.augment(record, "note", random(seed)).text for seed in range(15)}
    assert len(texts) > 5
    assert NOTE not in texts
    for text in texts:
        words = re.findall(r"\w+", text.casefold())
        for word in ("aspirin", "miller", "monday", "3", "not", "denies", "injuries"):
            assert words.count(word) == 1, (word, text)


def test_a_change_of_the_facts_is_seen() -> None:
    parse = parser()
    before = parse("John has no pain since 3 days.")
    assert keeps_facts(before, parse("Since 3 days John has no pain."), NONE)
    for other in (
        "John has pain since 3 days.",
        "John has no pain since 4 days.",
        "Peter has no pain since 3 days.",
    ):
        assert not keeps_facts(before, parse(other), NONE)
    kept = cell_words({"sign": "mild pain", "note": "x", "age": None}, "note")
    assert kept == {"mild", "pain"}
    assert not keeps_facts(before, parse("John has no ache since 3 days."), kept)


def test_the_same_random_numbers_give_the_same_text() -> None:
    augmenter = Augmenter(Augment())
    one, other = (augmenter.augment({"note": NOTE}, "note", random(3)) for _ in range(2))
    assert one == other
    assert augmenter.augment({"note": "None."}, "note", random()).operations == ()


def test_a_gap_is_filled_by_other_words() -> None:
    from paracosm.generate.augmentation.masked_choice import masked_model

    fill = MaskedSegments(masked_model("bert-tiny"))
    document = parser()("The swollen ankle hurts.")
    found = {fill(document, frozenset({"ankle"}), random(seed)) for seed in range(6)}
    assert len(found) > 1
    assert all(text is not None and "ankle" in text and text != document.text for text in found)


def test_rows_of_a_table_keep_their_columns_and_their_parent(tmp_path: Path) -> None:
    raw = pd.DataFrame({"id": ["007", "8", "9"], "note": [NOTE, "None.", None]})
    made = augment_table(raw, ["note"], Augment(), times=3)
    assert made.unchanged == 2
    assert made.table["parent"].tolist() == [1, 1, 1]
    assert made.table["id"].tolist() == ["007"] * 3
    assert made.table["note"].nunique() == 3
    assert augment_table(raw, ["note"], Augment(), times=3).table.equals(made.table)
    for suffix, read in (
        (".csv", pd.read_csv),
        (".jsonl", lambda path: pd.read_json(path, lines=True)),
        (".parquet", pd.read_parquet),
    ):
        write_table(made.table, tmp_path / f"a{suffix}")
        assert read(tmp_path / f"a{suffix}")["note"].tolist() == made.table["note"].tolist()
    with pytest.raises(DataError, match=r"the suffix names no format"):
        write_table(made.table, tmp_path / "a.xlsx")
    with pytest.raises(DataError, match="has a column 'parent'"):
        augment_table(made.table, ["note"], Augment())


def test_a_long_table_goes_on_where_it_was_interrupted(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(augmented_table, "PART", 2)
    raw = pd.DataFrame({"ward": list("abcdef"), "note": [NOTE, "None.", None, NOTE, NOTE, "None."]})
    whole = augment_table(raw, ["note"], Augment(), seed=3)
    work = tmp_path / "work"

    def interrupt(shown: object) -> None:
        if isinstance(shown, Step) and shown.done == 4:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        augment_table(raw, ["note"], Augment(), seed=3, work=work, progress=interrupt)
    assert sorted(path.name for path in work.iterdir()) == ["inputs.json", "part-000000.json"]
    assert work.stat().st_mode & 0o077 == 0
    shown: list[object] = []
    again = augment_table(raw, ["note"], Augment(), seed=3, work=work, progress=shown.append)
    assert again.table.equals(whole.table)
    assert (again.unchanged, again.operations) == (whole.unchanged, whole.operations)
    assert "resuming: 2 of 6 rows are done" in shown
    assert min(step.done for step in shown if isinstance(step, Step)) == 3
    # Parts of another seed are of no use.
    other = augment_table(raw, ["note"], Augment(), seed=4, work=work)
    assert other.table.equals(augment_table(raw, ["note"], Augment(), seed=4).table)
