"""What makes a block of records, in this process or on another machine: adapter, rules and conditions of one run."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.generate.constraints.conditions import Conditions, read_conditions
from paracosm.generate.constraints.copy_filter import CopyFilter
from paracosm.generate.constraints.guide import RuleConstraints
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.decoder import RecordDecoder, decoder_of
from paracosm.generate.decoding.loaded_model import AdaptedModel, load_adapted
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.codec.codec import Codec
from paracosm.records.constraints.rules import Rulebook, read_rules
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records

BATCHES_PER_BLOCK = 4
FEWEST_BLOCKS = 4
"""Blocks into which a small run is divided, so that several processes have something to do."""
FEWEST_RECORDS = 16


@dataclass(frozen=True)
class GenerationJob:
    """What there is to make. Small, and the same on every machine that sees the run directory.

    Attributes:
        recipe: the whole recipe.
        run: root of the run.
        root: where relative paths of the recipe begin.
        count: records in all.
    """

    recipe: Recipe
    run: Path
    root: Path
    count: int


@dataclass(frozen=True)
class Block:
    """A block of records, and how they came about.

    Attributes:
        block: its number.
        records: per record number the record, or in a sequence all records of a subject.
        tally: attempts, tokens and what was refused.
    """

    block: int
    records: list[list[Record]]
    tally: Tally


class BlockGenerator:
    """Makes blocks of a job's records. A block is the unit of determinism: its number says what is in it."""

    def __init__(self, job: GenerationJob) -> None:
        self.job = job
        self.run = Run(job.run)

    @cached_property
    def adapted(self) -> AdaptedModel:
        return load_adapted(self.run.adapter)

    @property
    def codec(self) -> Codec:
        return self.adapted.codec

    @cached_property
    def rules(self) -> Rulebook:
        return read_rules(self.job.recipe.rules, Schema.load(self.run.schema), self.job.root)

    @cached_property
    def limits(self) -> RuleConstraints:
        kind, copies = self.job.recipe.generate.drop_copies, None
        if kind is not None and self.job.recipe.privacy is not None:
            raise RecipeError(
                "generate.drop_copies: looks at the training records again, which privacy does not account for"
            )
        if kind is not None:
            if not self.run.split("train").is_file():
                raise DataError(
                    "generate.drop_copies: needs the training records, which this run does not hold"
                )
            schema = Schema.load(self.run.schema)
            train = to_records(read_table(self.run.split("train"), schema), schema)
            copies = CopyFilter(train, self.codec.fields, kind)
        return RuleConstraints(self.codec, self.rules, copies)

    @cached_property
    def conditions(self) -> Conditions:
        return read_conditions(
            self.job.recipe, self.codec, self.limits, count=self.job.count, root=self.job.root
        )

    @property
    def slots(self) -> int:
        """Records that are decoded at once."""
        return self.decoder.slots

    @cached_property
    def blocks(self) -> list[range]:
        """The record numbers of each block."""
        share = max(-(-self.job.count // FEWEST_BLOCKS), FEWEST_RECORDS)
        size = min(BATCHES_PER_BLOCK * self.slots, share)
        return [range(begin, min(begin + size, self.job.count)) for begin in range(0, self.job.count, size)]

    @cached_property
    def decoder(self) -> RecordDecoder:
        return decoder_of(self.adapted, self.job.recipe.generate)

    def make(self, block: int) -> Block:
        """Make the records of a block."""
        return Block(block, *self.records(self.blocks[block]))

    def records(self, numbers: Sequence[int], again: int = 0) -> tuple[list[list[Record]], Tally]:
        """Make the records, or sequences of records, with these numbers.

        Args:
            numbers: of the records.
            again: 0, or which redraw of them this is.

        Raises:
            DataError: conditions and rules refuse nearly everything.
        """
        requests = [self.conditions.request(number, again) for number in numbers]
        self.decoder.tally = Tally()
        return self.drawn(requests), self.decoder.tally

    def drawn(self, requests: Sequence[Request]) -> list[list[Record]]:
        """Draw the records of some requests and compute their derived fields."""
        groups = self.decoder.records(requests, seed=self.job.recipe.generate.seed)
        return [[self.rules.compute(record) for record in group] for group in groups]
