"""Tokens for single symbols, in any tokenizer: what the codec writes digits, signs and marks with."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from paracosm.foundation.errors import ModelError

SYMBOLS = "0123456789+-"
RARE = "\x1e"
"""A control character that records can do without, for tokenizers with one special token only."""


class Tokenizer(Protocol):
    """What the codec asks of a Hugging Face tokenizer."""

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
    """Token ids that stand for something, all different from each other.

    Attributes:
        symbols: "0" ... "9", "+", "-" -> token id.
        start: token that a record begins with.
        stop: token that ends a text, or a value that is the beginning of another one.
        unused: token that no encoding holds. llguidance needs one to call end-of-text, because it ends the whole
            grammar at that token and mistakes a second one.
    """

    symbols: dict[str, int]
    start: int
    stop: int
    unused: int

    @classmethod
    def of(cls, tokenizer: Tokenizer) -> "SymbolTokens":
        """Choose the tokens for `tokenizer`.

        Raises:
            ModelError: the tokenizer has no special token at all, so nothing can end a text.
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
    """Return the tokens of `text`, in which `<|im_end|>` and its like are text and not special tokens."""
    if not text:
        return []
    return tokenizer.encode(text, add_special_tokens=False, split_special_tokens=True)  # type: ignore[call-arg]


def single_token(tokenizer: Tokenizer, word: str, taken: set[int]) -> int:
    """Return a token for `word` that is not `taken`: its own one, else one close to it, else any free one."""
    for spelling in (word, f" {word}", word.lower(), word.upper(), word.capitalize()):
        for token in plain_tokens(tokenizer, spelling):
            if token not in taken and (tokenizer.decode([token]).strip() or word == RARE):
                return token
    return next(token for token in range(len(tokenizer)) if token not in taken)
