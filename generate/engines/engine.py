"""Protocol of a generation engine, the engine of local processes, and the choice of the engine that a recipe names."""

from collections.abc import Iterator, Sequence
from typing import Protocol

from paracosm.finetune.distributed.processes import rank, world
from paracosm.generate.engines.blocks import Block, BlockGenerator, GenerationJob


class Engine(Protocol):
    """Generates blocks of records, in any order."""

    def generate(self, blocks: Sequence[int]) -> Iterator[Block]:
        """Yield those of the blocks that this process is responsible for, each as soon as it is complete."""
        ...


class LocalEngine:
    """This process, or all processes of an `accelerate launch`: with n processes, each takes every n-th block."""

    def __init__(self, generator: BlockGenerator) -> None:
        self.generator = generator

    def generate(self, blocks: Sequence[int]) -> Iterator[Block]:
        for block in blocks:
            if block % world() == rank():
                yield self.generator.generate(block)


def engine_of(job: GenerationJob, generator: BlockGenerator) -> Engine:
    """Return the engine that the recipe names.

    Raises:
        ModelError: its package is not installed, or it does not support what the recipe asks for.
    """
    match job.recipe.generate.engine:
        case "ray":
            from paracosm.generate.engines.ray import RayEngine

            return RayEngine(job)
        case "vllm":
            from paracosm.generate.engines.vllm import VllmEngine

            return VllmEngine(generator)
        case _:
            return LocalEngine(generator)
