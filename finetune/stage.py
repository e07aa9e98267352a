"""The `finetune` stage: records and a base model in, an adapter with its codec out."""

from pathlib import Path
from typing import Any

from paracosm.finetune.distributed.processes import leading, world
from paracosm.finetune.distributed.stage import run_on_all
from paracosm.finetune.models.base_model import base_digest, check_objective
from paracosm.foundation.digests import file_digest
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run

# What only divides the same work leaves the adapter as it is.
ONLY_SPEED = {"micro_batch_size", "gradient_checkpointing", "packing"}


def train(*, recipe: Recipe, run: Run, root: Path | None = None, progress: Progress = silent) -> bool:
    """Run the `finetune` stage unless it is up to date; resume where a killed run stopped.

    Every process of an `accelerate launch` calls this; the first one writes.

    Args:
        recipe: the whole recipe; `model`, `finetune` and `privacy` are read.
        run: a run whose `records` stage is done.
        root: not read; the verbs share one signature.
        progress: takes progress lines.

    Returns:
        Whether anything was trained (False: the stage was up to date).

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: the records cannot be encoded for it.
    """
    return run_on_all(_Finetune(), recipe=recipe, run=run, progress=progress)


class _Finetune:
    """The `finetune` stage."""

    name = "finetune"

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        return stage_inputs(recipe, run)

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        pass

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        return _train(recipe, run, progress)


def stage_inputs(recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return everything that the adapter depends on."""
    private = {} if recipe.privacy is None else {"privacy": recipe.privacy.model_dump(mode="json")}
    return {
        "splits": {name: file_digest(run.split(name)) for name in ("train", "control")},
        "schema": file_digest(run.schema),
        "model": recipe.model.model_dump(mode="json"),
        "base": base_digest(recipe.model),
        "finetune": recipe.finetune.model_dump(mode="json", exclude=ONLY_SPEED),
    } | private


def _train(recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
    from transformers import set_seed

    from paracosm.finetune.dp.dp_sgd import fit_privately
    from paracosm.finetune.dp.settings import as_trained
    from paracosm.finetune.models.lora import with_adapter
    from paracosm.finetune.objectives.causal import causal_objective
    from paracosm.finetune.objectives.masked import masked_objective
    from paracosm.finetune.training.fit import fit
    from paracosm.finetune.training.save_adapter import public_name, save_adapter

    recipe = as_trained(recipe)
    set_seed(recipe.finetune.seed)
    check_objective(recipe.model, recipe.finetune.objective)
    material = {"causal": causal_objective, "masked": masked_objective}[recipe.finetune.objective](
        recipe, run
    )
    model = with_adapter(recipe, material.codec, material.longest)
    trainable = sum(weights.numel() for weights in model.parameters() if weights.requires_grad)
    canaries = f" ({material.planted} of them canaries)" if material.planted else ""
    progress(
        f"{len(material.train)} records{canaries} · {material.tokens:.1f} tokens each, {material.decisions:.1f} of them decisions · {trainable:,} trainable weights"
    )
    if material.cut:
        progress(
            f"{material.cut} of them hold a text longer than the model reads, of which the beginning is learnt"
        )
    fitted = (fit if recipe.privacy is None else fit_privately)(model, material, recipe, run, progress)
    if not leading():
        return {}
    save_adapter(fitted.model, material, recipe, run, fitted.weights)
    return {
        "base_model": public_name(recipe.model),
        "base_digest": base_digest(recipe.model),
        "layers": model.config.num_hidden_layers,
        "dtype": str(model.get_input_embeddings().weight.dtype).removeprefix("torch."),
        "method": recipe.finetune.method,
        "quantize": recipe.model.quantize,
        "rank": None if recipe.finetune.method == "full" else recipe.finetune.rank,
        "objective": recipe.finetune.objective,
        "smoothing_ranks": material.smoothing_ranks,
        "trainable_parameters": trainable,
        "processes": world(),
        "tokens_per_record": round(material.tokens, 2),
        "decisions_per_record": round(material.decisions, 2),
        "control_records_with_unknown_values": material.unknown,
        "records_with_cut_texts": material.cut,
        "canaries": {"made": recipe.finetune.canaries, "planted": material.planted},
    } | fitted.facts
