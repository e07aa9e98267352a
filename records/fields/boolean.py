"""The kind `boolean`: two words for true and false."""

from collections.abc import Collection, Sequence
from typing import Any, ClassVar, Literal

import numpy as np
import pyarrow as pa

from paracosm.recipes.sections.data import FieldOverride
from paracosm.records.codec.automata.field_code import FieldCode, choice_code
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.fields.bases import Kind
from paracosm.records.fields.field import Field
from paracosm.records.fields.kind import Value
from paracosm.records.formats.boolean_format import DECLARED_PAIRS, declared_boolean_words


class Boolean(Kind):
    """True and false, in the words of the source."""

    name = "boolean"
    dtype: ClassVar[str] = "boolean"
    arrow: ClassVar[pa.DataType] = pa.bool_()
    croissant: ClassVar[str] = "sc:Boolean"
    discrete: ClassVar[bool] = True
    words: ClassVar[bool] = False
    json_value: ClassVar[bool] = True
    expressed_as: ClassVar[Literal["number", "text", "truth", "moment"]] = "truth"

    def format_of(self, cells: Sequence[str], override: FieldOverride) -> dict[str, Any] | None:
        return declared_boolean_words(list(cells))

    def misfit(self, cells: Collection[str]) -> str:
        return (
            f"its {len(cells)} distinct cells are not a known pair of words;"
            f" allowed: {', '.join(map('/'.join, DECLARED_PAIRS))}"
        )

    def read(self, field: Field, text: str) -> bool:
        return {field.true: True, field.false: False}[text]

    def write(self, field: Field, value: Any) -> str:
        return field.true if value else field.false

    def allows(self, field: Field, value: Value) -> bool:
        return isinstance(value, bool)

    def plain(self, cell: Any) -> bool:
        return bool(cell)

    def code(self, field: Field, tokenizer: Tokenizer, alphabet: SymbolTokens) -> FieldCode:
        return choice_code([(True, field.true), (False, field.false)], tokenizer, alphabet)

    def values(self, field: Field, at_most: int) -> list[Value] | None:
        return None if at_most < 2 else [True, False]

    def draw(self, field: Field, rng: np.random.Generator) -> bool:
        return bool(rng.random() < 0.5)

    def summary(self, field: Field) -> str:
        return "2 values"

    def recipe_text(self, field: Field, given: Any) -> str:
        text = super().recipe_text(field, given)
        return (
            text
            if text in (field.true, field.false)
            else {"true": field.true, "false": field.false}.get(text.lower(), text)
        )

    def example(self, field: Field) -> str:
        return f" (expected {field.true!r} or {field.false!r})"
