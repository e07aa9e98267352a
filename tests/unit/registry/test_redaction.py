"""Redaction: published files hold no values of records, no paths of a machine and no values of conditions."""

import re

import finished_run
from hypothesis import given
from hypothesis import strategies as st

from paracosm.records.schema.schema import Field, Schema
from paracosm.registry.card.provenance import settings
from paracosm.registry.card.redaction import WITHHELD, PhraseIndex, Redactor

SCHEMA = Schema(
    (
        Field(name="diagnosis", type="category", categories=("hiv", "normal", "HIV-2")),
        Field(name="site: ward", type="category", categories=("a\\1",)),
    )
)


def test_a_value_behind_the_name_of_its_field_is_redacted_even_if_it_is_an_ordinary_word() -> None:
    redactor = Redactor.of(SCHEMA)
    assert (
        redactor.text("Of 3 groups, diagnosis: hiv loses most")
        == f"Of 3 groups, diagnosis: {WITHHELD} loses most"
    )
    assert (
        redactor.text("diagnosis: HIV-2 and site: ward: a\\1")
        == f"diagnosis: {WITHHELD} and site: ward: {WITHHELD}"
    )
    # In a sentence, the same word reveals nothing about a record.
    assert redactor.text("a normal interval") == "a normal interval"


def test_published_settings_hold_no_path_and_no_value_of_a_condition() -> None:
    published = settings(
        finished_run.recipe_of(
            generate={
                "seeds": "/home/alice/clinic/open_cases.csv",
                "where": {"diagnosis": "hiv"},
                "quotas": {"sex": "balanced", "ward": {"oncology": 0.5}},
            },
            eval={"embedder": "/home/alice/models/encoder"},
        )
    )
    assert published["generate"]["seeds"] == "open_cases.csv"
    assert published["generate"]["where"] == {"diagnosis": WITHHELD}
    assert published["generate"]["quotas"] == {"sex": "balanced", "ward": WITHHELD}
    assert published["eval"]["embedder"] == "encoder"
    assert settings(finished_run.recipe_of())["eval"]["embedder"] == "minilm"


PHRASES = st.text(alphabet="ab-. \\", min_size=1, max_size=5)


@given(phrases=st.sets(PHRASES, max_size=8), text=st.text(alphabet="ab-. \\", max_size=25))
def test_the_index_finds_the_same_phrases_as_a_search_for_each_of_them(phrases: set[str], text: str) -> None:
    expected = text
    for phrase in sorted(phrases, key=lambda phrase: (-len(phrase), phrase)):
        expected = re.sub(rf"(?<!\w){re.escape(phrase)}(?!\w)", "[X]", expected)
    assert PhraseIndex((phrase, "[X]") for phrase in phrases).replace_in(text) == expected


def test_a_text_is_searched_only_for_phrases_that_share_their_rarest_word_with_it() -> None:
    index = PhraseIndex((f"Ward {number}", WITHHELD) for number in range(5000))
    assert index.replace_in("Ward 17 and Ward 4999x") == f"{WITHHELD} and Ward 4999x"
    # All 5,000 values share the word `Ward`, so they are filed under their numbers.
    assert index.candidates("Ward 17, not Ward 170x") == [("Ward 17", WITHHELD)]
