"""Encode the prompt of a recipe as the tokens before every record."""

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from paracosm.finetune.models.base_model import load_config
from paracosm.foundation.errors import ModelError, RecipeError
from paracosm.recipes.sections.finetune import Prompt
from paracosm.records.codec.bins.binned_fields import bins_of
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.passage_lengths import in_passages
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.search import from_plain

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from paracosm.recipes.recipe import Recipe
    from paracosm.records.schema.schema import Record, Schema


def codec_for(
    recipe: "Recipe", schema: "Schema", tokenizer: "PreTrainedTokenizerBase", train: "Sequence[Record]"
) -> Codec:
    """Return the codec of records for the recipe's causal model.

    Args:
        recipe: `data.target`, `model`, `finetune` and `privacy` are read.
        schema: of the records.
        tokenizer: of the base model.
        train: the training records; bins of numbers are fitted to them, and texts are written in passages if one of them is longer than the model's input. Under privacy no
            record may decide that, and sequences are not divided.

    Raises:
        ModelError: the tokenizer's chat template rejects the recipe's prompt, or the model reads less than `model.context`.
        DataError: the columns beside a long text leave no room for a passage.
        RecipeError: the target comes first, and the recipe has none.
    """
    settings = recipe.finetune
    if recipe.strategy == "combined":
        schema = texts_last(ordered(schema, recipe.data.target))
    else:
        schema = ordered(schema, recipe.data.target if settings.order == "target_first" else None)
    if settings.order == "target_first" and recipe.data.target is None:
        raise RecipeError("finetune.order: target_first needs data.target, the column that comes first")
    prompt = () if settings.prompt is None else prompt_tokens(settings.prompt, tokenizer)
    layout = "markers" if settings.order == "shuffled" else "places"
    bins = bins_of(recipe, schema, train, tokenizer)  # type: ignore[arg-type]  # typed more loosely
    codec = Codec(schema, tokenizer, layout, prompt, bins=bins)  # type: ignore[arg-type]
    if schema.sequence is not None or recipe.privacy is not None:
        return codec
    limit, context = getattr(load_config(recipe.model), "max_position_embeddings", None), recipe.model.context
    if limit is not None and context is not None and context > limit:
        raise ModelError(f"model.context: {recipe.model.base!r} reads at most {limit} tokens; got {context}")
    return in_passages(codec, train, limit=limit, context=context)


def ordered(schema: "Schema", first: str | None) -> "Schema":
    """Return the schema in the order in which records are written; the output keeps the order of the source.

    Args:
        schema: the fields in the order of the source.
        first: the field that comes first; None for none. Fields that are computed from others come after these.
    """
    names = Relations(schema, from_plain(schema.relations)).in_order(schema.names)
    if first is not None:
        names = sorted(names, key=lambda name: name != first)
    return replace(schema, fields=tuple(schema[name] for name in names))


def texts_last(schema: "Schema") -> "Schema":
    """Return a schema with its free texts after all other fields."""
    return replace(schema, fields=tuple(sorted(schema.fields, key=lambda field: field.is_text)))


def prompt_tokens(prompt: Prompt, tokenizer: "PreTrainedTokenizerBase") -> tuple[int, ...]:
    """Return the tokens of a prompt in the tokenizer's chat template, up to the start of the model's answer.

    Without a template the prompt is encoded as plain lines after the start token.

    Raises:
        ModelError: the template rejects the prompt.
    """
    from jinja2 import TemplateError

    texts = {"system": prompt.system, "user": prompt.user}
    if not tokenizer.chat_template:
        lines = [tokenizer.bos_token or "", *(f"{text}\n" for text in texts.values() if text)]
        return tuple(tokenizer.encode("".join(lines), add_special_tokens=False))
    messages = [{"role": role, "content": text} for role, text in texts.items() if text]
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except TemplateError as error:
        raise ModelError(
            f"finetune.prompt: the chat template of the base model rejects it: {error}"
        ) from error
    return tuple(tokenizer.encode(str(text), add_special_tokens=False))
