"""What training would refuse, found without weights in memory: a model without a head, and records longer than its input."""

from collections.abc import Sequence
from pathlib import Path

from paracosm.finetune.cost_estimate import config_as_trained
from paracosm.finetune.model_checks import built, check_weights
from paracosm.finetune.models.base_model import load_tokenizer, locate
from paracosm.finetune.models.chat_prompt import codec_for
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.objectives.masked import masked_codec
from paracosm.foundation.errors import DataError
from paracosm.recipes.recipe import Recipe
from paracosm.records.codec.codec import Codec
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.splitting.sequences import sequences

SPARE = 0.03
"""Share of the model's input that stays free where texts are cut: another cut can take a few more tokens."""
LONGEST_TRIED = 50
"""Records with the longest texts that are encoded first; if all fit, no other record is too long."""


@quiet_libraries()
def refuse_model(recipe: Recipe) -> None:
    """Check that the weights of a local base model are those of its configuration; a Hub id is not checked.

    Raises:
        ModelError: they have no head, lack a layer, or have other shapes or types.
    """
    from transformers import AutoModelForCausalLM, AutoModelForMaskedLM

    folder = Path(locate(recipe.model))
    if not folder.is_dir():
        return
    config = config_as_trained(recipe.model)
    classes = {"causal": AutoModelForCausalLM, "masked": AutoModelForMaskedLM}
    model = built(classes[recipe.finetune.objective], config, recipe.model.base)
    check_weights(recipe.model.base, folder, config, model)


@quiet_libraries()
def codec_of(recipe: Recipe, schema: Schema, train: list[Record]) -> Codec:
    """Return the codec that training would use."""
    tokenizer = load_tokenizer(recipe.model)
    if recipe.finetune.objective == "masked":
        return masked_codec(recipe, schema, tokenizer, train)
    return codec_for(recipe, schema, tokenizer, train)


def refuse_lengths(recipe: Recipe, codec: Codec, train: Sequence[Record]) -> None:
    """Check that the base model reads the longest record; a masked model cuts texts, and passages fit.

    Raises:
        DataError: training records are too long; the message counts them.
    """
    limit = getattr(config_as_trained(recipe.model), "max_position_embeddings", None)
    if limit is None or codec.objective == "masked" or codec.passages is not None:
        return
    texts = [field.name for field in codec.fields if field.is_text]
    sequence = codec.schema.sequence
    units = [[record] for record in train] if sequence is None else sequences(train, sequence)
    units.sort(key=lambda unit: -sum(len(str(record[name] or "")) for record in unit for name in texts))
    # Numbers and categories have a fixed width, so texts decide.
    if max(_tokens(codec, unit) for unit in units[:LONGEST_TRIED]) <= limit:
        return
    tokens = [_tokens(codec, unit) for unit in units]
    count = sum(length > limit for length in tokens)
    what = "sequences" if sequence is not None else "training records"
    cure = (
        "set data.longest_sequence"
        if sequence is not None
        else f"cut texts with data.longest_text={_fitting(codec, units, limit, texts)}, or name {texts[0]!r} in data.drop"
        if texts
        else "name columns in data.drop"
    )
    raise DataError(
        f"the longest record has {max(tokens)} tokens; {recipe.model.base!r} reads at most {limit}, and {count} of {len(tokens)} {what}"
        f" are longer: {cure}, or choose a model.base that reads more"
    )


def _fitting(codec: Codec, units: Sequence[Sequence[Record]], limit: int, texts: Sequence[str]) -> int:
    """Return a number of characters per text with which the longest records fit.

    Args:
        codec: of the records.
        units: the longest records come first.
        limit: tokens that the model reads.
        texts: names of the text fields.
    """
    longest = max(len(str(record[name] or "")) for unit in units for record in unit for name in texts)
    for share in (
        limit / max(_tokens(codec, unit) for unit in units[:LONGEST_TRIED]) * 0.95**step for step in range(90)
    ):
        characters = int(share * longest)
        cut = [
            [{**record, **{name: str(record[name] or "")[:characters] for name in texts}} for record in unit]
            for unit in units
        ]
        cut.sort(key=lambda unit: -sum(len(record[name]) for record in unit for name in texts))
        if max(_tokens(codec, unit) for unit in cut[:LONGEST_TRIED]) <= limit * (1 - SPARE):
            return max(20, characters)
    return 20


def _tokens(codec: Codec, unit: Sequence[Record]) -> int:
    """Return the number of tokens of a record, or of the records of a subject."""
    shared = set(codec.schema.sequence.shared) if codec.schema.sequence is not None else set()
    count = len(codec.opening) + len(unit) - 1
    for number, record in enumerate(unit):
        for index, field in enumerate(codec.fields):
            if number == 0 or field.name not in shared:
                count += len(codec.encode_value(index, record[field.name])) + bool(codec.markers)
    return count
