"""Train an adapter by DP-SGD (Abadi et al. 2016): Poisson sampling, clipped per-sample gradients, Gaussian noise.

This loop is separate from the ordinary trainer, because every line of it is part of the guarantee. The loss of a record is
the mean over its own decisions. Gradients are clipped per record (Opacus). A step divides by the expected batch size and
not by the sampled one. A step without records still adds noise. The number of steps is fixed and the last average is
saved, so no data decide when training ends or what is kept.
"""

import json
import math
import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import torch

from paracosm.finetune.distributed.processes import world
from paracosm.finetune.dp.accountant import Budget, budget_of, budget_words
from paracosm.finetune.dp.per_sample_gradients import check_gradients, with_per_sample_gradients
from paracosm.finetune.dp.privacy_unit import training_units
from paracosm.finetune.dp.sealed_checkpoint import STATE, SealedCheckpoint, TrainingState, secret_rng
from paracosm.finetune.dp.secret_rng import SecretRng
from paracosm.finetune.dp.settings import learning_rate_factor, unit_of
from paracosm.finetune.models.base_model import device_type
from paracosm.finetune.models.lora import micro_batch_size
from paracosm.finetune.objectives.causal import CausalObjective
from paracosm.finetune.tracking.tracked_run import TrackedRun
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.finetune.training.fit import Fitted
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.files import write_text
from paracosm.foundation.progress import Progress, Step
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.finetune import Finetune
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table

if TYPE_CHECKING:
    from opacus import GradSampleModule
    from transformers import PreTrainedModel

    from paracosm.finetune.dp.optimizer import SecretNoise

GRADIENT_BYTES = 400_000_000
"""Maximum memory of the per-sample gradients of one forward pass."""
CONTROL_BATCH = 32
"""Control records in one forward pass."""
RECOMMENDED_BATCH = 64
"""Expected batch size below which a warning is shown."""


def fit_privately(
    model: "PreTrainedModel", objective: CausalObjective, recipe: Recipe, run: Run, progress: Progress
) -> Fitted:
    """Train the adapter under the recipe's privacy budget, resuming from the checkpoint of a killed run.

    Args:
        model: base model with an untrained adapter.
        objective: data sets, collator and loss.
        recipe: as `as_trained` returns it.
        run: checkpoint, secret and loss curve are written to it.
        progress: receives progress lines.

    Raises:
        RecipeError: the budget cannot be kept, or several processes were started.
        ModelError: the model does not support per-sample gradients.
    """
    assert recipe.privacy is not None
    if world() > 1:
        raise RecipeError(
            f"privacy: private training runs in one process, but {world()} were started; run it without accelerate launch"
        )
    schema = Schema.load(run.schema)
    units = training_units(recipe, schema, read_table(run.split("train"), schema), len(objective.train))
    budget = budget_of(recipe.privacy, len(units), unit_of(recipe), with_corpus=recipe.adapt is not None)
    progress(budget_words(budget))
    if budget.expected_batch < RECOMMENDED_BATCH:
        progress(
            f"warning: {budget.expected_batch:.0f} {budget.unit}s per step; with {RECOMMENDED_BATCH} or more the noise harms less (privacy.batch_size)"
        )
    rng, resumed = secret_rng(run, progress)
    # Field orders depend on a record's row in the table, which changes when another record is removed; a secret seed hides that.
    objective.train.seed = rng.seed("orders")
    training = PrivateTraining(model, objective, recipe, budget, rng, units)
    state = training.checkpoint.load(run.checkpoints / STATE) if resumed else TrainingState()
    if state.step:
        progress(f"resuming at step {state.step}")
    difference = check_gradients(
        training.wrapped, objective, _batch(training, range(min(4, len(objective.train))))
    )
    tracked = TrackedRun(recipe, run, progress)
    speed = _train(training, state, run, tracked, progress)
    tracked.close()
    training.average.set_weights()
    training.wrapped.remove_hooks()
    model.disable_input_require_grads()
    return Fitted(model, _facts(training, state, difference, speed, run))


