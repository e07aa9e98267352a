"""Extra samples of an evaluation: further sets of a run's generator, and records of its untrained base model."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from tiny_models import save_tiny_llama

import paracosm.eval.measure_tables
from paracosm.eval.extra_samples import base_records, further_sets
from paracosm.eval.measuring.anchors import text_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.stage import evaluate
from paracosm.finetune.stage import train
from paracosm.foundation.errors import DataError
from paracosm.generate.engines.blocks import BlockGenerator
from paracosm.generate.stage import sample
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table
from paracosm.records.stage import prepare

RECIPE = """\
name: tiny
data:
  source: people.csv
  target: ill
  split: {{control: 0.2, test: 0.2}}
  fields: {{note: {{type: text, max_length: 40}}}}
model: {{base: "{base}", dtype: float32}}
finetune: {{rank: 4, epochs: 1, patience: null, warmup_steps: 2, smoothing: 0}}
generate: {{batch_size: 16}}
eval: {{generator_seeds: 3, floor: base}}
"""


@pytest.fixture(scope="module")
def sampled(tmp_path_factory: pytest.TempPathFactory) -> tuple[Recipe, Run]:
    folder = tmp_path_factory.mktemp("further")
    base, random = save_tiny_llama(folder / "model"), np.random.default_rng(0)
    people = pd.DataFrame(
        {
            "age": random.integers(20, 90, 120),
            "note": [f"pain for {days} days, take care" for days in random.integers(2, 90, 120)],
            "ill": random.choice(["yes", "no"], 120),
        }
    )
    people.to_csv(folder / "people.csv", index=False)
    (folder / "recipe.yaml").write_text(RECIPE.format(base=base))
    recipe, run = load_recipe(folder / "recipe.yaml"), Run.create(folder / "run")
    prepare(recipe=recipe, run=run, root=folder)
    train(recipe=recipe, run=run, progress=lambda _: None)
    run.journal.note(recipe_folder=str(folder))
    sample(recipe=recipe, run=run, progress=lambda _: None)
    return recipe, run


def test_the_stage_samples_further_sets_and_resumes(
    sampled: tuple[Recipe, Run], monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe, run = sampled
    given, lines = {}, []

    def measure(**arguments) -> None:
        given.update(arguments)
        raise DataError("interrupted")

    monkeypatch.setattr(paracosm.eval.measure_tables, "measure", measure)
    with pytest.raises(DataError, match="interrupted"):
        evaluate(recipe=recipe, run=run, progress=lines.append)
    one, other = given["further"]
    assert len(one) == len(other) == len(given["train"]) == len(given["synthetic"])
    own = given["synthetic"].reset_index(drop=True)
    assert not one.equals(other), "every set has its own seed"
    assert not one.equals(own)
    assert lines[-1] == f"set 3 of 3 for utility: {len(one)} records"
    # Only the missing block is made again.
    lost = max(run.further.rglob("*.parquet"))
    before = lost.read_bytes()
    lost.unlink()
    made, generate = [], BlockGenerator.generate
    monkeypatch.setattr(
        BlockGenerator, "generate", lambda generator, block: made.append(block) or generate(generator, block)
    )
    again = further_sets(recipe, run, 2, lambda _: None)
    assert len(made) == 1
    assert lost.read_bytes() == before
    assert [second.equals(first) for second, first in zip(again, (one, other), strict=True)] == [True, True]


def test_the_base_model_samples_the_text_floor_under_the_grammar(
    sampled: tuple[Recipe, Run], tmp_path: Path
) -> None:
    _, run = sampled
    found = base_records(run.adapter, 30, seed=1)
    schema = Schema.load(run.schema)
    assert len(found) == 30
    assert found["note"].str.len().max() <= 40
    assert set(found["ill"].dropna()) <= set(read_table(run.split("train"), schema)["ill"])
    assert base_records(run.adapter, 30, seed=1).equals(found)
    train_table, test = (read_table(run.split(name), schema) for name in ("train", "test"))
    context = Context(schema, train_table, test, None, None, Evaluate(), 20, untrained=found)
    assert text_candidates(context, test)["floor"] is found
