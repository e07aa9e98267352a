"""Three wide files from daily life through `init` alone: every column is right, or a line says why not."""

from pathlib import Path

import pytest
from unit.records.daily_files import DAILY_FILES, DailyFile

from paracosm.recipes.sections.data import Data
from paracosm.records.drafting.recipe_template import Draft, draft
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.table import to_typed, written
from paracosm.records.sources.read_source import read_source


@pytest.fixture(params=DAILY_FILES, ids=lambda file: file.name, scope="module")
def file(request: pytest.FixtureRequest) -> DailyFile:
    return request.param


@pytest.fixture(scope="module")
def drafted(file: DailyFile, tmp_path_factory: pytest.TempPathFactory) -> Draft:
    source = tmp_path_factory.mktemp("daily") / file.name
    source.write_text(file.text, encoding="utf-8")
    return draft(source=str(source), out=source.with_suffix(".yaml"))


def test_every_column_is_right_or_named_in_a_line(file: DailyFile, drafted: Draft) -> None:
    lines = [
        line
        for line in (
            *drafted.prepared.warnings,
            *drafted.persons.subject_lines,
            *drafted.persons.pii_lines,
        )
        if not line.startswith("data.rare")
    ]
    wrong = {}
    for column, right in file.types.items():
        said = any(repr(column) in line for line in lines)
        found = _found(column, drafted)
        is_left_out = found in ("identifier", "empty")
        if found not in right.split() and not ("said" in right.split() and said):
            wrong[column] = found
        elif is_left_out and not said:
            wrong[column] = f"{found}, silently"
    assert not wrong
    assert len(file.types) >= 25


def test_the_persons_of_the_records_are_found(file: DailyFile, drafted: Draft) -> None:
    assert drafted.recipe.data.subject == file.subject


def test_every_modelled_cell_is_given_back(file: DailyFile, tmp_path: Path) -> None:
    (tmp_path / file.name).write_text(file.text, encoding="utf-8")
    data = Data(source=file.name)
    raw = read_source(data, root=tmp_path)
    schema = infer(raw, data).schema
    back = written(to_typed(raw, schema), schema)
    for field in schema.modelled:
        assert back[field.name].equals(raw[field.name].astype("string")), field.name


def _found(column: str, drafted: Draft) -> str:
    schema = drafted.prepared.schema
    if column in schema.names:
        return schema[column].type
    return "identifier" if column in drafted.recipe.data.drop else "empty"
