"""The prompt of a recipe as the tokens that stand before every record."""

from typing import TYPE_CHECKING

from paracosm.foundation.errors import ModelError
from paracosm.recipes.sections.finetune import Prompt
from paracosm.records.codec.codec import Codec

if TYPE_CHECKING:
    from transformers import PreTrainedTokenizerBase

    from paracosm.recipes.recipe import Recipe
    from paracosm.records.schema.schema import Schema


def codec_for(recipe: "Recipe", schema: "Schema", tokenizer: "PreTrainedTokenizerBase") -> Codec:
    """Return how the recipe writes records for a causal model.

    Raises:
        ModelError: the tokenizer's chat template refuses the recipe's prompt.
    """
    settings = recipe.finetune
    prompt = () if settings.prompt is None else prompt_tokens(settings.prompt, tokenizer)
    layout = "markers" if settings.order == "shuffled" else "places"
    return Codec(schema, tokenizer, layout, prompt)  # type: ignore[arg-type]  # typed more loosely


def prompt_tokens(prompt: Prompt, tokenizer: "PreTrainedTokenizerBase") -> tuple[int, ...]:
    """Return the prompt in the tokenizer's chat template, up to where the model answers; as plain lines where it has none.

    Raises:
        ModelError: the template refuses it.
    """
    from jinja2 import TemplateError

    said = {"system": prompt.system, "user": prompt.user}
    if not tokenizer.chat_template:
        lines = [tokenizer.bos_token or "", *(f"{text}\n" for text in said.values() if text)]
        return tuple(tokenizer.encode("".join(lines), add_special_tokens=False))
    messages = [{"role": role, "content": text} for role, text in said.items() if text]
    try:
        text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
    except TemplateError as fault:
        raise ModelError(
            f"finetune.prompt: the chat template of the base model refuses it: {fault}"
        ) from fault
    return tuple(tokenizer.encode(str(text), add_special_tokens=False))
