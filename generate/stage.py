"""The `generate` stage: samples valid synthetic records with the strategy of a run and writes them in shards.

Records are numbered. The random stream of a record and its block follow from its number alone, and each block is one
shard. So any number of processes, kills and resumptions gives the same bytes.
"""

import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from paracosm.finetune.distributed.processes import barrier, is_leader, run_on_leader, world
from paracosm.finetune.distributed.stage import run_on_all
from paracosm.foundation.digests import file_digest
from paracosm.foundation.progress import Progress, Step, silent
from paracosm.generate.constraints.partial_records import read_rows, seeds_file
from paracosm.generate.constraints.request import Tally
from paracosm.generate.constraints.uniqueness import without_repetitions
from paracosm.generate.engines.blocks import Block, BlockGenerator, GenerationJob
from paracosm.generate.engines.engine import Engine, engine_of
from paracosm.generate.identifiers import fresh_identifiers
from paracosm.generate.questions.of_run import refuse_questions, refuse_records, write_run_questions
from paracosm.generate.settings import NOT_COMPARED
from paracosm.generate.shards import Shards
from paracosm.generate.strategies.strategy import strategy_inputs
from paracosm.generate.written_table import refuse_destination, write_back
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.record_set import RecordSet
from paracosm.recipes.run.stage import check_unchanged
from paracosm.records.constraints.rules import Rulebook, read_rules
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records
from paracosm.records.splitting.sequences import sequences


def sample(
    *,
    recipe: Recipe,
    run: Run,
    root: Path | None = None,
    into: Run | None = None,
    progress: Progress = silent,
) -> bool:
    """Run the `generate` stage unless it is up to date; resume where a killed run stopped.

    Every process of an `accelerate launch` calls this; together they write the shards in the run's `synthetic` folder.
    A command that is refused keeps the records that are there.

    Args:
        recipe: the whole recipe; `generate` and `rules` are read.
        run: a run whose `finetune` stage is done.
        root: the folder that relative paths start from; the recipe's folder, as the run knows it, when absent.
        into: holds the shards and the journal of the stage, such as a `RecordSet`; the run itself when absent.
        progress: takes progress lines.

    Returns:
        Whether anything was sampled (False: the stage was up to date).

    Raises:
        ModelError: the adapter or its base model is missing.
        RecipeError: a condition or a rule names an unknown field or value.
        DataError: conditions and rules refuse nearly every attempt, or a table cannot be written.
    """
    root, into = run.recipe_folder if root is None else root, run if into is None else into
    run_on_leader(lambda: refuse_destination(recipe, into, root))
    ran = run_on_all(_Generate(run, root), recipe=recipe, run=into, progress=progress)
    run_on_leader(lambda: write_back(recipe, into, root, progress))
    return ran


class _Generate:
    """The `generate` stage. Its methods get the folder of the records as their run."""

    name = "generate"

    def __init__(self, trained: Run, root: Path) -> None:
        self.trained = trained
        self.root = root
        self.generator: BlockGenerator | None = None
        self.notes: dict[str, Any] = {}
        self.ahead: Ahead | None = None
        self.began = 0.0

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        return stage_inputs(recipe, self.trained, self.root)

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        count = how_many(recipe, self.trained, self.root)
        located = _located(recipe, self.root)
        refuse_questions(recipe)
        refuse_records(recipe, Schema.load(self.trained.schema))
        self.generator = BlockGenerator(
            GenerationJob(located, self.trained.root.resolve(), self.root.resolve(), count)
        )
        self.notes = _check(self.generator, progress)
        self.began = time.monotonic()
        if run.journal.stage(self.name).get("status") == "done":
            self.ahead = Ahead(engine_of(self.generator.job, self.generator), len(self.generator.blocks))
        if isinstance(run, RecordSet) and is_leader():
            run.make()

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        assert self.generator is not None, "check() runs before work()"
        engine = self.ahead or engine_of(self.generator.job, self.generator)
        shards = _shards(self.generator, self.trained, run)
        facts = _sample(self.generator, engine, shards, self.began, progress)
        if recipe.generate.questions is not None and is_leader():
            facts["questions"] = write_run_questions(recipe, self.trained, run, shards.schema, progress)
        return facts | {"records_asked": recipe.generate.records} | self.notes


