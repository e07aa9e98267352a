"""Generation of numbered blocks of records, in this process or on another machine, for one run and recipe."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.generate.constraints.conditions import Conditions, read_conditions
from paracosm.generate.constraints.copy_filter import CopyFilter
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.strategies.strategy import Strategy, strategy_of
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.constraints.rules import Rulebook, read_rules
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records

BATCHES_PER_BLOCK = 4
MIN_BLOCKS = 4
"""Blocks of a small run, so that several processes have work."""
MIN_RECORDS = 16
"""Records of a block, even if that makes fewer blocks."""


@dataclass(frozen=True)
class GenerationJob:
    """What a run generates. Small, and the same on every machine that sees the run directory.

    Attributes:
        recipe: the whole recipe.
        run: root of the run directory.
        root: base of the recipe's relative paths.
        count: number of records in all.
    """

    recipe: Recipe
    run: Path
    root: Path
    count: int


@dataclass(frozen=True)
class Block:
    """A generated block of records.

    Attributes:
        number: of the block.
        records: per record number, the record; for sequences, all records of a subject.
        tally: attempts, tokens and refusals.
    """

    number: int
    records: list[list[Record]]
    tally: Tally


class BlockGenerator:
    """Generates blocks of a job's records. The number of a block determines its records, whichever process makes it."""

    def __init__(self, job: GenerationJob) -> None:
        self.job = job
        self.run = Run(job.run)
        self.watch: Callable[[Tally], None] | None = None
        """Is called after every forward pass with the counts of the block."""

    @cached_property
    def strategy(self) -> Strategy:
        """The strategy that the run was prepared for."""
        return strategy_of(self.job.recipe, self.run)

    @cached_property
    def rules(self) -> Rulebook:
        rules = self.job.recipe.rules
        if self.job.recipe.generate.engine == "vllm":
            # It cannot mask values, and few records would meet a sum by chance.
            rules = rules.model_copy(update={"relations": "ignore"})
        return read_rules(rules, Schema.load(self.run.schema), self.job.root)

    @cached_property
    def constraints(self) -> RuleConstraints:
        """Rules and copy filter.

        Raises:
            RecipeError: the copy filter is asked for under differential privacy.
            DataError: the copy filter is asked for, but the run has no training records.
        """
        kind, copy_filter = self.job.recipe.generate.drop_copies, None
        if kind is not None and self.job.recipe.privacy is not None:
            raise RecipeError(
                "generate.drop_copies: reads the training records again, which the privacy budget does not account for"
            )
        if kind is not None:
            if not self.run.split("train").is_file():
                raise DataError(
                    "generate.drop_copies: needs the training records, which this run does not have"
                )
            schema = Schema.load(self.run.schema)
            train = to_records(read_table(self.run.split("train"), schema), schema)
            copy_filter = CopyFilter(train, self.strategy.abilities.schema.modelled, kind)
        return RuleConstraints(self.strategy.abilities.schema, self.rules, copy_filter)

    @cached_property
    def conditions(self) -> Conditions:
        """The conditions of the recipe; see `read_conditions`."""
        return read_conditions(
            self.job.recipe,
            self.strategy.abilities,
            self.constraints,
            count=self.job.count,
            root=self.job.root,
        )

    @property
    def batch_size(self) -> int:
        """Records that are drawn at once."""
        return self.strategy.batch_size

    @cached_property
    def blocks(self) -> list[range]:
        """The record numbers of each block."""
        largest = max(-(-self.job.count // MIN_BLOCKS), MIN_RECORDS)
        size = min(BATCHES_PER_BLOCK * self.batch_size, largest)
        return [range(begin, min(begin + size, self.job.count)) for begin in range(0, self.job.count, size)]

    def generate(self, block: int) -> Block:
        """Generate the records of a block."""
        return Block(block, *self.records(self.blocks[block]))

    def records(self, numbers: Sequence[int], redraw: int = 0) -> tuple[list[list[Record]], Tally]:
        """Generate the records, or sequences of records, with the given numbers.

        Args:
            numbers: of the records.
            redraw: 0, or how often they were redrawn before.

        Raises:
            DataError: conditions and rules refuse nearly every attempt.
        """
        requests = [self.conditions.request(number, redraw) for number in numbers]
        tally = Tally(watch=self.watch)
        groups = self.draw(requests, tally)
        broken = self.rules.relations.counts([record for group in groups for record in group])
        tally.broken.update({text: count for text, count in broken.items() if count})
        return groups, tally

    def draw(self, requests: Sequence[Request], tally: Tally) -> list[list[Record]]:
        """Draw the records of some requests and compute their derived fields; attempts are counted in `tally`."""
        groups = self.strategy.records(requests, seed=self.job.recipe.generate.seed, tally=tally)
        return [[self.rules.compute(record) for record in group] for group in groups]
