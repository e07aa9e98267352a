"""The bytes of every token, for tokenizers that llguidance does not support itself: Unigram with metaspace, WordPiece."""

import json
import re
from collections.abc import Callable
from typing import Any

import llguidance
import llguidance.hf
from llguidance import TokenizerWrapper

from paracosm.foundation.errors import ModelError


class PieceTokenizer:
    """Adapter that gives llguidance the bytes of a tokenizer's tokens and its special tokens.

    The bytes of a word include the space before it, also at the beginning of a text, where decoding omits the space.
    """

    def __init__(self, tokenizer: Any, eos: int) -> None:
        self.tokenizer = tokenizer
        self.eos_token_id = eos
        self.bos_token_id = tokenizer.bos_token_id
        self.special_token_ids = sorted(set(tokenizer.all_special_ids))
        spell = _spelling(tokenizer)
        pieces = tokenizer.convert_ids_to_tokens(range(len(tokenizer)))
        special = set(self.special_token_ids)
        self.tokens = [
            (piece if number in special else spell(piece)).encode() for number, piece in enumerate(pieces)
        ]

    def __call__(self, text: bytes) -> list[int]:
        return self.tokenizer.encode(text.decode(errors="replace"), add_special_tokens=False)


def _spelling(tokenizer: Any) -> Any:
    decoder = json.loads(tokenizer.backend_tokenizer.to_str()).get("decoder") or {}
    match decoder.get("type"):
        case "Metaspace":
            return lambda piece: piece.replace(decoder["replacement"], " ")
        case "WordPiece":
            prefix = decoder["prefix"]
            return lambda piece: piece.removeprefix(prefix) if piece.startswith(prefix) else f" {piece}"
        case kind:
            raise ModelError(
                f"the base model's tokenizer (decoder {kind}) is not supported; choose a base model with byte-level BPE,"
                " SentencePiece or WordPiece"
            )


def grammar_tokenizer(tokenizer: Any, eos: int) -> llguidance.LLTokenizer:
    """Return the llguidance form of a tokenizer.

    Args:
        tokenizer: a fast Hugging Face tokenizer.
        eos: token that llguidance treats as end-of-text.

    Raises:
        ModelError: the family of the tokenizer is not supported.
    """
    try:
        return llguidance.hf.from_tokenizer(tokenizer, eos_token=eos)
    except ValueError:
        return llguidance.LLTokenizer(TokenizerWrapper(PieceTokenizer(tokenizer, eos)))


RESERVED = re.compile(r"\[unused\d+\]")
"""Entries that BERT's vocabularies reserve."""


def piece_texts(tokenizer: Any) -> list[str | None]:
    """Return the text of each token, with the space before a word.

    It is None for special tokens, reserved ones, and tokens that are a part of a character.

    Raises:
        ModelError: the family of the tokenizer is not supported.
    """
    decoder = json.loads(tokenizer.backend_tokenizer.to_str()).get("decoder") or {}
    spell = _from_bytes() if decoder.get("type") == "ByteLevel" else _spelling(tokenizer)
    special = set(tokenizer.all_special_ids)
    return [
        None if number in special or RESERVED.fullmatch(piece) else spell(piece)
        for number, piece in enumerate(tokenizer.convert_ids_to_tokens(range(len(tokenizer))))
    ]


def _from_bytes() -> Callable[[str], str | None]:
    """Return a decoder of byte-level pieces, in which each letter stands for a byte (GPT-2's table)."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [byte for byte in range(256) if byte not in printable]
    letters = {chr(byte): byte for byte in printable}
    letters |= {chr(256 + index): byte for index, byte in enumerate(others)}

    def read(piece: str) -> str | None:
        try:
            return bytes(letters[letter] for letter in piece).decode()
        except (KeyError, UnicodeDecodeError):
            return None

    return read
