"""The `finetune` stage: train a model on a run's records, and write it with its codec to the adapter folder."""

from pathlib import Path
from typing import Any

from paracosm.finetune.distributed.processes import is_leader, world
from paracosm.finetune.distributed.stage import run_on_all
from paracosm.finetune.models.base_model import base_digest, check_objective
from paracosm.finetune.models.domain import domain_digest
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.tracking.servers import check_tracker
from paracosm.foundation.digests import file_digest
from paracosm.foundation.progress import Progress, silent
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import check_unchanged

ONLY_SPEED = {"micro_batch_size", "gradient_checkpointing", "packing"}
"""Settings that change time and memory, but not what is learnt."""


def train(
    *,
    recipe: Recipe,
    run: Run,
    root: Path | None = None,
    progress: Progress = silent,
    domain: Path | None = None,
) -> bool:
    """Run the `finetune` stage unless it is up to date; resume where a killed run stopped.

    With the section `adapt`, the base model is trained on its corpus first. Every process of an `accelerate launch` calls this;
    the leader writes.

    Args:
        recipe: the whole recipe; `model`, `finetune` and `privacy` are read.
        run: a run whose `records` stage is done.
        root: the folder that the relative path of `adapt.source` starts from; the current one when absent.
        progress: receives progress lines.
        domain: folder of weights that the same `adapt` section trained for another run, to stand on instead of training them
            again.

    Returns:
        Whether anything was trained (False: the stage was up to date).

    Raises:
        ModelError: the base model is missing or unsuitable.
        DataError: the records cannot be encoded for it, or the corpus cannot be read.
        MissingExtraError: the recipe adapts the base model, and TRL is not installed.
    """
    adapted = False
    if domain is None:
        domain, adapted = adapted_base(recipe, run, root, progress)
    return run_on_all(_Finetune(domain), recipe=recipe, run=run, progress=progress) or adapted


def adapted_base(recipe: Recipe, run: Run, root: Path | None, progress: Progress) -> tuple[Path | None, bool]:
    """Train the base model on the corpus of the section `adapt`, where there is one and it is not up to date.

    Returns:
        The folder of the weights, None without that section; and whether anything was trained.
    """
    if recipe.adapt is None:
        return None, False
    from paracosm.finetune.adaptation.stage import adapt

    adapted = adapt(recipe=recipe, run=run, root=root or Path(), progress=progress)
    return run.adaptation, adapted


class _Finetune:
    """The `finetune` stage, on the weights of a domain where there are some."""

    name = "finetune"

    def __init__(self, domain: Path | None) -> None:
        self.domain = domain

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        return stage_inputs(recipe, run, self.domain)

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        check_tracker(recipe.track)

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        return train_adapter(recipe, run, progress, self.domain)


def stage_inputs(recipe: Recipe, run: Run, domain: Path | None = None) -> dict[str, Any]:
    """Return everything that the adapter depends on.

    Raises:
        RunError: a split or the schema is not as the records stage left it.
    """
    check_unchanged(run, ("records",))
    private = {} if recipe.privacy is None else {"privacy": recipe.privacy.model_dump(mode="json")}
    return {
        "splits": {name: file_digest(run.split(name)) for name in ("train", "control")},
        "schema": file_digest(run.schema),
        "model": recipe.model.model_dump(mode="json"),
        "base": domain_digest(recipe.model, domain),
        "finetune": recipe.finetune.model_dump(mode="json", exclude=ONLY_SPEED),
    } | private


@quiet_libraries()
def train_adapter(recipe: Recipe, run: Run, progress: Progress, domain: Path | None = None) -> dict[str, Any]:
    """Train on all processes; the leader writes the adapter and returns the facts of the stage.

    Args:
        recipe: `model`, `finetune` and `privacy` are read.
        run: a run whose `records` stage is done.
        progress: receives progress lines.
        domain: folder of the weights of the `adapt` section; None for the base model as it was published.
    """
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
    make_objective = {"causal": causal_objective, "masked": masked_objective}[recipe.finetune.objective]
    objective = make_objective(recipe, run)
    train = objective.train
    model = with_adapter(recipe, objective.codec, train.max_tokens, domain)
    trainable = sum(weights.numel() for weights in model.parameters() if weights.requires_grad)
    canaries = f" ({objective.canaries} of them canaries)" if objective.canaries else ""
    documents = f"{train.record_count:,} documents{canaries} in " if objective.codec.passages else ""
    unit = "passages" if documents else f"records{canaries}"
    progress(
        f"{documents}{len(train):,} {unit} of {train.mean_tokens:.1f} tokens, of which the model predicts {objective.mean_decisions * train.record_count / len(train):.1f} · {trainable:,} trainable weights"
    )
    if objective.truncated:
        progress(f"{objective.truncated} of them have a text longer than the model reads; it is truncated")
    fitted = (fit if recipe.privacy is None else fit_privately)(model, objective, recipe, run, progress)
    if not is_leader():
        return {}
    save_adapter(fitted.model, objective.codec, objective.tokenizer, recipe, run, fitted.weights, domain)
    return {
        "base_model": public_name(recipe.model),
        "base_digest": base_digest(recipe.model),
        "layers": model.config.num_hidden_layers,
        "dtype": str(model.get_input_embeddings().weight.dtype).removeprefix("torch."),
        "method": recipe.finetune.method,
        "quantize": recipe.model.quantize,
        "rank": None if recipe.finetune.method == "full" else recipe.finetune.rank,
        "objective": recipe.finetune.objective,
        "smoothing_ranks": objective.smoothing_ranks,
        "trainable_parameters": trainable,
        "processes": world(),
        "tokens_per_record": round(train.mean_tokens * len(train) / train.record_count, 2),
        "passages": objective.codec.passages
        and objective.codec.passages.to_plain() | {"trained": len(train)},
        "decisions_per_record": round(objective.mean_decisions, 2),
        "control_records_with_unknown_values": objective.unencodable,
        "records_with_cut_texts": objective.truncated,
        "canaries": {"made": recipe.finetune.canaries, "planted": objective.canaries},
    } | fitted.facts
