"""Tokens of single symbols in any tokenizer: digits, signs, and the start and end of records and texts."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from paracosm.foundation.errors import ModelError

SYMBOLS = "0123456789+-"
RARE = "\x1e"
"""A control character that does not occur in records, for tokenizers with one special token only."""


class Tokenizer(Protocol):
    """The interface of Hugging Face tokenizers that the codec uses."""

    eos_token_id: int | None
    bos_token_id: int | None
    sep_token_id: int | None
    cls_token_id: int | None
    all_special_ids: Sequence[int]

    def encode(self, text: str, *, add_special_tokens: bool) -> list[int]: ...
    def decode(self, token_ids: Sequence[int]) -> str: ...
    def __len__(self) -> int: ...


@dataclass(frozen=True)
class SymbolTokens:
    """Token ids of single symbols, all different.

    Attributes:
        symbols: "0" to "9", "+", "-" -> token id.
        start: token before a record.
        stop: token that ends a text, or a value that is a prefix of another one.
        unused: token that does not occur in any encoding. llguidance needs it as end-of-text token, because it ends the whole
            grammar there.
    """

    symbols: dict[str, int]
    start: int
    stop: int
    unused: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "SymbolTokens":
        """Return the symbol tokens of `tokenizer`.

        Raises:
            ModelError: the tokenizer has no special token, so nothing can end a text.
        """
        special = sorted(set(tokenizer.all_special_ids))
        if not special:
            raise ModelError(
                "the tokenizer has no special token that could end a text; choose another base model"
            )
        end = tokenizer.eos_token_id if tokenizer.eos_token_id is not None else tokenizer.sep_token_id
        end = special[-1] if end is None else end
        starts = (tokenizer.bos_token_id, tokenizer.cls_token_id, end)
        start = next(token for token in starts if token is not None)
        spare = [token for token in special if token not in (start, end)]
        taken = set(special)
        symbols = {}
        for symbol in SYMBOLS:
            symbols[symbol] = single_token(tokenizer, symbol, taken)
            taken.add(symbols[symbol])
        if spare:
            return cls(symbols, start, stop=spare[0], unused=end)
        return cls(symbols, start, stop=end, unused=single_token(tokenizer, RARE, taken))


def plain_tokens(tokenizer: Tokenizer, text: str) -> list[int]:
    """Return the tokens of `text`, reading strings such as `<|im_end|>` as text and not as special tokens."""
    if not text:
        return []
    return tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)  # type: ignore[call-arg]


def single_token(tokenizer: Tokenizer, word: str, taken: set[int]) -> int:
    """Return a token for `word` that is not in `taken`: one of its own tokens, else one of a variant, else any other."""
    for spelling in (word, f" {word}", word.lower(), word.upper(), word.capitalize()):
        for token in plain_tokens(tokenizer, spelling):
            if token not in taken and (tokenizer.decode([token]).strip() or word == RARE):
                return token
    return next(token for token in range(len(tokenizer)) if token not in taken)
