"""Fitting an adapter by DP-SGD (Abadi et al. 2016): Poisson batches, clipped gradients per record, noise, all steps.

A loop of its own, because the guarantee rests on its every line: the loss of a record is the mean over its own decisions;
gradients are clipped record by record (Opacus); a step divides by the expected and not by the drawn size; a step with no
record adds its noise all the same; and nothing that depends on other records decides when it ends or what is kept.
"""

import json
import math
import time
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from paracosm.finetune.distributed.processes import world
from paracosm.finetune.dp.accountant import Budget, budget_of, budget_words
from paracosm.finetune.dp.per_sample_gradients import check_gradients, with_gradients_per_record
from paracosm.finetune.dp.privacy_unit import training_units
from paracosm.finetune.dp.secret_rng import SecretRng
from paracosm.finetune.dp.settings import unit_of
from paracosm.finetune.models.base_model import processor
from paracosm.finetune.models.lora import micro_batch_size
from paracosm.finetune.objectives.causal import CausalObjective
from paracosm.finetune.training.ema import ExponentialMovingAverage
from paracosm.finetune.training.fit import Fitted
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.files import replacing, write_text
from paracosm.foundation.progress import Progress
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.finetune import Finetune
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table

if TYPE_CHECKING:
    from opacus import GradSampleModule
    from transformers import PreTrainedModel

    from paracosm.finetune.dp.optimizer import SecretNoise

STATE = "private.pt"
GRADIENT_BYTES = 400_000_000
"""What the gradients of the records of one forward pass may take."""
SECONDS_BETWEEN_LINES = 10
CONTROL_BATCH = 32


@dataclass
class _TrainingState:
    """What a killed training needs to go on, beside its weights."""

    step: int = 0
    curve: list[dict[str, Any]] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    """Mean loss per decision of each record since the last evaluation."""


def fit_privately(
    model: "PreTrainedModel", material: CausalObjective, recipe: Recipe, run: Run, progress: Progress
) -> Fitted:
    """Train the adapter under the recipe's privacy budget; resume where a killed run stopped.

    Args:
        model: base model with an untrained adapter.
        material: the records.
        recipe: what `as_trained` returned.
        run: holds the checkpoint, the secret and the loss curve.
        progress: takes progress lines.

    Raises:
        RecipeError: the budget cannot be kept, or several processes were started.
        ModelError: gradients per record cannot be had of this model.
    """
    assert recipe.privacy is not None
    if world() > 1:
        raise RecipeError(
            f"privacy: trains in one process, and {world()} were started; run it without accelerate launch"
        )
    schema = Schema.load(run.schema)
    units = training_units(recipe, schema, read_table(run.split("train"), schema), len(material.train))
    budget = budget_of(recipe.privacy, len(units), unit_of(recipe))
    progress(budget_words(budget))
    if budget.expected_batch < 64:
        progress(
            f"warning: {budget.expected_batch:.0f} {budget.unit}s in a step; from 64 on the noise drowns less"
        )
    chance, resumed = _chance(run)
    # Field orders follow places in the table, which move when a record goes: only secret ones hide that.
    material.train.seed = chance.seed("orders")
    training = Training(model, material, recipe, budget, chance, units)
    state = training.resume(run.checkpoints / STATE) if resumed else _TrainingState()
    if state.step:
        progress(f"resuming at step {state.step}")
    difference = check_gradients(
        training.wrapped, material, _batch(training, range(min(4, len(material.train))))
    )
    speed = _train(training, state, run, progress)
    training.average.put()
    training.wrapped.remove_hooks()
    model.disable_input_require_grads()
    return Fitted(model, _facts(training, state, difference, speed, run))


class Training:
    """A model in private training: one step, its evaluation, and what is kept of it on disk."""

    def __init__(
        self,
        model: "PreTrainedModel",
        material: CausalObjective,
        recipe: Recipe,
        budget: Budget,
        chance: SecretRng,
        units: Sequence[Sequence[int]],
    ) -> None:
        settings = recipe.finetune
        self.material, self.budget, self.chance, self.units = material, budget, chance, units
        self.settings = settings
        self.device = torch.device(processor())
        model.to(self.device)  # type: ignore[arg-type]  # typed as unbound
        if settings.gradient_checkpointing:
            # Otherwise what is computed again in the backward pass runs past Opacus's hooks.
            model.gradient_checkpointing_enable({"use_reentrant": True})
        self.model = model
        self.wrapped: GradSampleModule = with_gradients_per_record(model)
        self.weights = [each for each in model.parameters() if each.requires_grad]
        self.average = ExponentialMovingAverage(model, settings.average_decay)
        self.optimizer = _optimizer(self.weights, settings, budget, chance)
        self.micro_batch = self._micro_batch(recipe)

    def _micro_batch(self, recipe: Recipe) -> int:
        fits = GRADIENT_BYTES // (4 * sum(each.numel() for each in self.weights))
        return max(1, min(fits, micro_batch_size(recipe, self.material.codec, self.material.longest, 1)))

    def step(self, number: int) -> list[float]:
        """Do step `number`, from 0, and return the loss of each record that joined it."""
        records = self.chance.sampled(number, self.units, self.budget.sampling_rate)
        self.material.train.begin_epoch(number)
        torch.manual_seed(self.chance.seed("dropout", number))
        self.optimizer.number = number
        for group in self.optimizer.param_groups:
            group["lr"] = self.settings.learning_rate * _rate(number, self.budget.steps, self.settings)
        losses: list[float] = []
        parts = [records[at : at + self.micro_batch] for at in range(0, len(records), self.micro_batch)]
        for place, part in enumerate(parts or [[]]):
            self.optimizer.zero_grad()
            if part:
                each = self.material.record_losses(self.wrapped, _batch(self, part))
                each.sum().backward()
                losses += each.detach().tolist()
            else:
                self._no_gradients()
            self.optimizer.signal_skip_step(do_skip=place + 1 < len(parts))
            self.optimizer.step()
        self.optimizer.zero_grad()
        self.average.update(number + 1)
        return losses

    def _no_gradients(self) -> None:
        """Leave the gradients of no record: the noise of this step is still added."""
        for each in self.weights:
            each.grad_sample = each.new_zeros((0, *each.shape))  # type: ignore[attr-defined]  # Opacus's attribute

    def control_bits(self) -> float:
        """Return the mean bits per control record under the averaged weights. Nothing is decided by it."""
        control, model, total = self.material.control, self.model, 0.0
        model.eval()
        with torch.no_grad(), self.average.in_place():
            for at in range(0, len(control), CONTROL_BATCH):
                rows = range(at, min(at + CONTROL_BATCH, len(control)))
                batch = _on(self.device, self.material.collate([control[row] for row in rows]))
                total += float(self.material.summed_loss(model, batch))
        model.train()
        return total / math.log(2) / len(control)

    def keep(self, path: Path, state: _TrainingState) -> None:
        """Write everything that going on needs, in one step."""
        found = {
            "progress": asdict(state),
            "weights": [each.detach().cpu() for each in self.weights],
            "average": {name: each.cpu() for name, each in self.average.average.items()},
            "optimizer": self.optimizer.original_optimizer.state_dict(),
        }
        with replacing(path) as partial:
            torch.save(found, partial)

    def resume(self, path: Path) -> _TrainingState:
        """Take up what `keep` wrote."""
        found = torch.load(path, map_location=self.device, weights_only=True)
        with torch.no_grad():
            for weights, kept in zip(self.weights, found["weights"], strict=True):
                weights.copy_(kept)
        self.average.average = found["average"]
        self.optimizer.original_optimizer.load_state_dict(found["optimizer"])
        return _TrainingState(**found["progress"])