class PrivateTraining:
    """A model in private training: its steps and its evaluation."""

    def __init__(
        self,
        model: "PreTrainedModel",
        objective: CausalObjective,
        recipe: Recipe,
        budget: Budget,
        rng: SecretRng,
        units: Sequence[Sequence[int]],
    ) -> None:
        """Wrap the model for per-sample gradients.

        Args:
            model: base model with an untrained adapter.
            objective: data sets, collator and loss.
            recipe: as `as_trained` returns it.
            budget: noise, sampling rate and number of steps.
            rng: source of all randomness.
            units: record indices of each privacy unit.
        """
        settings = recipe.finetune
        self.objective, self.budget, self.rng, self.units = objective, budget, rng, units
        self.settings = settings
        self.device = torch.device(device_type())
        model.to(self.device)  # type: ignore[arg-type]  # typed as unbound
        if settings.gradient_checkpointing:
            # With the non-reentrant kind, recomputed activations bypass the hooks of Opacus.
            model.gradient_checkpointing_enable({"use_reentrant": True})
        self.model = model
        self.wrapped: GradSampleModule = with_per_sample_gradients(model)
        self.weights = [parameter for parameter in model.parameters() if parameter.requires_grad]
        self.average = ExponentialMovingAverage(model, settings.average_decay)
        self.optimizer = _optimizer(self.weights, settings, budget, rng)
        self.checkpoint = SealedCheckpoint(self.weights, self.average, self.optimizer.original_optimizer, rng)
        self.micro_batch = self._micro_batch(recipe)

    def _micro_batch(self, recipe: Recipe) -> int:
        limit = GRADIENT_BYTES // (4 * sum(weights.numel() for weights in self.weights))
        return max(
            1, min(limit, micro_batch_size(recipe, self.objective.codec, self.objective.train.max_tokens, 1))
        )

    def step(self, index: int) -> list[float]:
        """Do the step with this index, from 0, and return the loss of each sampled record."""
        records = self.rng.poisson_sample(index, self.units, self.budget.sampling_rate)
        self.objective.train.begin_epoch(index)
        torch.manual_seed(self.rng.seed("dropout", index))
        self.optimizer.step_index = index
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * learning_rate_factor(
                index, self.budget.steps, self.settings
            )
        losses: list[float] = []
        micro_batches = [
            records[at : at + self.micro_batch] for at in range(0, len(records), self.micro_batch)
        ]
        for number, micro_batch in enumerate(micro_batches or [[]], start=1):
            self.optimizer.zero_grad()
            if micro_batch:
                record_losses = self.objective.record_losses(self.wrapped, _batch(self, micro_batch))
                record_losses.sum().backward()
                losses += record_losses.detach().tolist()
            else:
                self._set_empty_gradients()
            self.optimizer.signal_skip_step(do_skip=number < len(micro_batches))
            self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update(index + 1)
        return losses

    def _set_empty_gradients(self) -> None:
        """Set the per-sample gradients of a step without records, to which noise is still added."""
        for weights in self.weights:
            weights.grad_sample = weights.new_zeros((0, *weights.shape))  # type: ignore[attr-defined]  # Opacus's attribute

    def control_bits(self) -> float:
        """Return the mean bits per control record under the averaged weights.

        For monitoring only; it does not influence training.
        """
        control, model, total = self.objective.control, self.model, 0.0
        model.eval()
        with torch.no_grad(), self.average.applied():
            for at in range(0, len(control), CONTROL_BATCH):
                rows = range(at, min(at + CONTROL_BATCH, len(control)))
                batch = _to_device(self.device, self.objective.collate([control[row] for row in rows]))
                total += float(self.objective.summed_loss(model, batch))
        model.train()
        return total / math.log(2) / len(control)


