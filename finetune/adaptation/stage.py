"""The `adapt` sub-stage: train the base model on a corpus of its domain, and keep the weights that the records stand on."""

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.finetune.adaptation.corpus import Corpus, corpus_facts, read_corpus
from paracosm.finetune.distributed.processes import barrier, is_leader, run_on_leader, world
from paracosm.finetune.distributed.sharding import full_weights
from paracosm.finetune.distributed.stage import run_on_all
from paracosm.finetune.models.base_model import base_digest, check_objective, load_tokenizer
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.models.weight_files import write_errors
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import DataError
from paracosm.foundation.extras import require_extra
from paracosm.foundation.files import replacing
from paracosm.foundation.progress import Progress
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import check_unchanged
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.training.adapt import Adapt

if TYPE_CHECKING:
    from peft import LoraConfig
    from transformers import PreTrainedModel, PreTrainedTokenizerBase

ONLY_SPEED = {"gradient_checkpointing", "bounds", "name"}
"""Settings that do not change what is learnt."""
MOST_MEASURED = 200
"""Held-out documents that are measured."""


def adapt(*, recipe: Recipe, run: Run, root: Path, progress: Progress) -> bool:
    """Run the `adapt` sub-stage unless it is up to date; resume where a killed run stopped.

    Every process of an `accelerate launch` calls this; the leader writes.

    Args:
        recipe: `model` and `adapt` are read; it has the latter.
        run: a run whose `records` stage is done.
        root: the folder that a relative `adapt.source` starts from.
        progress: receives progress lines.

    Returns:
        Whether anything was trained.

    Raises:
        DataError: the corpus cannot be read.
        ModelError: the base model is missing or unsuitable.
        MissingExtraError: TRL is not installed.
    """
    require_extra("trl", "adapt", "the section adapt")
    return run_on_all(_Adapt(root), recipe=recipe, run=run, progress=progress)


class _Adapt:
    """The `adapt` sub-stage."""

    name = "adapt"

    def __init__(self, root: Path) -> None:
        self.root = root

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        return run_on_leader(lambda: stage_inputs(recipe, run, self.root))

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        check_objective(recipe.model, "causal")
        _check_other_file(recipe, run, self.root)

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        return _train(recipe, run, self.root, progress)


def stage_inputs(recipe: Recipe, run: Run, root: Path) -> dict[str, Any]:
    """Return everything that the adapted weights depend on.

    A finished adaptation stands without its corpus, which may be gone by now.

    Raises:
        DataError: the corpus cannot be read, and no finished adaptation with the same settings was trained on it.
    """
    check_unchanged(run, ("records",))
    settings = _settings(recipe)
    others = {
        "held_back": {
            name: file_digest(run.split(name)) for name in ("control", "test") if run.split(name).is_file()
        },
        "model": recipe.model.model_dump(mode="json"),
        "base": base_digest(recipe.model),
        "adapt": settings.model_dump(mode="json", exclude=ONLY_SPEED),
    }
    record = run.journal.stage("adapt")
    earlier = record.get("inputs", {})
    try:
        corpus = _corpus_digest(settings, root)
    except DataError:
        same = {key: value for key, value in earlier.items() if key != "corpus"} == others
        if record.get("status") != "done" or not same:
            raise
        corpus = earlier["corpus"]
    return {"corpus": corpus} | others


def _check_other_file(recipe: Recipe, run: Run, root: Path) -> None:
    """Refuse a corpus with the bytes of the private source. Whoever wrote it has all records, and learns nothing from this.

    Raises:
        DataError: its files have the same content.
    """
    source = run.journal.stage("records").get("inputs", {}).get("source")
    if recipe.privacy is not None and source == _corpus_digest(_settings(recipe), root):
        raise DataError(
            f"adapt.source: {_settings(recipe).source} is a copy of data.source, which privacy protects and adapt would train on without"
            " protection; name another corpus, or leave out adapt"
        )


def _settings(recipe: Recipe) -> Adapt:
    assert recipe.adapt is not None
    return recipe.adapt


def _corpus_digest(settings: Adapt, root: Path) -> str:
    from paracosm.records.sources.read_source import read_source, source_digest, table_digest

    data = Data(source=settings.source, nested="json", bounds=settings.bounds)
    try:
        return source_digest(data, root=root) or table_digest(read_source(data, root=root))
    except DataError as error:
        raise DataError(f"adapt.source: {error}") from error


