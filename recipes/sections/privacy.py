"""The `privacy` section: training with differential privacy."""

from typing import Annotated, Literal

from pydantic import Field

from paracosm.recipes.sections.section import Section


class Privacy(Section):
    """Differential privacy (DP-SGD, extra `dp`). Its epochs, batch, rate and rank take the place of those under `finetune`."""

    epsilon: Annotated[float, Field(gt=0, le=50)]
    """The budget that training may spend; run.json and the card state what it did spend."""
    delta: Annotated[float, Field(gt=0, lt=1)] | None = None
    """Chance with which the bound may fail; null takes 1/(n ln n) for n training units."""
    unit: Literal["record", "subject"] | None = None
    """Whose presence is hidden: one record, or all records of one subject; null takes the subject where `data.subject` names one."""
    max_grad_norm: Annotated[float, Field(gt=0)] = 1.0
    """Length to which the gradient of each record is clipped."""
    epochs: Annotated[int, Field(ge=1)] = 30
    """Expected passes over the training units. All are done: stopping by the control loss would spend budget of the control records."""
    batch_size: Annotated[int, Field(ge=1)] = 128
    """Expected units in one step: every unit joins every step by a coin of its own."""
    learning_rate: Annotated[float, Field(gt=0, lt=1)] = 4e-3
    """Peak learning rate."""
    rank: Annotated[int, Field(ge=1, le=512)] = 4
    """LoRA rank; the noise grows with the number of weights, so that a small one loses less."""
