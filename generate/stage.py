"""The `generate` stage: an adapter in, shards of valid records out.

Records are numbered; a record's random stream and the block that it is made in follow from its number alone, and a
block is a shard. So any number of processes, and any number of kills and resumptions, give the same bytes.
"""

import time
from collections.abc import Callable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from paracosm.finetune.distributed.processes import barrier, is_leader, world
from paracosm.finetune.distributed.stage import run_on_all
from paracosm.foundation.digests import file_digest, folder_digest
from paracosm.foundation.files import replacing
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.constraints.partial_records import read_rows, seeds_file
from paracosm.generate.constraints.request import Tally
from paracosm.generate.constraints.uniqueness import without_repetitions
from paracosm.generate.engines.blocks import BlockGenerator, GenerationJob
from paracosm.generate.engines.engine import engine
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.constraints.rules import Rulebook, read_rules
from paracosm.records.schema.csv_writer import write_csv
from paracosm.records.schema.identifier_pattern import mint
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records, to_table, write_table, written
from paracosm.records.splitting.sequences import sequences


def sample(*, recipe: Recipe, run: Run, root: Path | None = None, progress: Progress = silent) -> bool:
    """Run the `generate` stage unless it is up to date; resume where a killed run stopped.

    Every process of an `accelerate launch` calls this; together they write the shards in the run's `synthetic` folder.

    Args:
        recipe: the whole recipe; `generate` and `rules` are read.
        run: a run whose `finetune` stage is done.
        root: the folder that relative paths start from; the recipe's folder, as the run knows it, when absent.
        progress: takes progress lines.

    Returns:
        Whether anything was sampled (False: the stage was up to date).

    Raises:
        ModelError: the adapter or its base model is missing.
        RecipeError: a condition or a rule names what is not there.
        DataError: conditions and rules refuse nearly everything.
    """
    stage = _Generate(run.recipe_folder if root is None else root)
    return run_on_all(stage, recipe=recipe, run=run, progress=progress)


class _Generate:
    """The `generate` stage."""

    name = "generate"

    def __init__(self, root: Path) -> None:
        self.root = root
        self.generator: BlockGenerator | None = None
        self.notes: dict[str, Any] = {}

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        return stage_inputs(recipe, run, self.root)

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        count = how_many(recipe, run, self.root)
        placed = _placed(recipe, self.root)
        self.generator = BlockGenerator(GenerationJob(placed, run.root.resolve(), self.root.resolve(), count))
        self.notes = _check(self.generator, progress)

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        assert self.generator is not None, "check() runs before work()"
        return _sample(self.generator, run, progress) | self.notes


def stage_inputs(recipe: Recipe, run: Run, root: Path) -> dict[str, Any]:
    """Return everything that the synthetic records depend on."""
    settings = recipe.generate.model_dump(mode="json", exclude={"records", "engine"})
    engine = "vllm" if recipe.generate.engine == "vllm" else "paracosm"
    files = {name: root / name for name in recipe.rules.references.values()}
    if recipe.generate.seeds is not None:
        files[recipe.generate.seeds] = seeds_file(recipe.generate.seeds, root)
    return {
        "adapter": folder_digest(run.adapter),
        "records": how_many(recipe, run, root),
        "generate": settings | {"decoder": engine},
        "rules": recipe.rules.model_dump(mode="json"),
        "files": {name: file_digest(path) for name, path in files.items() if path.is_file()},
    }


def _placed(recipe: Recipe, root: Path) -> Recipe:
    """Return the recipe with the place of its partial records, since machines that make blocks have current folders of their own."""
    if recipe.generate.seeds is None:
        return recipe
    found = str(seeds_file(recipe.generate.seeds, root))
    return recipe.model_copy(update={"generate": recipe.generate.model_copy(update={"seeds": found})})


def how_many(recipe: Recipe, run: Run, root: Path) -> int:
    """Return how many records the recipe asks for: by default as there are partial records, else training records."""
    if recipe.generate.records is not None:
        return recipe.generate.records
    if recipe.generate.seeds is not None:
        return len(read_rows(seeds_file(recipe.generate.seeds, root), recipe.data.missing))
    schema = Schema.load(run.schema)
    if schema.sequence is not None:
        train = to_records(read_table(run.split("train"), schema), schema)
        return len(sequences(train, schema.sequence))
    import pyarrow.parquet

    return pyarrow.parquet.read_metadata(run.split("train")).num_rows


def _check(maker: BlockGenerator, progress: Progress) -> dict[str, Any]:
    """Read rules and conditions, and hold the real records against the rules."""
    run, recipe = maker.run, maker.job.recipe
    schema = Schema.load(run.schema)
    notes = check_rules(read_rules(recipe.rules, schema, maker.job.root), run, progress)
    assert maker.conditions is not None
    if recipe.generate.drop_copies is not None:
        progress(
            "drop_copies: records that repeat a training record are replaced, so the evaluation cannot see how often"
            " the model repeats them"
        )
    return notes


