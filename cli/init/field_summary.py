"""Short descriptions of field domains that show no value of any record."""

from paracosm.records.schema.schema import Field


def describe_domain(field: Field) -> str:
    """Return the size or format of a field's domain, such as `5 values` or `2 decimals`."""
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
            return f"format {field.format}" if field.format else "ISO 8601"
        case "text":
            return f"up to {field.max_length:,} characters"
        case "identifier":
            return "newly generated" if field.fresh else "left out"
        case _:
            return "2 values"


def _unit(field: Field) -> str:
    unit = f"{field.prefix}{field.suffix}".strip()
    # The suffix `.0` of whole numbers such as 145.0 is not a unit.
    return f", unit {unit!r}" if unit.strip(".0") else ""
