"""The `model` section: the base model and how it is loaded."""

from typing import Annotated, Literal

from pydantic import Field

from paracosm.recipes.sections.section import Section


class Model(Section):
    """The base language model."""

    base: str = "smollm2-135m"
    """An alias of `paracosm models`, a local folder, or a Hugging Face model id: a causal model, or a masked one for the
    objective `masked` (alias `bert-tiny`). Larger models fit texts better and are slower."""
    revision: str | None = None
    """Commit, tag or branch of a Hugging Face model; null uses the main branch."""
    layers: Annotated[int, Field(ge=1)] | None = None
    """Keep only the first N transformer layers; null keeps all. Fewer layers are faster, and often fit small tables better."""
    context: Annotated[int, Field(ge=64)] | None = None
    """Tokens that a causal model reads at once. If a record is longer, long texts are read and written passage by passage, each with the
    other columns and the end of the passage before in view. Lower uses less memory, higher keeps more of a text in view. null: what
    the model can read, at most 2,048."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the frozen weights. bfloat16 halves their memory; auto uses it where the processor supports it natively."""
    quantize: Literal["nf4", "int8"] | None = None
    """Store the frozen weights in 4 (nf4) or 8 bits (int8) while an adapter trains (QLoRA): less memory, slower steps. Extra
    `quantization`."""