@quiet_libraries()
def _train(recipe: Recipe, run: Run, root: Path, progress: Progress) -> dict[str, Any]:
    from transformers import set_seed

    from paracosm.finetune.adaptation.encoding import encode

    settings = _settings(recipe)
    corpus_file = run.adaptation_work / "corpus.json"
    if is_leader() and not corpus_file.is_file():
        read_corpus(recipe, run, root=root).save(corpus_file)
    barrier()
    corpus = Corpus.load(corpus_file)
    tokenizer = load_tokenizer(recipe.model)
    documents = encode(corpus.train, tokenizer, settings.loss)
    learnt = sum(sum(label >= 0 for label in document.labels) for document in documents)
    tokens = sum(len(document.ids) for document in documents)
    left_out = (
        f" · {corpus.held_back} more are in control or test and are left out" if corpus.held_back else ""
    )
    progress(
        f"corpus of {len(documents):,} documents, {tokens:,} tokens, {learnt:,} of them learnt{left_out}"
    )
    set_seed(settings.seed)
    trained = _fit(recipe, run, documents, tokenizer, progress)
    if not is_leader():
        barrier()
        return {}
    bits = _measure(recipe, run, corpus, tokenizer, trained["block"])
    if bits:
        progress(
            f"{bits['measured_documents']} held-out documents: {bits['bits_before']:.1f} bits each before, {bits['bits_after']:.1f} after"
        )
    barrier()
    shutil.rmtree(run.adaptation_work)
    return {
        **corpus_facts(corpus),
        "tokens": tokens,
        "learnt_tokens": learnt,
        "epochs": settings.epochs,
        "method": settings.method,
        "processes": world(),
        **trained,
        **bits,
    }


def _fit(
    recipe: Recipe,
    run: Run,
    documents: list[Any],
    tokenizer: "PreTrainedTokenizerBase",
    progress: Progress,
) -> dict[str, Any]:
    """Train, and write the weights to the run."""
    from paracosm.finetune.adaptation.trainer import adaptation_trainer, separates_documents
    from paracosm.finetune.models.base_model import load_for_training, max_positions
    from paracosm.finetune.training.checkpoint import last_whole_checkpoint

    settings = _settings(recipe)
    whole = settings.method == "full"
    # In bfloat16 the small steps of an optimizer would be rounded away.
    section = recipe.model.model_copy(update={"dtype": "float32"}) if whole else recipe.model
    model = load_for_training(section, objective="causal")
    limit = max_positions(model)
    if limit is not None and settings.block > limit:
        settings = settings.model_copy(update={"block": limit})
    if whole:
        model.requires_grad_(True)
    folder = run.adaptation_work / "checkpoints"
    last = is_leader() and last_whole_checkpoint(folder, progress)
    checkpoint = run_on_leader(lambda: str(last) if last else None)
    trainer = adaptation_trainer(
        model,
        tokenizer,
        documents,
        settings,
        folder=folder,
        lora=None if whole else adapter_config(settings),
        packed=separates_documents(model),
        world_size=world(),
        progress=progress,
    )
    trainable = sum(weights.numel() for weights in trainer.model.parameters() if weights.requires_grad)  # type: ignore[union-attr]  # set by the constructor
    blocks = trainer.blocks.blocks
    if checkpoint:
        progress(f"resuming at {Path(checkpoint).name}")
    trainer.train(resume_from_checkpoint=checkpoint)
    trainer.accelerator.wait_for_everyone()
    weights = full_weights(trainer.model)  # type: ignore[arg-type]  # set by the constructor
    if is_leader():
        _save(trainer.model, weights, recipe, run)  # type: ignore[arg-type]  # set by the constructor
    return {
        "block": settings.block,
        "blocks": blocks,
        "steps": trainer.state.global_step,
        "trainable_parameters": trainable,
    }


def adapter_config(settings: Adapt) -> "LoraConfig":
    """Return the configuration of the domain's adapter, for peft."""
    from paracosm.finetune.models.lora import lora_config

    return lora_config(Finetune(rank=settings.rank, alpha=settings.alpha))


def _save(model: "PreTrainedModel", weights: dict[str, Any], recipe: Recipe, run: Run) -> None:
    from paracosm.finetune.training.save_adapter import make_portable

    with replacing(run.adaptation) as folder, write_errors(run.adaptation):
        if _settings(recipe).method == "full":
            model.save_pretrained(folder, state_dict=weights)
        else:
            model.save_pretrained(folder, state_dict=weights, save_embedding_layers=False)
            make_portable(folder / "adapter_config.json", recipe.model)
        (folder / "README.md").unlink(missing_ok=True)


def _measure(
    recipe: Recipe, run: Run, corpus: Corpus, tokenizer: "PreTrainedTokenizerBase", block: int
) -> dict[str, Any]:
    """Return the bits per held-out document before and after; nothing where none is held out."""
    from paracosm.finetune.adaptation.bits import document_nats, mean_bits
    from paracosm.finetune.adaptation.encoding import encode
    from paracosm.finetune.models.base_model import device_type
    from paracosm.finetune.models.domain import load_domain_base

    settings = _settings(recipe)
    if not corpus.held_out:
        return {}
    encoded = encode(corpus.held_out[:MOST_MEASURED], tokenizer, settings.loss)
    facts: dict[str, Any] = {"measured_documents": len(encoded)}
    for moment, domain in (("before", None), ("after", run.adaptation)):
        model = load_domain_base(recipe.model, domain).to(device_type())  # type: ignore[arg-type]  # typed as unbound
        bits, per_token = mean_bits(document_nats(model, encoded, block=block))
        facts |= {f"bits_{moment}": round(bits, 3), f"bits_per_token_{moment}": round(per_token, 4)}
    return facts
