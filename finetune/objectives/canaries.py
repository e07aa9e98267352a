"""Canaries: random records, each added to the training split with probability 1/2, for the privacy audit.

They are drawn from the schema and the seed, so under differential privacy they cost no budget and leave the guarantee
unchanged. A text is a prefix and random words that cannot be guessed (Meeus et al. 2025, The Canary's Echo). The prefix
is sampled from the base model, or taken from a training text if training is not private.
"""

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.finetune.models.base_model import device_type, load_base
from paracosm.foundation.errors import DataError
from paracosm.foundation.files import replacing
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.field_codes import TextCode
from paracosm.records.schema.schema import Field, Record, Value
from paracosm.records.schema.table import read_table, to_records, to_table, write_table

if TYPE_CHECKING:
    from paracosm.records.codec.tokens.symbol_tokens import Tokenizer

INCLUDED = "canary_included"
"""Column of `canaries.parquet`: whether the canary is part of training."""
STREAM = 83
"""Distinguishes the draws of canaries from other draws with the same seed."""
PREFIX_TOKENS = 12
SUFFIX_WORDS = 8
ATTEMPTS = 50
"""Draws of a text before giving up on a field; the second half is made without a prefix."""
MISSING = 0.1
"""Probability that a nullable field of a canary is missing."""


def included_canaries(recipe: Recipe, run: Run, codec: Codec, train: Sequence[Record]) -> list[Record]:
    """Return the canaries that are part of training; the first call draws all canaries and writes them to the run.

    Args:
        recipe: `finetune.canaries` and the seed are read.
        run: `canaries.parquet` is written to it, with the canaries that are left out of training.
        codec: of the records.
        train: the training records, whose texts provide prefixes, unless training is private.

    Raises:
        DataError: no random text within a field's maximum length can be encoded.
    """
    count = recipe.finetune.canaries
    if not count:
        return []
    if not run.canaries.is_file():
        rng = np.random.default_rng([recipe.finetune.seed, STREAM])
        prefixes = _prefixes(recipe, codec, train, count, rng)
        canaries = [_canary(codec, prefix, rng) for prefix in prefixes]
        _write(canaries, rng.random(count) < 0.5, run, codec)
    table = read_table(run.canaries, codec.schema)
    included = pq.read_table(run.canaries, columns=[INCLUDED]).column(0).to_pylist()
    return [record for record, is_in in zip(to_records(table, codec.schema), included, strict=True) if is_in]


def _write(canaries: list[Record], included: np.ndarray, run: Run, codec: Codec) -> None:
    with replacing(run.canaries) as partial:
        write_table(to_table(canaries, codec.schema), partial, codec.schema)
        table = pq.read_table(partial)
        pq.write_table(table.append_column(INCLUDED, pa.array(included)), partial, compression="zstd")


def _canary(codec: Codec, prefix: str, rng: np.random.Generator) -> Record:
    return {
        field.name: _value(field, lambda field=field: _text(field, codec, prefix, rng), rng)
        for field in codec.fields
    }


def _value(field: Field, text: Callable[[], str], rng: np.random.Generator) -> Value:
    """Draw a value uniformly from the domain of a field."""
    if field.nullable and rng.random() < MISSING:
        return None
    return text() if field.is_text else field.kind.draw(field, rng)


def _text(field: Field, codec: Codec, prefix: str, rng: np.random.Generator) -> str:
    """Return `prefix` and random words after it, cut to the field's maximum length."""
    field_index = codec.fields.index(field)
    words = _words(codec.tokenizer)
    for attempt in range(ATTEMPTS):
        drawn = [words[int(at)] for at in rng.integers(len(words), size=SUFFIX_WORDS)]
        start = prefix if attempt < ATTEMPTS // 2 else ""
        room = field.max_length - sum(len(word) + 1 for word in drawn)
        text = f"{start[: max(0, room)].strip()} {' '.join(drawn)}".strip()[: field.max_length].strip()
        if field.allows(text) and _encodes(codec, field_index, text):
            return text
    raise DataError(
        f"finetune.canaries: no random text of at most {field.max_length} characters can be encoded for the field {field.name!r}"
    )


def _encodes(codec: Codec, field_index: int, text: str) -> bool:
    try:
        codec.encode_value(field_index, text)
    except DataError:
        return False
    return True


def _words(tokenizer: "Tokenizer") -> list[str]:
    """Return the tokens that are lower-case words: the most bits per character for a model to memorise."""
    texts = {tokenizer.decode([token]).strip() for token in range(len(tokenizer))}
    return sorted(
        word for word in texts if word.isascii() and word.isalpha() and word.islower() and len(word) > 1
    ) or list("abcdefgh")


def _prefixes(
    recipe: Recipe, codec: Codec, train: Sequence[Record], count: int, rng: np.random.Generator
) -> list[str]:
    """Return one text prefix per canary; empty strings if the schema has no text field."""
    text_fields = [
        field.name
        for field, code in zip(codec.fields, codec.codes, strict=True)
        if isinstance(code, TextCode)
    ]
    if not text_fields:
        return [""] * count
    if recipe.privacy is None:
        texts = [str(record[text_fields[0]]) for record in train if record[text_fields[0]]] or [""]
        return [
            " ".join(texts[int(at)].split()[:PREFIX_TOKENS]) for at in rng.integers(len(texts), size=count)
        ]
    return _sampled_prefixes(recipe, codec, count)


def _sampled_prefixes(recipe: Recipe, codec: Codec, count: int) -> list[str]:
    """Sample prefixes from the base model: a prefix of a training text would put that record's words into a second one."""
    import torch

    torch.manual_seed(recipe.finetune.seed)
    base = load_base(recipe.model).to(device_type())  # type: ignore[arg-type]  # typed as unbound
    start = torch.full((count, 1), codec.start, device=base.device)
    with torch.inference_mode():
        ids = base.generate(
            start, max_new_tokens=PREFIX_TOKENS, do_sample=True, top_k=0, pad_token_id=codec.alphabet.stop
        )  # type: ignore[operator]
    texts = [codec.tokenizer.decode(row[1:].tolist()) for row in ids]
    return [" ".join(text.replace("�", " ").split()) for text in texts]
