"""The `generate` stage: an adapter in, shards of valid records out.

Records are numbered; a record's random stream, its batch and its shard follow from its number alone. So any number of
processes, and any number of kills and resumptions, give the same bytes.
"""

import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from paracosm.finetune.processes import leading, on_leader_first, rank, wait, world
from paracosm.recipes.atomic import replacing
from paracosm.recipes.digest import folder_digest
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run_directory import Run
from paracosm.records.identifiers import mint
from paracosm.records.schema import Record, Schema
from paracosm.records.typed_table import read_table, to_table, write_table, written

BATCHES_PER_SHARD = 8


def say_on_stderr(line: str) -> None:
    """Print a progress line."""
    print(f"  {line}", file=sys.stderr, flush=True)


def sample(*, recipe: Recipe, run: Run, say: Callable[[str], None] = say_on_stderr) -> bool:
    """Sample the recipe's number of records into the run's `synthetic` folder; resume where a killed run stopped.

    Args:
        recipe: the whole recipe; `generate` is read.
        run: a run whose `finetune` stage is done.
        say: takes progress lines.

    Returns:
        Whether anything was sampled (False: the stage was done already).

    Raises:
        ModelError: the adapter or its base model is missing.
    """
    inputs = stage_inputs(recipe, run)
    if on_leader_first(lambda: run.is_done("generate", inputs)):
        return False
    if leading():
        return run.stage("generate", inputs, lambda: _sample(recipe, run, say))
    wait()
    _sample(recipe, run, say)
    return True


def stage_inputs(recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return everything that the synthetic records depend on."""
    return {
        "adapter": folder_digest(run.adapter),
        "records": how_many(recipe, run),
        "generate": recipe.generate.model_dump(mode="json", exclude={"records"}),
    }


def how_many(recipe: Recipe, run: Run) -> int:
    """Return how many records the recipe asks for: by default as many as there are training records."""
    if recipe.generate.records is not None:
        return recipe.generate.records
    import pyarrow.parquet

    return pyarrow.parquet.read_metadata(run.split("train")).num_rows


def _sample(recipe: Recipe, run: Run, say: Callable[[str], None]) -> dict[str, Any]:
    if leading():
        wait()
    from paracosm.generate.adapted_model import load_adapted
    from paracosm.generate.decoder import Decoder

    settings = recipe.generate
    schema = Schema.load(run.schema)
    count = how_many(recipe, run)
    per_shard = settings.batch_size * BATCHES_PER_SHARD
    shards = [range(begin, min(begin + per_shard, count)) for begin in range(0, count, per_shard)]
    waiting = [number for number in range(len(shards)) if not run.shard(number).is_file()]
    mine = [number for number in waiting if number % world() == rank()]
    if len(waiting) < len(shards):
        say(f"resuming: {len(shards) - len(waiting)} of {len(shards)} shards are there")
    fresh = _fresh_identifiers(schema, run, count, settings.seed)
    adapted = load_adapted(run.adapter)
    decoder = Decoder(adapted, settings.temperature)
    began, made = time.monotonic(), 0
    for number in mine:
        records: list[Record] = []
        for begin in range(0, len(shards[number]), settings.batch_size):
            batch = shards[number][begin : begin + settings.batch_size]
            encodings = decoder.sample(batch, seed=settings.seed)
            records.extend(
                adapted.codec.decode(ids) | {name: made_up[at] for name, made_up in fresh.items()}
                for at, ids in zip(batch, encodings, strict=True)
            )
            made += len(batch)
            speed = made / (time.monotonic() - began)
            left = (sum(len(shards[other]) for other in mine) - made) / speed
            say(f"{made} records · {speed:.1f} records/s · {left / 60:.1f} min left")
        _write_shard(records, schema, run, number, settings.formats)
    wait()
    seconds = time.monotonic() - began
    return {
        "records": count,
        "shards": len(shards),
        "records_per_second": round(made / seconds, 2) if made else None,
        "processes": world(),
    }


def _fresh_identifiers(schema: Schema, run: Run, count: int, seed: int) -> dict[str, list[str]]:
    """Make new identifiers for every synthetic record, unlike any real one."""
    fields = [each for each in schema if each.type == "identifier" and each.fresh]
    if not fields:
        return {}
    taken: dict[str, set[str]] = {each.name: set() for each in fields}
    # A run that was made from a pulled version has no splits.
    for split in filter(Path.is_file, map(run.split, ("train", "control", "test"))):
        table = read_table(split, schema)
        for each in fields:
            taken[each.name].update(table[each.name].dropna())
    return {each.name: mint(each, count, seed=seed, taken=taken[each.name]) for each in fields}


def _write_shard(
    records: list[Record], schema: Schema, run: Run, number: int, formats: Sequence[str]
) -> None:
    released = Schema(tuple(each for each in schema if each.modelled or each.fresh))
    table = to_table(records, released)
    found = written(table, released)
    if "csv" in formats:
        with replacing(run.shard(number, "csv")) as partial:
            found.to_csv(partial, index=False, lineterminator="\n")
    if "jsonl" in formats:
        with replacing(run.shard(number, "jsonl")) as partial:
            found.to_json(partial, orient="records", lines=True, force_ascii=False)
    # Last, because a shard counts as finished once its Parquet file is there.
    write_table(table, run.shard(number), released)