class Ahead:
    """An engine that has generated its first block already.

    Conditions that refuse nearly every attempt fail in the first block. It is generated before the records that are there
    are removed.
    """

    def __init__(self, engine: Engine, blocks: int) -> None:
        self.blocks = engine.generate(range(blocks))
        self.first = next(self.blocks, None)

    def generate(self, blocks: Sequence[int]) -> Iterator[Block]:
        """Yield all blocks; `blocks` are all of them, because the records that were there are removed."""
        if self.first is not None:
            yield self.first
        yield from self.blocks


def stage_inputs(recipe: Recipe, run: Run, root: Path) -> dict[str, Any]:
    """Return everything that the synthetic records depend on.

    Raises:
        RunError: the splits or the adapter are not as their stages left them.
    """
    check_unchanged(run, ("records", "finetune"))
    settings = recipe.generate.model_dump(mode="json", exclude=NOT_COMPARED)
    engine = "vllm" if recipe.generate.engine == "vllm" else "paracosm"
    files = {name: root / name for name in recipe.rules.references.values()}
    if recipe.generate.seeds is not None:
        files[recipe.generate.seeds] = seeds_file(recipe.generate.seeds, root)
    return {
        **strategy_inputs(recipe, run),
        "records": how_many(recipe, run, root),
        "generate": settings | {"decoder": engine},
        "rules": recipe.rules.model_dump(mode="json"),
        "files": {name: file_digest(path) for name, path in files.items() if path.is_file()},
    }


def _located(recipe: Recipe, root: Path) -> Recipe:
    """Return the recipe with an absolute path of its partial records, because other machines have other current folders."""
    if recipe.generate.seeds is None:
        return recipe
    path = str(seeds_file(recipe.generate.seeds, root))
    return recipe.model_copy(update={"generate": recipe.generate.model_copy(update={"seeds": path})})


def how_many(recipe: Recipe, run: Run, root: Path) -> int:
    """Return the number of records to generate: the recipe's; by default that of the partial, else the training records."""
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


def _check(generator: BlockGenerator, progress: Progress) -> dict[str, Any]:
    """Read rules and conditions, so that their errors come first, and check the training records against the rules."""
    run, recipe = generator.run, generator.job.recipe
    schema = Schema.load(run.schema)
    notes = check_rules(read_rules(recipe.rules, schema, generator.job.root), run, progress)
    assert generator.conditions is not None
    if recipe.generate.drop_copies is not None:
        progress(
            "drop_copies: records that repeat a training record are replaced, so the evaluation cannot see how often"
            " the model repeats them"
        )
    return notes


def check_rules(rules: Rulebook, run: Run, progress: Progress) -> dict[str, Any]:
    """Report how many training records violate each rule; return the report for the journal."""
    if not rules or not run.split("train").is_file():
        return {}
    table = read_table(run.split("train"), rules.schema)
    lines = rules.violations(to_records(table, rules.schema))
    for line in lines:
        progress(f"training records: {line}")
    return {"rules_broken_by_training_records": lines}


