"""The `generate` section: number of records, conditions, sampling and output."""

from typing import Annotated, Any, Literal

from pydantic import Field, field_serializer, model_validator

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.recipes.sections.section import Section
from paracosm.recipes.sections.texts import Augment, Questions

Quota = Literal["balanced"] | dict[str, Annotated[float, Field(gt=0, le=1)]]


class Generate(Section):
    """Sampling of synthetic records."""

    records: Annotated[int, Field(ge=1)] | None = None
    """Number of synthetic records (of subjects, for sequences); null uses the number of training records."""
    where: dict[str, str | int | float | bool | None] = {}
    """Values that every record has, such as {diagnosis: rare}; null is a missing cell. With finetune.order=shuffled any field can be set; see
    docs/generation.md."""
    quotas: dict[str, Quota] = {}
    """Per field: `balanced`, or the share of records per value, such as {sex: {female: 0.7}}; the rest get other values.
    The key null is the missing cell."""
    seeds: str | None = None
    """CSV, JSONL or Parquet file of partial records, which are completed in turn: empty cells are sampled. A relative path
    starts in the recipe's folder, or else in the current folder."""
    temperature: Annotated[float, Field(gt=0)] = 1.0
    """1 samples the distribution that the model learned; lower prefers common values and is less diverse."""
    temperatures: dict[str, Annotated[float, Field(gt=0)]] = {}
    """Per field: a temperature that replaces `temperature`."""
    top_p: Annotated[float, Field(gt=0, le=1)] | None = None
    """Sample only from the most likely tokens that together reach this probability; lower is less diverse."""
    top_k: Annotated[int, Field(ge=1)] | None = None
    """Sample only from the k most likely tokens; lower is less diverse."""
    min_p: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Sample only tokens with at least this fraction of the most likely token's probability; higher is less diverse."""
    order: list[str] = []
    """Fields to generate first, in this order, such as a text before the columns; needs finetune.order=shuffled."""
    batch_size: Annotated[int, Field(ge=1)] | None = None
    """Records decoded in parallel; null derives it from `memory_gb`. Higher is faster and uses more memory; another value can
    give other records."""
    memory_gb: Annotated[float, Field(gt=0)] = 2.0
    """Memory of one process for the key-value cache, in GB, from which the batch size is derived."""
    attempts: Annotated[int, Field(ge=1)] = 100
    """Average number of attempts per record, after which conditions and rules are reported as unsatisfiable. Higher tolerates
    rarer conditions."""
    text_passes: Annotated[int, Field(ge=1)] = 32
    """Masked models: passes that fill a text, each at random positions. Higher gives better texts and is slower."""
    refinements: Annotated[int, Field(ge=0)] = 2
    """Masked models: further passes that resample a tenth of the filled tokens (Gibbs sampling). Higher is slower."""
    rewrite: Annotated[float, Field(gt=0, le=1)] | None = None
    """Masked models: share of the words of each text in `seeds` to resample in place; null keeps the texts. Higher changes more."""
    augment: Augment = Augment()
    questions: Questions | None = None
    """Questions and answers over the synthetic records, written beside them; `{}` takes all defaults."""
    drop_copies: Literal["exact", "near"] | None = None
    """Replace records that copy a training record exactly, or nearly. Off by default, because it can hide memorisation from the
    evaluation."""
    engine: Literal["local", "ray", "vllm"] = "local"
    """`local` samples in this process, `ray` on a cluster (extra `ray`), `vllm` on GPUs (extra `vllm`)."""
    formats: list[Literal["parquet", "csv", "jsonl", "messages"]] = ["parquet"]
    """File formats to write; parquet is always written. `messages` is JSONL with a line for each dialogue and its turns as a list, as
    chat data sets are; it needs `data.sequence`."""
    to: str | None = None
    """Database URL into which the records are written as well, such as postgresql://clerk:${DB_PASSWORD}@host/ward or
    sqlite:///made.db; needs `table` and the extra `sql`. All records or none, before they are measured."""
    table: str | None = None
    """Table that `to` writes, such as made or research.made; it gets the columns and types of the source."""
    existing_table: Literal["refuse", "append", "replace"] = "refuse"
    """What to do if `table` exists: `refuse`, `append` the records, or `replace` the table."""
    seed: int = 0
    """Seed of the sampling."""

    @model_validator(mode="after")
    def _table_and_database(self) -> "Generate":
        if (self.to is None) != (self.table is None):
            raise ValueError(
                "to and table belong together: to: postgresql://... names the database, table: made the table"
            )
        return self

    @field_serializer("to", when_used="json")
    def _without_password(self, to: str | None) -> str | None:
        """Hide a password: this form is stored in the run directory and in digests."""
        return None if to is None else redact_url(to)

    def __repr_args__(self) -> Any:
        """Return the fields as pydantic does, with the password of the database hidden."""
        for name, value in super().__repr_args__():
            yield name, redact_url(value) if name == "to" and isinstance(value, str) else value
