"""Lists of messages and of questions become rows."""

import json
from pathlib import Path

import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.sections.data import Data
from paracosm.records.drafting.recipe_template import write_draft
from paracosm.records.schema.origin import origin_of
from paracosm.records.sources.read_source import read_source

OPENAI = {
    "topic": "x",
    "messages": [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": [{"type": "text", "text": "Hello"}]},
    ],
}
SHAREGPT = {
    "id": 1,
    "conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello", "id": 7}],
}
SQUAD = {
    "version": "2.0",
    "data": [
        {
            "title": "T",
            "paragraphs": [
                {
                    "context": "C",
                    "qas": [
                        {
                            "id": "1",
                            "question": "Q?",
                            "answers": [{"text": "A", "answer_start": 0}, {"text": "B", "answer_start": 1}],
                        },
                        {"id": "2", "question": "R?", "answers": [], "is_impossible": True},
                    ],
                }
            ],
        }
    ],
}
HUB = {"context": "C", "question": "Q?", "answers": {"text": ["A"], "answer_start": [3]}}


def read(folder: Path, content: object, name: str = "a.jsonl", **settings: object):
    (folder / name).write_text(json.dumps(content) + "\n")
    return read_source(Data.model_validate({"source": name, "nested": "rows", **settings}), root=folder)


def rows(table) -> list[dict[str, str]]:
    return [
        {key: cell for key, cell in row.items() if isinstance(cell, str)} for row in table.to_dict("records")
    ]


def test_messages_become_rows_of_a_conversation(tmp_path: Path) -> None:
    table = read(tmp_path, OPENAI)
    assert rows(table) == [
        {"topic": "x", "conversation": "1", "turn": "1", "role": "user", "content": "Hi"},
        {"topic": "x", "conversation": "1", "turn": "2", "role": "assistant", "content": "Hello"},
    ]
    assert (origin_of(table).subject, origin_of(table).sequence) == ("conversation", "turn")
    table = read(tmp_path, SHAREGPT)
    assert table["from"].tolist() == ["human", "gpt"]
    assert table["conversations.id"].fillna("").tolist() == ["", "7"]
    assert "1 records hold lists and became 2 rows, one a message" in origin_of(table).warnings[0]


def test_questions_become_rows_with_their_first_answer(tmp_path: Path) -> None:
    table = read(tmp_path, SQUAD, "a.json")
    assert rows(table) == [
        {
            "title": "T",
            "document": "1",
            "context": "C",
            "id": "1",
            "question": "Q?",
            "text": "A",
            "answer_start": "0",
        },
        {"title": "T", "document": "1", "context": "C", "id": "2", "question": "R?", "is_impossible": "true"},
    ]
    assert any("1 further ones are left out" in line for line in origin_of(table).warnings)
    assert rows(read(tmp_path, HUB)) == [{"context": "C", "question": "Q?", "text": "A", "answer_start": "3"}]


def test_other_arrays_are_json_text_and_dropped_lists_stay(tmp_path: Path) -> None:
    assert rows(read(tmp_path, {"a": 1, "tags": ["x", "y"]})) == [{"a": "1", "tags": '["x", "y"]'}]
    assert len(read(tmp_path, OPENAI, drop=["messages"])) == 1
    with pytest.raises(DataError, match="or to rows for one record a message or question"):
        read(tmp_path, OPENAI, nested="error")


@pytest.mark.parametrize(("record", "subject"), [(OPENAI, "conversation"), (HUB, None)])
def test_init_writes_what_reads_the_rows_again(
    tmp_path: Path, record: dict[str, object], subject: str | None, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "a.jsonl").write_text(
        "".join(json.dumps(record | {"n": number}) + "\n" for number in range(40))
    )
    write_draft(source="a.jsonl", out=Path("recipe.yaml"))
    recipe = load_recipe(Path("recipe.yaml"))
    data = recipe.data
    assert (data.nested, data.subject) == ("rows", subject)
    assert recipe.generate.formats == ["parquet", *(["messages"] if data.sequence else [])]
    assert len(read_source(data, root=tmp_path)) == 40 * (2 if subject else 1)
