"""The `finetune` stage: records and a base model in, an adapter with its codec out."""

from collections.abc import Collection
from typing import Any

from paracosm.finetune.distributed.processes import leading, on_leader_first, world
from paracosm.finetune.models.base_model import base_digest, check_objective
from paracosm.foundation.digests import file_digest
from paracosm.foundation.progress import Progress, to_stderr
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.section import Section


def train(*, recipe: Recipe, run: Run, progress: Progress = to_stderr) -> bool:
    """Fine-tune the base model on the run's training split; resume where a killed run stopped.

    Every process of an `accelerate launch` calls this; the first one writes.

    Args:
        recipe: the whole recipe; `model` and `finetune` are read.
        run: a run whose `records` stage is done.
        progress: takes progress lines.

    Returns:
        Whether anything was trained (False: the stage was done already).

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: the records cannot be encoded for it.
    """
    inputs = stage_inputs(recipe, run)
    if not leading():
        if not on_leader_first(lambda: run.is_done("finetune", inputs)):
            _train(recipe, run, lambda _: None)
        return False
    if on_leader_first(lambda: run.is_done("finetune", inputs)):
        return False
    return run.stage("finetune", inputs, lambda: _train(recipe, run, progress))


def stage_inputs(recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return everything that the adapter depends on."""
    splits = {name: file_digest(run.split(name)) for name in ("train", "control")}
    private = {} if recipe.privacy is None else {"privacy": recipe.privacy.model_dump(mode="json")}
    return {
        "splits": splits,
        "schema": file_digest(run.schema),
        "model": _stated(recipe.model, later={"quantize"}),
        "base": base_digest(recipe.model),
        # What only divides the same work leaves the adapter as it is.
        "finetune": _stated(
            recipe.finetune,
            without={"micro_batch_size", "gradient_checkpointing", "packing"},
            later={"method", "prompt", "canaries", "objective"},
        ),
    } | private


def _stated(section: Section, *, later: Collection[str], without: Collection[str] = ()) -> dict[str, Any]:
    """Return a section as it counts for an adapter; a key of `later` counts where it is set, so that older runs stay done."""
    plain = section.model_dump(mode="json", exclude=set(without))
    unset = {key for key in later if getattr(section, key) == type(section).model_fields[key].default}
    return {key: value for key, value in plain.items() if key not in unset}


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
