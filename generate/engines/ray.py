"""Generation on a Ray cluster: Ray Data sends block numbers to actors, each of which holds the model.

Every node must see the run directory under the same path. Blocks return to this process, which writes the shards.
"""

import importlib.util
import os
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from paracosm.finetune.distributed.processes import is_leader
from paracosm.foundation.errors import ModelError
from paracosm.generate.engines.blocks import Block, BlockGenerator, GenerationJob


class BlockActor:
    """Holds the model on one node and generates one block at a time."""

    def __init__(self, job: GenerationJob) -> None:
        self.generator = BlockGenerator(job)

    def __call__(self, batch: dict[str, Any]) -> dict[str, Any]:
        import cloudpickle

        blocks = [self.generator.generate(int(number)) for number in batch["item"]]
        # As bytes, because Ray would convert records to Arrow columns and lose their types.
        return {"block": np.array([cloudpickle.dumps(block) for block in blocks], dtype=object)}


class RayEngine:
    """A Ray cluster: the one at RAY_ADDRESS, or a new one on this machine."""

    def __init__(self, job: GenerationJob) -> None:
        if importlib.util.find_spec("ray") is None:
            raise ModelError("generate.engine: ray is not installed; run: pip install 'paracosm[ray]'")
        self.job = job

    def generate(self, blocks: Sequence[int]) -> Iterator[Block]:
        if not is_leader() or not blocks:
            return
        # Ray sends usage statistics to its developers by default; nothing may leave this machine.
        os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
        os.environ.setdefault("RAY_DATA_DISABLE_PROGRESS_BARS", "1")
        import cloudpickle
        import ray

        if not ray.is_initialized():
            ray.init(log_to_driver=False)
        ray.data.DataContext.get_current().enable_progress_bars = False
        actors = _actors(ray, len(blocks))
        resources: dict[str, Any] = {"num_gpus": 1} if ray.cluster_resources().get("GPU") else {"num_cpus": 1}
        rows = (
            ray.data.from_items(list(blocks), override_num_blocks=len(blocks))
            .map_batches(
                BlockActor,
                fn_constructor_args=(self.job,),
                batch_size=1,
                compute=ray.data.ActorPoolStrategy(size=actors),
                **resources,
            )
            .iter_rows()
        )
        for row in rows:
            yield cloudpickle.loads(row["block"])


def _actors(ray: Any, blocks: int) -> int:
    """Return how many actors to start: one per GPU, without GPUs one per node, at most one per block."""
    gpus = int(ray.cluster_resources().get("GPU", 0))
    nodes = sum(node["Alive"] for node in ray.nodes())
    return max(1, min(gpus or nodes, blocks))
