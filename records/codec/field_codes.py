"""Encoding of each field: of a closed domain as an automaton, of numbers and dates as bins where there are bins, of a text as its tokens."""

from dataclasses import dataclass

from paracosm.foundation.errors import DataError
from paracosm.records.codec.automata.field_code import FieldCode, with_missing
from paracosm.records.codec.bins.binned_code import binned_code
from paracosm.records.codec.bins.histogram import Histogram
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer, plain_tokens, single_token
from paracosm.records.schema.schema import Field, Value


@dataclass(frozen=True)
class TextCode:
    """Encoding of a text field: a presence token if the field is nullable, the tokens of the text, a stop token.

    Attributes:
        field: the text field.
        missing: token of a missing text and token before a present one; None if the field is not nullable.
    """

    field: Field
    missing: tuple[int, int] | None

    def encode(self, value: Value, tokenizer: Tokenizer, alphabet: SymbolTokens) -> list[int]:
        """Return the token ids of a text, or of a missing one.

        Raises:
            DataError: the tokenizer cannot represent the text.
        """
        if value is None:
            assert self.missing is not None
            return [self.missing[0]]
        ids = plain_tokens(tokenizer, str(value))
        if tokenizer.decode(ids) != value or alphabet.unused in ids:
            raise DataError(
                f"field {self.field.name!r}: the base model's tokenizer cannot represent a text of {len(str(value))} characters without"
                " loss; choose a base model with a byte-level tokenizer, or leave the field out with data.drop"
            )
        return [*([self.missing[1]] if self.missing else []), *ids, alphabet.stop]


def code_of(
    field: Field, bins: Histogram | None, tokenizer: Tokenizer, alphabet: SymbolTokens
) -> FieldCode | TextCode:
    """Return the encoding of a field.

    Args:
        field: the field.
        bins: of a number or date that is written as its bin; None for the encoding of its kind.
        tokenizer: tokenizer of the base model.
        alphabet: tokens of digits and of the stop symbol.
    """
    if field.is_text:
        if not field.nullable:
            return TextCode(field, None)
        absent = single_token(tokenizer, "?", {alphabet.stop})
        return TextCode(field, (absent, single_token(tokenizer, ":", {alphabet.stop, absent})))
    if bins is None:
        return field.code(tokenizer, alphabet)
    code = binned_code(bins, field.kind.numbering(field), tokenizer, alphabet)
    return with_missing(code, tokenizer, alphabet) if field.nullable else code


def describe_value(value: Value) -> str:
    """Return a short description of a value for an error message, without the content of texts."""
    return f"a text of {len(value)} characters" if isinstance(value, str) else repr(value)
