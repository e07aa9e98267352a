"""Reading of answers: a JSON object in a text, and its values in the types and domains of the fields."""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from paracosm.generate.constraints.guide import Guide
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.prompting.natural_writing import ABSENT, shown
from paracosm.records.schema.schema import Field, Record, Schema, Value


class Invalid(Exception):  # noqa: N818  # a finding, not an error of the program
    """An answer that is not valid.

    Attributes:
        reason: what is counted, without a value of the answer.
        remark: what the model is told.
    """

    def __init__(self, reason: str, remark: str = "") -> None:
        super().__init__(reason)
        self.reason = reason
        self.remark = remark or reason


def read_answer(text: str, schema: Schema, names: Sequence[str]) -> Record:
    """Return the values of some fields in an answer.

    Args:
        text: the answer; words around the object are passed over.
        schema: the fields.
        names: those that were asked for.

    Raises:
        Invalid: it holds no object, or a field is missing or outside its domain.
    """
    plain = _object(text)
    values: Record = {}
    for name in names:
        if name not in plain:
            raise Invalid(f"the key {name!r} is missing")
        values[name] = _value(schema[name], plain[name])
    return values


def check_values(
    guide: Guide | None, schema: Schema, values: Mapping[str, Value], names: Sequence[str]
) -> None:
    """Check the constraints on some fields of a record.

    Args:
        guide: constraints on the record; None for none.
        schema: its fields in the order in which the guide numbers them.
        values: all fields that are known.
        names: the fields that were written.

    Raises:
        Invalid: a rule, a relation, a condition or the copy filter refuses them.
    """
    if guide is None:
        return
    fields = [field.name for field in schema.modelled]
    for name in names:
        violation = guide.violation(fields.index(name), values)
        if violation is not None:
            raise Invalid(violation, f"{violation} is not met")


def with_derived(guide: Guide | None, values: Record, names: Sequence[str]) -> Record:
    """Return values with the fields computed that rules derive and nobody writes."""
    shared = getattr(guide, "shared", None)
    if not isinstance(shared, RuleConstraints) or not shared.derived - set(values):
        return values
    computed = shared.rules.compute({**dict.fromkeys(shared.derived), **values})
    return {name: computed[name] for name in (*values, *(shared.derived - set(values)))}


def _object(text: str) -> dict[str, Any]:
    begin, end = text.find("{"), text.rfind("}")
    if begin < 0 or end < begin:
        raise Invalid("not a JSON object")
    try:
        plain = json.loads(text[begin : end + 1], strict=False)
    except (ValueError, RecursionError) as error:
        raise Invalid("not a JSON object") from error
    if not isinstance(plain, dict):
        raise Invalid("not a JSON object")
    return plain


def _value(field: Field, plain: Any) -> Value:
    """Return a JSON value as a value of a field; forms that differ in nothing but writing are accepted."""
    absent = plain is None or (isinstance(plain, str) and plain.strip().casefold() in (*ABSENT, "", "null"))
    try:
        value = None if absent and field.nullable else _present(field, plain)
    except (ValueError, KeyError, TypeError, OverflowError) as error:
        raise Invalid(f"{field.name}: not {_kind(field)}") from error
    if not field.allows(value):
        raise Invalid(
            f"{field.name}: outside its domain", f"{field.name}: {str(plain)[:80]!r} is outside its domain"
        )
    return value


def _kind(field: Field) -> str:
    return f"{'an' if field.type[0] in 'aeiou' else 'a'} {field.type}"


def _present(field: Field, plain: Any) -> Value:
    if field.is_text:
        if not isinstance(plain, str):
            raise ValueError
        return plain.strip()
    if field.kind.expressed_as == "truth":
        words = {
            True: True,
            False: False,
            field.true.casefold(): True,
            field.false.casefold(): False,
            "true": True,
            "false": False,
        }
        return words[plain.strip().casefold() if isinstance(plain, str) else plain]
    if field.discrete:
        return _category(field, str(plain).strip())
    if isinstance(plain, bool):
        raise TypeError
    if isinstance(plain, int | float):
        if field.is_whole and plain != int(plain):
            raise ValueError
        return field.kind.computed(field, plain)
    text = str(plain).strip()
    try:
        return field.read(text)
    except (ValueError, KeyError):
        if field.is_moment:
            return field.kind.computed(field, datetime.fromisoformat(text).replace(tzinfo=None))
        return _present(field, float(text))


def _category(field: Field, text: str) -> str:
    """Return the category of a text, also with other capitals or spaces where only one category is meant."""
    if text in field.categories:
        return text
    folded = " ".join(text.split()).casefold()
    meant = [each for each in field.categories if shown(field, each).casefold() == folded]
    if len(meant) != 1:
        raise Invalid(
            f"{field.name}: outside its domain",
            f"{field.name}: {text[:80]!r} is not one of the allowed values",
        )
    return meant[0]
