"""The `generate` section: how many records, conditions, decoding."""

from typing import Annotated, Literal

from pydantic import Field

from paracosm.recipes.sections.section import Section

Quota = Literal["balanced"] | dict[str, Annotated[float, Field(gt=0, le=1)]]


class Generate(Section):
    """What is sampled from the adapter."""

    records: Annotated[int, Field(ge=1)] | None = None
    """How many synthetic records (subjects, for sequences); null makes as many as there are training records."""
    where: dict[str, str | int | float | bool] = {}
    """Values that every record has, such as {diagnosis: rare}. Any field with finetune.order=shuffled, see docs/generation.md."""
    quotas: dict[str, Quota] = {}
    """Per field: `balanced`, or the share of the records that each value gets; what is left over gets other values."""
    seeds: str | None = None
    """A CSV, JSONL or Parquet file of partial records, which are completed one after the other; empty cells are sampled.
    A relative path is looked for in the recipe's folder, then in the current one."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """1 samples the model's own distribution; lower is safer and less diverse."""
    temperatures: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Per field: a temperature of its own."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Draw only from the likeliest tokens that together reach this probability."""
    top_k: Annotated[int, Field(ge=1)] | None = None
    """Draw only from the k likeliest tokens."""
    min_p: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Draw only tokens with at least this share of the likeliest token's probability."""
    order: list[str] = []
    """Fields that are written first, in this order, such as a text before the columns; needs finetune.order=shuffled."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Records decoded at once; null takes what `memory_gb` holds. Part of the seed: another value can give other records."""
    memory_gb: Annotated[float, Field(gt=0)] = 2.0
    """What the key-value cache of one process may take, from which the batch size follows."""
    attempts: Annotated[int, Field(ge=1)] = 100
    """How often a record may be begun, on average, before its conditions and rules count as unsatisfiable."""
    text_passes: Annotated[int, Field(ge=1)] = 32
    """Masked models: passes in which a text is filled, a share of its tokens at random places in each."""
    refinements: Annotated[int, Field(ge=0)] = 2
    """Masked models: passes after that, each of which hides a tenth of the filled tokens and draws them again (Gibbs)."""
    rewrite: Annotated[float, Field(gt=0, le=1)] | None = None
    """Masked models: share of the words of each text in `seeds` that is drawn again in place; the rest is kept as it is."""
    drop_copies: Literal["exact", "near"] | None = None
    """Replace records that repeat a training record. This can hide memorisation from the evaluation: off by default."""
    engine: Literal["local", "ray", "vllm"] = "local"
    """`ray` spreads blocks of records over a cluster (extra `ray`), `vllm` samples on GPUs (extra `vllm`)."""
    formats: list[Literal["parquet", "csv", "jsonl"]] = ["parquet"]
    """Files to write; parquet is always written."""
    seed: int = 0
    """Seed of the samples."""