def _chance(run: Run) -> tuple[SecretRng, bool]:
    """Return the chance of this training, and whether it goes on; one that begins is counted in `run.json`."""
    kept = SecretRng.kept(run.checkpoints)
    if kept is not None and (run.checkpoints / STATE).is_file():
        return kept, True
    if kept is not None:
        return kept, False
    # Weights without the secret of their noise cannot go on.
    (run.checkpoints / STATE).unlink(missing_ok=True)
    run.journal.note(private_trainings=run.journal.read().get("private_trainings", 0) + 1)
    return SecretRng.begin(run.checkpoints), False


def _optimizer(
    weights: list[torch.nn.Parameter], settings: Finetune, budget: Budget, chance: SecretRng
) -> "SecretNoise":
    from paracosm.finetune.dp.optimizer import SecretNoise

    return SecretNoise(
        torch.optim.AdamW(weights, lr=settings.learning_rate, weight_decay=settings.weight_decay),
        chance=chance,
        noise_multiplier=budget.noise_multiplier,
        max_grad_norm=budget.max_grad_norm,
        expected_batch_size=budget.expected_batch,
        loss_reduction="mean",
    )


def _rate(step: int, steps: int, settings: Finetune) -> float:
    """Return the share of the learning rate in a step, from 0."""
    if step < settings.warmup_steps:
        return (step + 1) / (settings.warmup_steps + 1)
    done = (step - settings.warmup_steps) / max(1, steps - settings.warmup_steps)
    return {"constant": 1.0, "linear": 1 - done, "cosine": (1 + math.cos(math.pi * done)) / 2}[
        settings.schedule
    ]


def _batch(training: Training, records: Sequence[int]) -> dict[str, torch.Tensor]:
    material = training.material
    return _on(training.device, material.collate([material.train[record] for record in records]))


def _on(device: torch.device, batch: dict[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: each.to(device) for name, each in batch.items()}


def _train(training: Training, state: _TrainingState, run: Run, progress: Progress) -> float:
    """Do the steps that are left; return tokens per second."""
    budget, material = training.budget, training.material
    per_epoch = max(1, round(1 / budget.sampling_rate))
    interval = max(1, per_epoch // training.settings.evaluations_per_epoch)
    began = last = time.monotonic()
    first = state.step
    training.wrapped.train()
    while state.step < budget.steps:
        state.losses += training.step(state.step)
        state.step += 1
        over = time.monotonic() - began
        pace = f"step {state.step}/{budget.steps} · about {over / (state.step - first) * (budget.steps - state.step) / 60:.1f} min left"
        if state.step % interval == 0 or state.step == budget.steps:
            line = _evaluated(training, state)
            write_text(run.history, "".join(json.dumps(each) + "\n" for each in state.curve))
            training.keep(run.checkpoints / STATE, state)
            progress(f"{pace} · control {line['control_bits']:.2f} bits per record")
            last = time.monotonic()
        elif time.monotonic() - last > SECONDS_BETWEEN_LINES:
            last = time.monotonic()
            progress(pace)
    done = (state.step - first) * budget.expected_batch * material.tokens
    return done / max(time.monotonic() - began, 1e-9)


def _evaluated(training: Training, state: _TrainingState) -> dict[str, Any]:
    losses = state.losses
    to_bits = training.material.decisions / math.log(2)
    line = {
        "step": state.step,
        "epoch": round(state.step * training.budget.sampling_rate, 4),
        "train_bits": sum(losses) / len(losses) * to_bits if losses else None,
        "control_bits": training.control_bits(),
    }
    state.curve.append(line)
    state.losses = []
    return line


def _facts(
    training: Training, state: _TrainingState, difference: float, speed: float, run: Run
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
            "reading": "all planned steps were done and their average kept, because control records decide nothing under differential privacy",
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
