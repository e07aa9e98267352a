"""A field's domain in a few words that show no value of any record."""

from paracosm.records.schema.schema import Field


def domain_words(field: Field) -> str:
    """Return how large a field's domain is, for example `5 values` or `2 decimals`."""
    match field.type:
        case "category":
            return f"{len(field.categories)} value{'s' * (len(field.categories) != 1)}"
        case "integer":
            return f"{int(field.maximum) - int(field.minimum) + 1:,} possible values{_unit(field)}"  # type: ignore[arg-type]
        case "number":
            digits = (
                f"{field.scientific} significant digits"
                if field.scientific
                else f"{field.decimals} decimal{'s' * (field.decimals != 1)}"
            )
            return digits + _unit(field)
        case "datetime":
            return f"written as {field.format}" if field.format else "ISO 8601"
        case "text":
            return f"up to {field.max_length:,} characters"
        case "identifier":
            return "made afresh" if field.fresh else "left out"
        case _:
            return "2 values"


def _unit(field: Field) -> str:
    unit = f"{field.prefix}{field.suffix}".strip()
    # 145.0 is how a source writes a whole number, and no unit
    return f", unit {unit!r}" if unit.strip(".0") else ""