def _sample(
    generator: BlockGenerator, engine: Engine, shards: Shards, began: float, progress: Progress
) -> dict[str, Any]:
    """Generate the missing shards, then make groups of `rules.unique` unique; return the facts of the stage."""
    generated, tally = _write_missing(generator, engine, shards, progress)
    barrier()
    repeated = _redraw_repetitions(generator, shards) if is_leader() and generator.rules.unique else 0
    barrier()
    seconds = time.monotonic() - began
    facts = {
        "records": generator.job.count,
        "shards": len(shards.blocks),
        "batch_size": generator.batch_size,
        "records_per_second": round(generated / seconds, 2) if generated else None,
        "tokens_per_second": round(tally.tokens / seconds, 1) if generated else None,
        "processes": world(),
        "engine": generator.job.recipe.generate.engine,
        "attempts": tally.attempts,
        "refused": dict(tally.refusals),
        "repetitions_redrawn": repeated,
        **generator.strategy.facts(),
    }
    if tally.broken:
        worst = ", ".join(f"{text} ({count:,})" for text, count in tally.broken.most_common(3))
        progress(
            f"relations that not all synthetic records have, because conditions or rules exclude them: {worst}"
        )
        facts["relations_broken"] = dict(tally.broken)
    if tally.resampled:
        progress(
            f"{tally.resampled:,} records: fewer than 1 in {generator.job.recipe.generate.attempts} draws meets their conditions by chance; each was chosen"
            " from so many draws with the given values by their probability, which is nearly exact"
        )
        facts["chosen_by_weight"] = tally.resampled
    if tally.cut_texts:
        progress(
            f"{tally.cut_texts} long texts did not end by themselves and were ended where the longest training text ends"
        )
        facts["texts_cut"] = tally.cut_texts
    if tally.seed_words:
        unchanged = tally.seed_words_kept / tally.seed_words
        progress(
            f"{unchanged:.0%} of the words of the seed texts are unchanged in the records: personal data in them is in the"
            " records too"
        )
        facts["seed_words_kept"] = round(unchanged, 4)
    return facts


def _shards(generator: BlockGenerator, run: Run, into: Run) -> Shards:
    recipe, schema = generator.job.recipe, Schema.load(run.schema)
    identifiers = fresh_identifiers(
        schema,
        run,
        generator.job.count,
        seed=recipe.generate.seed,
        # With differential privacy, real identifiers may not influence anything, not even what is avoided.
        language=recipe.data.pii.language if recipe.data.pii is not None else "en",
        avoided_splits=() if recipe.privacy is not None else ("train", "control", "test"),
    )
    return Shards(into, schema, generator.blocks, identifiers, recipe.generate.formats)


def _write_missing(
    generator: BlockGenerator, engine: Engine, shards: Shards, progress: Progress
) -> tuple[int, Tally]:
    """Generate and write the shards that are missing; return how many records this process generated, and their tally."""
    blocks, missing = shards.blocks, shards.missing()
    if len(missing) < len(blocks):
        progress(f"resuming: {len(blocks) - len(missing)} of {len(blocks)} shards exist")
    share = sum(len(blocks[number]) for number in missing) / world()
    generated, tally = 0, Tally()

    def show(done: float, tokens: int) -> None:
        # Statistics draw values, not tokens.
        detail = f"{tokens:,} tokens" if tokens else ""
        progress(Step("sampling", done, share, unit="records", detail=detail))

    # Between two blocks minutes can pass.
    generator.watch = lambda counts: show(generated + counts.finished, tally.tokens + counts.tokens)
    show(0, 0)
    for block in engine.generate(missing):
        shards.write(block.number, block.records)
        tally.add(block.tally)
        generated += len(block.records)
        show(generated, tally.tokens)
    return generated, tally


def _redraw_repetitions(generator: BlockGenerator, shards: Shards) -> int:
    """Redraw records that repeat a group of `rules.unique`, rewrite their shards; return how many there were."""

    def redraw(numbers: Sequence[int], attempt: int) -> list[Record]:
        return [record for (record,) in generator.records(numbers, attempt)[0]]

    repeated = 0
    unique = without_repetitions(shards.read(), generator.rules, redraw)
    for number, (_, records, count) in enumerate(unique):
        repeated += count
        if count:
            shards.write(number, [[record] for record in records])
    return repeated
