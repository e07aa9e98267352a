"""The recipe that a run keeps: as trained, without the overrides of later commands."""

from pathlib import Path

import pytest

from paracosm.foundation.errors import RunError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import OpenRun, open_run
from paracosm.recipes.run.record_set import RecordSet


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    path = tmp_path / "ward.yaml"
    path.write_text("name: ward\ndata: {source: ward.csv}\ngenerate: {records: 70}\n")
    return path


def opened(recipe: Path, *overrides: str) -> OpenRun:
    """Return what a command opens that names the recipe, or the run where it exists."""
    run = recipe.parent / "run"
    return open_run(run, overrides) if recipe == run else open_run(recipe, overrides, run)


def kept(recipe: Path) -> Recipe:
    return load_recipe(recipe.parent / "run" / "recipe.yaml")


def test_a_new_run_begins_without_conditions_and_keeps_them_once_its_records_are_there(recipe: Path) -> None:
    command = opened(recipe, "finetune.epochs=3", "generate.where.sex=male", "generate.records=9")
    with command.working():
        assert (kept(recipe).finetune.epochs, kept(recipe).generate.records) == (3, 70)
        command.keep_trained()
        assert kept(recipe).generate.where == {}
        command.keep_recipe()
    assert kept(recipe) == command.recipe


def test_training_again_keeps_the_settings_of_the_training_alone(recipe: Path) -> None:
    with opened(recipe).working():
        Run(recipe.parent / "run").journal.note(recipe_folder=str(recipe.parent))
    again = opened(recipe.parent / "run", "finetune.epochs=5", "generate.where.sex=male")
    assert again.from_run
    assert again.recipe.generate.where == {"sex": "male"}
    with again.working():
        assert kept(recipe).finetune.epochs != 5
        again.keep_trained()
    assert (kept(recipe).finetune.epochs, kept(recipe).generate.where) == (5, {})


def test_an_edited_recipe_is_kept_whole(recipe: Path) -> None:
    with opened(recipe).working():
        pass
    recipe.write_text(recipe.read_text().replace("70", "80"))
    with (command := opened(recipe)).working():
        command.keep_trained()
    assert kept(recipe).generate.records == 80


def test_another_set_of_records_has_its_own_journal_and_outputs(tmp_path: Path) -> None:
    run = Run.create(tmp_path / "run")
    other = RecordSet.of(tmp_path / "other", run)
    other.make()
    assert (other.root.stat().st_mode & 0o777, other.shard(0).parent) == (0o700, other.root)
    other.journal.record("generate", {"status": "done"})
    other.shard(0).write_bytes(b"records")
    other.shard(0, "csv").parent.mkdir()
    assert other.outputs("generate") == (other.root / "_csv", other.shard(0))
    assert RecordSet.of(tmp_path / "other", run) == other
    assert run.journal.stage("generate") == {}
    for taken in (run.root, run.synthetic):
        with pytest.raises(RunError, match="is a folder of the run itself"):
            RecordSet.of(taken, run)
