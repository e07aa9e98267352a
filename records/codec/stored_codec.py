"""The file `codec.json`: a codec without its tokenizer."""

import json
from typing import Any

from paracosm.foundation.errors import ModelError
from paracosm.records.codec.bins.histogram import Histogram
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.passage_sizes import Passages
from paracosm.records.codec.tokens.symbol_tokens import Tokenizer
from paracosm.records.schema.schema import Schema

FORMAT = 1
"""Version of `codec.json`."""


def codec_to_json(codec: Codec) -> str:
    """Return a codec, without its tokenizer, as JSON that `codec_from_json` reads back."""
    schema = json.loads(codec.schema.to_json())
    plain: dict[str, Any] = {"format": FORMAT, "layout": codec.layout, "schema": schema}
    if codec.prompt:
        plain["prompt"] = list(codec.prompt)
    if codec.text_tokens:
        plain["text_tokens"] = dict(codec.text_tokens)
    if codec.passages is not None:
        plain["passages"] = codec.passages.to_plain()
    if codec.bins:
        plain["bins"] = {name: histogram.to_plain() for name, histogram in codec.bins.items()}
    return json.dumps(plain, ensure_ascii=False, indent=1)


def codec_from_json(text: str, tokenizer: Tokenizer) -> Codec:
    """Return the codec that `codec_to_json` wrote.

    Raises:
        ModelError: the format is that of another version of Paracosm.
    """
    plain = json.loads(text)
    if plain["format"] != FORMAT:
        raise ModelError(
            f"codec.json has format {plain['format']}; this version of paracosm reads format {FORMAT}"
        )
    return Codec(
        Schema.from_json(json.dumps(plain["schema"])),
        tokenizer,
        plain["layout"],
        tuple(plain.get("prompt", ())),
        {name: (fewest, most) for name, (fewest, most) in plain.get("text_tokens", {}).items()},
        Passages.from_plain(plain["passages"]) if "passages" in plain else None,
        {name: Histogram.from_plain(bins) for name, bins in plain.get("bins", {}).items()},
    )
