"""Sample extra records for an evaluation: further sets of a run's generator, and records of the untrained base model."""

from pathlib import Path

import pandas as pd

from paracosm.foundation.progress import Progress
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.generate import Generate
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_table, write_table


def further_sets(recipe: Recipe, run: Run, count: int, progress: Progress) -> list[pd.DataFrame]:
    """Sample further sets of synthetic records with the settings of `generate` and the seeds after its own.

    Each set has as many records as the training split, unless the run has fewer or `eval.max_rows` is less. Blocks of
    records are kept in the run's `eval` folder, so that a killed evaluation resumes there.

    Args:
        recipe: of the run; engine and file formats of its `generate` section are ignored.
        run: with an adapter.
        count: number of sets.
        progress: takes progress lines.
    """
    from paracosm.generate.engines.blocks import BlockGenerator, GenerationJob
    from paracosm.generate.stage import how_many

    root = Path(run.journal.read().get("recipe_folder", "")).resolve()
    schema = Schema(Schema.load(run.schema).modelled)
    as_train = recipe.generate.model_copy(update={"records": None})
    records = min(
        how_many(recipe, run, root),
        how_many(recipe.model_copy(update={"generate": as_train}), run, root),
        recipe.eval.max_rows,
    )
    sets = []
    for number in range(1, count + 1):
        settings = recipe.generate.model_copy(update={"seed": recipe.generate.seed + number})
        generator = BlockGenerator(
            GenerationJob(recipe.model_copy(update={"generate": settings}), run.root.resolve(), root, records)
        )
        parts = []
        for block in range(len(generator.blocks)):
            path = run.further / f"seed-{number}" / f"part-{block:05d}.parquet"
            if not path.is_file():
                groups = generator.generate(block).records
                path.parent.mkdir(parents=True, exist_ok=True)
                write_table(to_table([record for group in groups for record in group], schema), path, schema)
            parts.append(read_table(path, schema))
            progress(f"set {number + 1} of {count + 1} for utility: {sum(map(len, parts))} records")
        sets.append(pd.concat(parts, ignore_index=True))
    return sets


def base_records(folder: Path, rows: int, seed: int) -> pd.DataFrame:
    """Sample records from the base model without its adapter, under the grammar of the adapter's codec.

    Args:
        folder: of the adapter.
        rows: number of records.
        seed: of the samples.

    Raises:
        ModelError: the base model is missing.
    """
    from paracosm.finetune.models.base_model import device_type
    from paracosm.finetune.models.trained_model import load_codec, load_untrained
    from paracosm.generate.constraints.request import Request
    from paracosm.generate.decoding.decoder import decoder_of
    from paracosm.generate.decoding.loaded_model import AdaptedModel

    codec, masks = load_codec(folder)
    model = load_untrained(folder, codec.vocabulary)
    untrained = AdaptedModel(model.to(device_type()), codec, masks)  # type: ignore[arg-type]  # typed as unbound
    groups = decoder_of(untrained, Generate()).records([Request(number) for number in range(rows)], seed=seed)
    records = [record for group in groups for record in group]
    return to_table(records[:rows], Schema(codec.schema.modelled))
