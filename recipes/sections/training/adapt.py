"""The `adapt` section: training of the base model on an unlabelled corpus of the domain, before the records."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field, WithJsonSchema, field_serializer, model_validator

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.recipes.sections.data import SEVERAL, SOURCE_SCHEMA, Bounds, joined_sources
from paracosm.recipes.sections.section import Section

FULL_LEARNING_RATE = 5e-5
"""Default learning rate where every weight is trained."""


class Adapt(Section):
    """Domain adaptation (continued pretraining) with TRL, before the records are learnt. Extra `adapt`."""

    source: Annotated[str, BeforeValidator(joined_sources), WithJsonSchema(SOURCE_SCHEMA)]
    """The corpus: whatever `data.source` reads, such as a folder of documents or a JSONL file of conversations. It is trained on
    as it is: neither `data.pii` nor `privacy` applies to it."""
    name: str | None = None
    """Name of the corpus, for the card; null names only its kind, such as a local file."""
    column: str | None = None
    """Column with the texts or the conversations; null takes `messages`, `conversations` or `text`, or the only column."""
    loss: Literal["assistant", "all"] = "assistant"
    """Conversations: the messages whose tokens are learnt, those of the assistant or all. Texts are learnt whole."""
    method: Literal["lora", "full"] = "lora"
    """`lora` trains an adapter that is merged into the base model; `full` trains all weights and stores a whole model."""
    rank: Annotated[int, Field(ge=1, le=512)] = 16
    """LoRA rank. Higher learns more of the domain and uses more memory."""
    alpha: Annotated[float, Field(gt=0)] = 32.0
    """LoRA scale: updates are multiplied by alpha / rank."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 1e-3
    """Peak learning rate, which falls to zero along a cosine. Default with the method full: 5e-5."""
    warmup_steps: Annotated[int, Field(ge=0)] = 10
    """Steps over which the learning rate rises linearly to its peak."""
    epochs: Annotated[int, Field(ge=1)] = 1
    """Passes over the corpus. Higher fits the domain closer and memorises more of its documents."""
    block: Annotated[int, Field(ge=16)] = 512
    """Tokens of a training sequence. Documents are packed into blocks and do not see each other; longer ones are divided."""
    batch_size: Annotated[int, Field(ge=1)] = 8
    """Blocks per optimizer step, over all processes."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Use at most this many documents, drawn at random; null uses all."""
    held_out: Annotated[float, Field(ge=0, lt=0.5)] = 0.05
    """Share of the documents that is not trained on, to measure bits per document before and after; 0 measures nothing."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: slower, far less memory."""
    seed: int = 0
    """Seed of the initial adapter weights, the order of the blocks, and the documents that are held out."""
    bounds: Bounds = Bounds()

    @model_validator(mode="before")
    @classmethod
    def _defaults_of_method(cls, given: Any) -> Any:
        if isinstance(given, dict) and given.get("method") == "full":
            return {"learning_rate": FULL_LEARNING_RATE} | given
        return given

    @field_serializer("source", when_used="json")
    def _without_password(self, source: str) -> str | list[str]:
        """Hide a password: this form is stored in the run directory and in digests."""
        return source.split(SEVERAL) if SEVERAL in source else redact_url(source)

    def __repr_args__(self) -> Any:
        """Return the fields as pydantic does, with the password of the source hidden."""
        for name, value in super().__repr_args__():
            yield name, redact_url(value) if name == "source" and isinstance(value, str) else value
