"""The `privacy` section: training with differential privacy (DP-SGD)."""

from typing import Annotated, Literal

from pydantic import Field

from paracosm.recipes.sections.section import Section


class Privacy(Section):
    """Differential privacy (DP-SGD, extra `dp`). epochs, batch_size, learning_rate and rank replace those of `finetune`."""

    epsilon: Annotated[float, Field(gt=0, le=50)]
    """Privacy budget of the training: lower gives a stronger guarantee and less faithful records. run.json and the card state
    the budget that was spent."""
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Probability with which the guarantee may fail; null uses 1/(n ln n) for n training units."""
    unit: Literal["record", "subject"] | None = None
    """What the guarantee protects: one record, or all records of one subject. null: the subject if `data.subject` is set,
    otherwise the record."""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """Norm to which the gradient of each unit is clipped. Higher distorts gradients less and adds more noise."""
    epochs: Annotated[int, Field(ge=1)] = 30
    """Expected passes over the training units. More passes need more noise per step. All are done: early stopping would
    spend privacy budget of the control records."""
    batch_size: Annotated[int, Field(ge=1)] = 128
    """Expected batch size; every step samples each unit independently (Poisson sampling). Higher averages out more noise and is
    slower."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 4e-3
    """Peak learning rate."""
    rank: Annotated[int, Field(ge=1, le=512)] = 4
    """LoRA rank. Noise grows with the number of trained parameters, so small ranks lose less utility."""
