"""Division of long texts into passages: where they end, what stands before them, and which texts are divided."""

import pytest
from tiny_models import byte_tokenizer

from paracosm.foundation.errors import DataError
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.passage_lengths import in_passages
from paracosm.records.codec.passages import PassageLayout
from paracosm.records.codec.stored_codec import codec_from_json, codec_to_json
from paracosm.records.schema.schema import Field, Record, Schema

NOTE = Field(name="note", type="text", max_length=4000)
TITLE = Field(name="title", type="text", max_length=60)
DOSE = Field(name="dose", type="integer", minimum=8, maximum=120)
PARAGRAPH = "The patient was seen. No fever was found, and the dose stays as it is.\n\n"


def codec(*fields: Field, context: int = 128, note: str = PARAGRAPH * 9, title: str = "a") -> Codec:
    record = {"note": note, "title": title, "dose": 9}
    plain = Codec(Schema(fields), byte_tokenizer())  # type: ignore[arg-type]
    return in_passages(
        plain, [{field.name: record[field.name] for field in fields}], limit=None, context=context
    )


def texts(made: Codec, text: str) -> list[str]:
    ids = made.encode_value(made.schema.names.index("note"), text)
    ends = list(PassageLayout(made).ends(ids))
    return [made.tokenizer.decode(ids[begin:end]) for begin, end in zip([0, *ends], ends, strict=False)]


def test_passages_end_after_paragraphs_and_sentences_and_make_up_the_text() -> None:
    text = PARAGRAPH * 9
    parts = texts(codec(NOTE, DOSE), text)
    assert "".join(parts).startswith(text)
    assert all(part.endswith(("\n\n", ". ", ".", "\n")) for part in parts[:-1])
    assert len(parts) >= 9


def test_a_text_without_ends_fills_every_window() -> None:
    made = codec(NOTE, DOSE)
    assert made.passages is not None
    parts = texts(made, "a" * 500)
    assert {len(part) for part in parts[:-1]} == {made.passages.room}


def test_a_tail_begins_with_a_sentence_if_half_of_it_is_left() -> None:
    made = codec(NOTE, DOSE, context=256)
    layout = PassageLayout(made)
    ids = made.encode_value(1, PARAGRAPH * 5)[:-1]
    tail = made.tokenizer.decode(layout.tail(ids))
    assert tail.endswith("as it is.\n\n")
    assert tail.startswith(("The patient", "\nThe patient", " No fever", "No fever"))
    assert layout.tail(ids[:3]) == ids[:3]


def test_short_texts_stay_among_the_columns_and_long_ones_come_last() -> None:
    made = codec(NOTE, TITLE, DOSE)
    assert made.passages is not None
    assert made.passages.fields == ("note",)
    assert made.schema.names == ["title", "dose", "note"]
    both = codec(NOTE, TITLE, DOSE, title="a long title " * 4)
    assert both.passages is not None
    assert both.passages.fields == ("note", "title")


def test_a_codec_with_passages_is_stored_and_its_grammar_does_not_grow_with_the_text() -> None:
    made = codec(NOTE, TITLE, DOSE)
    assert codec_from_json(codec_to_json(made), made.tokenizer) == made
    longer = codec(Field(name="note", type="text", max_length=9_000_000), TITLE, DOSE)
    assert longer.grammar() == made.grammar()


def test_columns_that_fill_the_window_are_refused_in_one_line() -> None:
    many = [Field(name=f"n{number}", type="integer", minimum=0, maximum=999_999) for number in range(10)]
    record: Record = {"note": PARAGRAPH * 4, **{field.name: 5 for field in many}}
    plain = Codec(Schema((NOTE, *many)), byte_tokenizer())  # type: ignore[arg-type]
    with pytest.raises(
        DataError, match=r"the columns beside 'note' take up to 61 tokens of the 80 .* raise model.context"
    ):
        in_passages(plain, [record], limit=None, context=80)
