"""The `finetune` section: training objective, method and hyperparameters, with defaults per objective and method."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from paracosm.recipes.sections.section import Objective, Section

MASKED_DEFAULTS = {"learning_rate": 1e-3, "epochs": 200, "patience": 15, "average_decay": 0.995}
"""A masked model learns a random part of each record per pass, and needs more passes."""
FULL_LEARNING_RATES = {"causal": 1e-4, "masked": 3e-4}
"""Default learning rate per objective where every weight is trained: far below that of an adapter."""


def with_defaults(given: Mapping[str, Any]) -> dict[str, Any]:
    """Return the given settings, completed by the defaults of their objective and method.

    Args:
        given: the `finetune` section as written, not yet validated.
    """
    objective = str(given.get("objective", "causal"))
    defaults: dict[str, Any] = dict(MASKED_DEFAULTS) if objective == "masked" else {}
    if given.get("method") == "full" and objective in FULL_LEARNING_RATES:
        defaults["learning_rate"] = FULL_LEARNING_RATES[objective]
    return defaults | dict(given)


class Prompt(Section):
    """Instructions before every record, in the chat template of an instruct model."""

    system: str | None = None
    """System message."""
    user: str | None = None
    """User message."""

    @model_validator(mode="after")
    def _is_not_empty(self) -> "Prompt":
        if not self.system and not self.user:
            raise ValueError("is empty; set user or system, or leave the prompt out")
        return self


def _as_names(given: str | list[str]) -> str | list[str]:
    """Return a single name as a list: peft would take a text for a regular expression."""
    return [given] if isinstance(given, str) and given != "all-linear" else given


class Loss(Section):
    """The part of every record that is learnt; the rest is read before it, and not learnt."""

    columns: Annotated[list[str], Field(min_length=1)] | None = None
    """Columns to learn, such as [answer]; null learns all. The others are context, whose values the model cannot make well."""
    turns: dict[str, Annotated[list[str], Field(min_length=1)]] | None = None
    """Sequences: per column the values of the records to learn, such as {role: [assistant]}, each with whether another record follows
    it; null learns all records of a sequence."""

    @model_validator(mode="after")
    def _says_something(self) -> "Loss":
        if not self.columns and not self.turns:
            raise ValueError("is empty; set columns or turns, or leave the loss out to learn everything")
        return self


class Finetune(Section):
    """Fine-tuning of the base model on the training records."""

    objective: Objective = "causal"
    """`causal` predicts the next token; `masked` predicts hidden cells and spans of text, for BERT-like models."""
    method: Literal["lora", "rslora", "dora", "full"] = "lora"
    """`lora`; `rslora` scales updates by the square root of the rank; `dora` learns magnitudes separately; `full` trains all
    weights without an adapter, which needs far more memory."""
    prompt: Prompt | None = None
    """System or user message before every record, for instruct models; null uses none."""
    loss: Loss | None = None
    """Part of every record that is learnt; null learns all of it. For models that answer, not for models that make whole records."""
    rank: Annotated[int, Field(ge=1, le=512)] = 16
    """LoRA rank. Higher learns more detail, memorises more, and uses more memory."""
    alpha: Annotated[float, Field(gt=0)] = 32.0
    """LoRA scale: updates are multiplied by alpha / rank. Higher acts like a higher learning rate."""
    dropout: Annotated[float, Field(ge=0, lt=1)] = 0.0
    """Dropout on the input of the adapter. Higher memorises less and learns slower."""
    target_modules: Annotated[str | list[str], AfterValidator(_as_names)] = "all-linear"
    """Linear layers with an adapter: `all-linear`, or names such as [q_proj, v_proj]. Fewer layers train fewer weights."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 3e-3
    """Peak learning rate. Higher learns faster and can diverge. Default with the objective masked: 1e-3; with the method full:
    1e-4 (causal) or 3e-4 (masked)."""
    schedule: Literal["constant", "linear", "cosine"] = "constant"
    """Decay of the learning rate over the planned epochs."""
    warmup_steps: Annotated[int, Field(ge=0)] = 10
    """Steps over which the learning rate rises linearly to its peak."""
    weight_decay: Annotated[float, Field(ge=0)] = 0.0
    """AdamW weight decay. Higher keeps weights smaller."""
    epochs: Annotated[int, Field(ge=1)] = 20
    """Most passes over the training records; early stopping can end training before. Default with the objective masked: 200."""
    max_minutes: Annotated[float, Field(gt=0)] | None = None
    """Stop training after this many minutes; after an interruption, the minutes before the last checkpoint count too. null: no limit."""
    average_decay: Annotated[float, Field(ge=0, lt=1)] = 0.97
    """Decay per step of the exponential moving average of the weights, which is what is saved. Higher averages over more steps; 0
    saves the last weights. Default with the objective masked: 0.995."""
    batch_size: Annotated[int, Field(ge=1)] = 16
    """Records per optimizer step, over all processes. Higher is smoother and takes fewer steps per epoch."""
    micro_batch_size: Annotated[int, Field(ge=1)] | None = None
    """Records per forward pass of one process; gradients are accumulated. Lower uses less memory. null: the process's whole batch."""
    gradient_checkpointing: bool = False
    """Recompute activations in the backward pass: about a third slower, far less memory with long texts or large models."""
    packing: bool | None = None
    """Pack the records of a forward pass into one row instead of padding them; records do not see each other. null: only if
    their lengths differ enough to make it faster."""
    order: Literal["fixed", "target_first", "shuffled"] = "fixed"
    """Field order of records: `fixed` as in the table (with `privacy`, as in `data.fields`); `target_first` the same with
    `data.target` before the others, which allows exact conditions on it at no cost; `shuffled` at random per record and epoch,
    which allows conditions on any field and needs more epochs."""
    numbers: Literal["digits", "bins"] = "digits"
    """How numbers and dates are written: `digits` one by one, or `bins`: one token for one of about 32 bins that are fitted to the
    training records, with a fixed distribution inside each bin. Bins are faster and never leave the range of the training records;
    differences below the width of a bin are lost. Not with `privacy` or `data.sequence`."""
    smoothing: Annotated[int, Field(ge=0)] | None = None
    """Ranks by which numbers and dates are shifted at random per epoch (smoothed bootstrap), so that their last digits are not
    memorised. Higher blurs more; 0 disables it; null: cube root of the number of training records."""
    patience: Annotated[int, Field(ge=1)] | None = 2
    """Early stopping: evaluations without a lower control loss before training stops; null never stops early. Higher trains longer.
    Default with the objective masked: 15."""
    evaluations_per_epoch: Annotated[int, Field(ge=1)] = 1
    """Measurements of the control loss per epoch. Higher stops earlier and is slower."""
    seed: int = 0
    """Seed of the initial adapter weights, the batches and the field orders."""
    canaries: Annotated[int, Field(ge=0)] = 0
    """Number of canaries (random records), each added to the training records with probability 1/2, to audit how much the adapter
    reveals; kept in the run, not in the adapter. Fewer than 100 show little."""

    @model_validator(mode="before")
    @classmethod
    def _complete_defaults(cls, given: Any) -> Any:
        return with_defaults(given) if isinstance(given, dict) else given