def _optimizer(
    weights: list[torch.nn.Parameter], settings: Finetune, budget: Budget, rng: SecretRng
) -> "SecretNoise":
    from paracosm.finetune.dp.optimizer import SecretNoise

    return SecretNoise(
        torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=settings.weight_decay),
        rng=rng,
        noise_multiplier=budget.noise_multiplier,
        max_grad_norm=budget.max_grad_norm,
        expected_batch_size=budget.expected_batch,
        loss_reduction="mean",
    )


def _batch(training: PrivateTraining, records: Sequence[int]) -> dict[str, torch.Tensor]:
    objective = training.objective
    return _to_device(training.device, objective.collate([objective.train[record] for record in records]))


def _to_device(device: torch.device, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.to(device) for name, tensor in batch.items()}


def _train(
    training: PrivateTraining, state: TrainingState, run: Run, tracked: TrackedRun, progress: Progress
) -> float:
    """Do the remaining steps; return tokens per second."""
    budget, objective = training.budget, training.objective
    per_epoch = max(1, round(1 / budget.sampling_rate))
    interval = max(1, per_epoch // training.settings.evaluations_per_epoch)
    began = time.monotonic()
    first = state.step
    training.wrapped.train()
    while state.step < budget.steps:
        state.losses += training.step(state.step)
        state.step += 1
        progress(Step("private training", state.step, budget.steps, unit="steps"))
        if state.step % interval == 0 or state.step == budget.steps:
            evaluation = _evaluate(training, state)
            write_text(run.history, "".join(json.dumps(point) + "\n" for point in state.curve))
            tracked.send_curve()
            training.checkpoint.save(run.checkpoints / STATE, state)
            progress(
                f"step {state.step} of {budget.steps} · control loss {evaluation['control_bits']:.2f} bits per record"
            )
    done = (state.step - first) * budget.expected_batch * objective.train.mean_tokens
    return done / max(time.monotonic() - began, 1e-9)


def _evaluate(training: PrivateTraining, state: TrainingState) -> dict[str, Any]:
    """Append the bits per train and control record to the loss curve, and return them."""
    losses = state.losses
    to_bits = training.objective.mean_decisions / math.log(2)
    evaluation = {
        "step": state.step,
        "epoch": round(state.step * training.budget.sampling_rate, 4),
        "train_bits": sum(losses) / len(losses) * to_bits if losses else None,
        "control_bits": training.control_bits(),
    }
    state.curve.append(evaluation)
    state.losses = []
    return evaluation


def _facts(
    training: PrivateTraining, state: TrainingState, difference: float, speed: float, run: Run
) -> dict[str, Any]:
    budget, curve = training.budget, state.curve
    device = training.device.type
    return {
        "device": device + (f" x {torch.get_num_threads()} threads" if device == "cpu" else ""),
        "tokens_per_second": round(speed, 1),
        "best_control_bits": round(curve[-1]["control_bits"], 4),
        "planned_epochs": training.settings.epochs,
        "stopped": {
            "epoch": curve[-1]["epoch"],
            "best_epoch": curve[-1]["epoch"],
            "best_step": curve[-1]["step"],
            "turned": False,
            "reading": "all planned steps were done and the final average was kept, because control records may not influence private training",
            "reason": "planned epochs done",
        },
        "epsilon": round(budget.epsilon, 4),
        "delta": budget.delta,
        "privacy": {
            "unit": budget.unit,
            "units": budget.units,
            "noise_multiplier": budget.noise_multiplier,
            "sampling_rate": budget.sampling_rate,
            "steps": budget.steps,
            "max_grad_norm": budget.max_grad_norm,
            "accountant": "PRV (Gopi, Lee & Wutschitz 2021), Opacus",
            "schema": "declared in the recipe",
            "gradient_difference": difference,
            "trainings": run.journal.read().get("private_trainings", 1),
        },
    }