def check_rules(rules: Rulebook, run: Run, progress: Progress) -> dict[str, Any]:
    """Hold the training records against the rules and report what breaks them."""
    if not rules or not run.split("train").is_file():
        return {}
    table = read_table(run.split("train"), rules.schema)
    lines = rules.violations(to_records(table, rules.schema))
    for line in lines:
        progress(f"training records: {line}")
    return {"rules_broken_by_training_records": lines}


def _sample(maker: BlockGenerator, run: Run, progress: Progress) -> dict[str, Any]:
    recipe, count = maker.job.recipe, maker.job.count
    schema = Schema.load(run.schema)
    blocks = maker.blocks
    waiting = [number for number in range(len(blocks)) if not run.shard(number).is_file()]
    if len(waiting) < len(blocks):
        progress(f"resuming: {len(blocks) - len(waiting)} of {len(blocks)} shards are there")
    # Under privacy real identifiers may not even shape what is avoided.
    real = () if recipe.privacy is not None else ("train", "control", "test")
    fresh = _fresh_identifiers(schema, run, count, recipe.generate.seed, real)
    began, made, tally = time.monotonic(), 0, Tally()

    def write(number: int, records: Sequence[Sequence[Record]]) -> None:
        named = [
            record | {name: made_up(at, place) for name, made_up in fresh.items()}
            for at, group in zip(blocks[number], records, strict=True)
            for place, record in enumerate(group)
        ]
        _write_shard(named, schema, run, number, recipe.generate.formats)

    for block in engine(maker.job, maker).make(waiting):
        write(block.block, block.records)
        tally.add(block.tally)
        made += len(block.records)
        speed = made / (time.monotonic() - began)
        left = sum(len(blocks[number]) for number in waiting) / world() - made
        progress(f"{made} records · {speed:.1f} records/s · {max(left, 0) / speed / 60:.1f} min left")
    barrier()
    repeated = 0
    if is_leader() and maker.rules.unique:
        for number, (_, records, count_here) in enumerate(
            without_repetitions(
                _shards(run, schema, blocks),
                maker.rules,
                lambda some, again: [record for (record,) in maker.records(some, again)[0]],
            )
        ):
            repeated += count_here
            if count_here:
                write(number, [[record] for record in records])
    barrier()
    seconds = time.monotonic() - began
    kept = tally.draft_words_kept / tally.draft_words if tally.draft_words else None
    if kept is not None:
        progress(
            f"{kept:.0%} of the words of the seed texts stand in the records as they were: what those say of a person, the"
            " records say too"
        )
    return {
        "records": count,
        "shards": len(blocks),
        "batch_size": maker.slots,
        "records_per_second": round(made / seconds, 2) if made else None,
        "tokens_per_second": round(tally.tokens / seconds, 1) if made else None,
        "processes": world(),
        "engine": recipe.generate.engine,
        "attempts": tally.attempts,
        "refused": dict(tally.refusals),
        "repetitions_redrawn": repeated,
    } | ({} if kept is None else {"seed_words_kept": round(kept, 4)})


def _shards(run: Run, schema: Schema, blocks: Sequence[range]) -> Iterator[tuple[range, list[Record]]]:
    for number, numbers in enumerate(blocks):
        yield numbers, to_records(read_table(run.shard(number), schema), Schema(schema.modelled))


def _fresh_identifiers(
    schema: Schema, run: Run, count: int, seed: int, avoided: Sequence[str]
) -> dict[str, Callable[[int, int], str]]:
    """Make new identifiers, unlike any of the splits `avoided`: per field, a function of the record number and the place in its sequence."""
    fields = [each for each in schema if each.type == "identifier" and each.fresh]
    if not fields:
        return {}
    taken: dict[str, set[str]] = {each.name: set() for each in fields}
    # A run that was made from a pulled version has no splits.
    for split in filter(Path.is_file, map(run.split, avoided)):
        table = read_table(split, schema)
        for each in fields:
            taken[each.name].update(table[each.name].dropna())
    sequence = schema.sequence
    found: dict[str, Callable[[int, int], str]] = {}
    for each in fields:
        per_number = 1 if sequence is None or each.name == sequence.subject else sequence.most
        minted = mint(each, count * per_number, seed=seed, taken=taken[each.name])
        found[each.name] = partial(_identifier, minted, per_number)
    return found


def _identifier(minted: Sequence[str], per_number: int, number: int, place: int) -> str:
    return minted[number * per_number + (place if per_number > 1 else 0)]


def _write_shard(
    records: list[Record], schema: Schema, run: Run, number: int, formats: Sequence[str]
) -> None:
    released = Schema(tuple(each for each in schema if each.modelled or each.fresh))
    table = to_table(records, released)
    found = written(table, released)
    if "csv" in formats:
        write_csv(found, run.shard(number, "csv"))
    if "jsonl" in formats:
        with replacing(run.shard(number, "jsonl")) as unfinished:
            found.to_json(unfinished, orient="records", lines=True, force_ascii=False)
    # Last, because a shard counts as finished once its Parquet file is there.
    write_table(table, run.shard(number), released)
