"""Texts above `data.longest_text` end after a sentence or a word, or their records are left out; each row is decided alone."""

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.text.cut_text import cut_text, with_bounded_texts

CUTS = [
    ("short", 20, "short"),
    ("The dose was 3.5 mg. No fever was seen.", 25, "The dose was 3.5 mg."),
    ("One. A sentence that is far too long to be kept", 30, "One. A sentence that is far"),
    ('He asked: "Why?" and left the room at once', 20, 'He asked: "Why?"'),
    ("word word word", 9, "word word"),
    ("word word word", 8, "word"),
    ("x" * 50, 20, "x" * 20),
    ("今日は良い天気です。明日は雨です。", 12, "今日は良い天気です。"),
    ("今日は良い天気です", 5, "今日は良い"),
    ("A title\n\nA paragraph that goes on", 10, "A title"),
]


@pytest.mark.parametrize(("text", "longest", "expected"), CUTS)
def test_a_text_is_cut_after_a_sentence_or_a_word(text: str, longest: int, expected: str) -> None:
    assert cut_text(text, longest) == expected


@given(st.text(alphabet="ab .!?\n", min_size=1, max_size=120), st.integers(20, 60))
def test_a_cut_text_is_a_beginning_that_ends_with_a_whole_word(text: str, longest: int) -> None:
    cut = cut_text(text, longest)
    assert len(cut) <= longest
    assert text.startswith(cut)
    if len(text) > longest and any(len(word) <= longest for word in text[: longest + 1].split()[:1]):
        assert cut == "" or set(cut.split()) <= set(text.split())


def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"a": ["1", "2", "3"], "note": pd.Series(["short", "word " * 9, None], dtype="string")}
    )


def test_a_record_is_cut_or_dropped_and_counted() -> None:
    part = np.array(["source", "source", "test"])
    cut, same, lines = with_bounded_texts(table(), part, ["note"], Data(source="x", longest_text=20))
    assert cut["note"].fillna("").tolist() == ["short", "word word word word", ""]
    assert same.tolist() == part.tolist()
    assert lines == (
        "column 'note': 1 of 3 texts have more than 20 characters; cut after a sentence or a word (data.long_texts)",
    )
    data = Data(source="x", longest_text=20, long_texts="drop")
    dropped, rest, lines = with_bounded_texts(table(), part, ["note"], data)
    assert dropped["a"].tolist() == ["1", "3"]
    assert rest.tolist() == ["source", "test"]
    assert "their records are left out" in lines[0]


def test_dropping_every_record_is_refused() -> None:
    data = Data(source="x", longest_text=20, long_texts="drop")
    with pytest.raises(DataError, match=r"data\.longest_text: every record"):
        with_bounded_texts(table().iloc[1:2], np.array(["source"]), ["note"], data)
