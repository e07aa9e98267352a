"""Canaries: random records, each of which a coin puts among the training records, for the audit of the evaluation.

They are made from the schema and the seed alone, never from a record, so that under differential privacy they cost
nothing and change nothing of what is proven. Texts begin as the base model writes them, or outside privacy as a training
text does, and end in words drawn at random, which nobody could guess (Meeus et al. 2025, The Canary's Echo).
"""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from paracosm.finetune.models.base_model import load_base, processor
from paracosm.foundation.errors import DataError
from paracosm.foundation.files import replacing
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.codec.codec import Codec, TextCode
from paracosm.records.schema.datetime_format import read_datetime
from paracosm.records.schema.schema import Field, Record, Value
from paracosm.records.schema.table import read_table, to_records, to_table, write_table

if TYPE_CHECKING:
    from paracosm.records.codec.tokens.symbol_tokens import Tokenizer

INCLUDED = "canary_included"
STREAM = 83
PREFIX_TOKENS = 12
SUFFIX_WORDS = 8
ATTEMPTS = 50
MISSING = 0.1
"""Share of the cells of a nullable field that are missing in a canary."""


def planted_records(recipe: Recipe, run: Run, codec: Codec, train: Sequence[Record]) -> list[Record]:
    """Return the canaries that train, made at the first call and kept in the run with those that stay out.

    Args:
        recipe: `finetune.canaries` and the seed are read.
        run: gets `canaries.parquet`.
        codec: of the records.
        train: the training records, whose texts lend beginnings where there is no privacy to keep.

    Raises:
        DataError: no text within the schema's lengths can be encoded.
    """
    count = recipe.finetune.canaries
    if not count:
        return []
    if not run.canaries.is_file():
        random = np.random.default_rng([recipe.finetune.seed, STREAM])
        beginnings = _beginnings(recipe, codec, train, count, random)
        canaries = [_canary(codec, beginnings[number], random) for number in range(count)]
        _write(canaries, random.random(count) < 0.5, run, codec)
    table = read_table(run.canaries, codec.schema)
    included = pq.read_table(run.canaries, columns=[INCLUDED]).column(0).to_pylist()
    return [
        record for record, goes_in in zip(to_records(table, codec.schema), included, strict=True) if goes_in
    ]


def _write(canaries: list[Record], included: np.ndarray, run: Run, codec: Codec) -> None:
    with replacing(run.canaries) as partial:
        write_table(to_table(canaries, codec.schema), partial, codec.schema)
        table = pq.read_table(partial)
        pq.write_table(table.append_column(INCLUDED, pa.array(included)), partial, compression="zstd")


def _canary(codec: Codec, beginning: str, random: np.random.Generator) -> Record:
    return {
        field.name: _value(field, lambda field=field: _text(field, codec, beginning, random), random)
        for field in codec.fields
    }


def _value(field: Field, text: Callable[[], str], random: np.random.Generator) -> Value:
    """Return a value of the field's domain, every one as likely as the other."""
    if field.nullable and random.random() < MISSING:
        return None
    match field.type:
        case "category":
            return field.categories[int(random.integers(len(field.categories)))]
        case "boolean":
            return bool(random.random() < 0.5)
        case "integer":
            return int(random.integers(field.minimum, field.maximum, endpoint=True))  # type: ignore[arg-type]
        case "number":
            return _number(field, random)
        case "datetime":
            return _moment(field, random)
        case _:
            return text()


def _number(field: Field, random: np.random.Generator) -> float:
    value = float(random.uniform(field.minimum, field.maximum))  # type: ignore[arg-type]
    if field.scientific:
        value = float(f"{value:.{field.scientific - 1}e}")
    else:
        value = round(value, field.decimals) + 0.0
    return value if field.allows(value) else float(field.minimum)  # type: ignore[arg-type]


def _moment(field: Field, random: np.random.Generator) -> datetime:
    assert isinstance(field.minimum, datetime)
    assert isinstance(field.maximum, datetime)
    after = timedelta(
        seconds=int(random.integers(0, int((field.maximum - field.minimum).total_seconds()) + 1))
    )
    moment = field.minimum + after
    if field.format:
        # To the precision with which the field is written.
        moment = read_datetime(moment.strftime(field.format), field.format)
    return moment if field.allows(moment) else field.minimum


def _text(field: Field, codec: Codec, beginning: str, random: np.random.Generator) -> str:
    """Return `beginning` and random words after it, cut to the field's length."""
    place = codec.fields.index(field)
    words = _words(codec.tokenizer)
    for attempt in range(ATTEMPTS):
        drawn = [words[int(at)] for at in random.integers(len(words), size=SUFFIX_WORDS)]
        opening = beginning if attempt < ATTEMPTS // 2 else ""
        room = field.max_length - sum(len(word) + 1 for word in drawn)
        text = f"{opening[: max(0, room)].strip()} {' '.join(drawn)}".strip()[: field.max_length].strip()
        if field.allows(text) and _encodes(codec, place, text):
            return text
    raise DataError(
        f"finetune.canaries: no random text fits the field {field.name!r} of {field.max_length} characters"
    )


def _encodes(codec: Codec, place: int, text: str) -> bool:
    try:
        codec.encode_value(place, text)
    except DataError:
        return False
    return True


def _words(tokenizer: "Tokenizer") -> list[str]:
    """Return the tokens that are words in small letters, so that a drawn word costs a model the most for its length."""
    found = {tokenizer.decode([token]).strip() for token in range(len(tokenizer))}
    return sorted(
        word for word in found if word.isascii() and word.isalpha() and word.islower() and len(word) > 1
    ) or list("abcdefgh")


def _beginnings(
    recipe: Recipe, codec: Codec, train: Sequence[Record], count: int, random: np.random.Generator
) -> list[str]:
    texts = [
        field.name
        for field, code in zip(codec.fields, codec.codes, strict=True)
        if isinstance(code, TextCode)
    ]
    if not texts:
        return [""] * count
    if recipe.privacy is None:
        known = [str(record[texts[0]]) for record in train if record[texts[0]]] or [""]
        return [
            " ".join(known[int(at)].split()[:PREFIX_TOKENS]) for at in random.integers(len(known), size=count)
        ]
    return _sampled(recipe, codec, count)


def _sampled(recipe: Recipe, codec: Codec, count: int) -> list[str]:
    """Sample beginnings from the base model: under privacy a training text's beginning would stand in two records."""
    import torch

    torch.manual_seed(recipe.finetune.seed)
    base = load_base(recipe.model).to(processor())  # type: ignore[arg-type]  # typed as unbound
    start = torch.full((count, 1), codec.start, device=base.device)
    with torch.inference_mode():
        ids = base.generate(
            start, max_new_tokens=PREFIX_TOKENS, do_sample=True, top_k=0, pad_token_id=codec.alphabet.stop
        )  # type: ignore[operator]
    texts = [codec.tokenizer.decode(row[1:].tolist()) for row in ids]
    return [" ".join(text.replace("�", " ").split()) for text in texts]
