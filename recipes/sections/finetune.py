"""The `finetune` section: objective, method, and defaults that depend on both."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import Field, model_validator

from paracosm.recipes.sections.section import Objective, Section

MASKED = {"learning_rate": 1e-3, "epochs": 200, "patience": 15, "average_decay": 0.995}


RATE_OF_WHOLE = {"causal": 1e-4, "masked": 3e-4}


def with_suited_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a recipe says of training, and below it what suits its objective and its method."""
    # As words, because what is given has not been checked yet.
    objective = str(given.get("objective", "causal"))
    suited: dict[str, Any] = dict(MASKED) if objective == "masked" else {}
    if given.get("method") == "full" and objective in RATE_OF_WHOLE:
        suited["learning_rate"] = RATE_OF_WHOLE[objective]
    return suited | dict(given)


class Prompt(Section):
    """Instructions that stand before every record, in the chat template of an instruct model."""

    system: str | None = None
    """Who the model is."""
    user: str | None = None
    """What it is asked for."""

    @model_validator(mode="after")
    def _says_something(self) -> "Prompt":
        if not self.system and not self.user:
            raise ValueError("says nothing; give it a user or a system text, or leave it out")
        return self


class Finetune(Section):
    """How the adapter is trained."""

    objective: Objective = "causal"
    """`causal` predicts the next token; `masked` is for BERT-like models, which fill hidden cells and stretches of text."""
    method: Literal["lora", "rslora", "dora", "full"] = "lora"
    """`lora`; `rslora` scales by the square root of the rank; `dora` learns lengths apart; `full` trains every weight, no adapter."""
    prompt: Prompt | None = None
    """A system or user text before every record, for instruct models; null: none."""
    rank: Annotated[int, Field(ge=1, le=512)] = 16
    """LoRA rank."""
    alpha: Annotated[float, Field(gt=0)] = 32
    """LoRA scale: the update is multiplied by alpha / rank."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout on the adapter's input."""
    target_modules: str | list[str] = "all-linear"
    """Which linear layers get an adapter."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 3e-3
    """Peak learning rate. Of a masked model the default is 1e-3; where every weight trains, 1e-4, and 3e-4 of a masked one."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """How the learning rate falls over the planned epochs."""
    warmup_steps: Annotated[int, Field(ge=0)] = 10
    """Steps of linear warm-up."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """AdamW weight decay."""
    epochs: Annotated[int, Field(ge=1)] = 20
    """Passes over the training records at most; early stopping may end sooner. Of a masked model the default is 200."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """Stop training after this many minutes of wall time; those before a kill count up to the checkpoint that is gone on from."""
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.97
    """Decay per step of the moving average of the adapter's weights, which is what is kept; 0 keeps the last weights.
    Of a masked model the default is 0.995."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Records in one optimizer step, over all processes."""
    micro_batch_size: Annotated[int, Field(ge=1)] | None = None
    """Records in one forward pass of one process; the rest is accumulated. null: as many as the step holds."""
    gradient_checkpointing: bool = False
    """Compute activations again in the backward pass: a third more time, far less memory with long texts or large models."""
    packing: bool | None = None
    """Records of a forward pass one behind the other instead of padded to the longest; none sees another. null: where texts differ in length."""
    order: Literal["fixed", "shuffled"] = "fixed"
    """Field order: as in the table, or drawn anew for every record in every epoch."""
    smoothing: Annotated[int, Field(ge=0)] | None = None
    """Ranks by which numbers and dates move at random in every epoch, so that last digits are not learnt by
    heart; null: the cube root of the number of training records; 0: they stay."""
    patience: Annotated[int, Field(ge=1)] | None = 2
    """Evaluations without a lower control loss before training stops; null never stops early. Of a masked model the default is 15."""
    evaluations_per_epoch: Annotated[int, Field(ge=1)] = 1
    """How often the control loss is measured."""
    seed: int = 0
    """Seed of the adapter's initial weights, of the batches and of the field orders."""
    canaries: Annotated[int, Field(ge=0)] = 0
    """Random records to make, each of which a coin puts among the training records, so that the evaluation can audit
    what the adapter gives away; kept in the run, not in the adapter. At least 100 say anything."""

    @model_validator(mode="before")
    @classmethod
    def _what_suits_it(cls, given: Any) -> Any:
        return with_suited_defaults(given) if isinstance(given, dict) else given
