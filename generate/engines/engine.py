"""Engines: what turns block numbers into records. Each makes the same kinds of records under the same grammar."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from paracosm.finetune.distributed.processes import rank, world
from paracosm.generate.engines.blocks import Block, BlockGenerator, GenerationJob


class Engine(Protocol):
    """Makes blocks of records, in any order."""

    def make(self, blocks: Sequence[int]) -> Iterator[Block]:
        """Yield each of these blocks that falls to this process, as soon as it is whole."""
        ...


class Local:
    """This process, or all processes of an `accelerate launch`: each takes every n-th block."""

    def __init__(self, maker: BlockGenerator) -> None:
        self.maker = maker

    def make(self, blocks: Sequence[int]) -> Iterator[Block]:
        for block in blocks:
            if block % world() == rank():
                yield self.maker.make(block)


def engine(job: GenerationJob, maker: BlockGenerator) -> Engine:
    """Return the engine that the recipe names.

    Raises:
        ModelError: its package is not installed, or it cannot make what the recipe asks.
    """
    match job.recipe.generate.engine:
        case "ray":
            from paracosm.generate.engines.ray import Ray

            return Ray(job)
        case "vllm":
            from paracosm.generate.engines.vllm import Vllm

            return Vllm(maker)
        case _:
            return Local(maker)
