"""Sentences of a drafted recipe about what was inferred from the records."""

from paracosm.records.assembly import Prepared

UNCONFIRMED = (
    "READ FROM THE RECORDS, SO NOT YET PRIVATE: an expert of the domain must confirm or replace every range, category, length "
    "and format below, from a code book or from the possible range of the measurement. A value that stands here only because "
    "a record has it is published without noise, and the guarantee does not cover it.",
)
RARE, MOST_CLASSES = 0.2, 10
"""Share of the records below which a class of the target is called rare; a target with more classes has no short list of them."""


def identifier_notes(identifiers: tuple[str, ...]) -> tuple[str, ...]:
    if not identifiers:
        return ()
    names = ", ".join(map(repr, identifiers))
    return (
        f"Identifiers, which the model never sees: {names}. To generate new ones, remove a name here and set "
        "`{fresh: true}` for it under fields; if one identifies the subject of a record, set it as subject instead.",
    )


def field_notes(prepared: Prepared) -> tuple[str, ...]:
    lines = ["Inferred from the training records:"]
    for field in prepared.schema:
        missing = f", {field.missing:.1%} missing" if field.nullable else ""
        lines.append(f"- {printable_name(field.name)}: {field.type}, {field.kind.summary(field)}{missing}")
    return (
        *lines,
        *warning_notes(prepared),
        "To change a field, for example: fields: {COLUMN: {type: category}}",
    )


def type_notes(prepared: Prepared) -> tuple[str, ...]:
    """Return which fields have which type, a line a type."""
    names: dict[str, list[str]] = {}
    for field in prepared.schema:
        names.setdefault(field.type, []).append(printable_name(field.name))
    return (
        "Fields, as inferred from the training records:",
        *(f"- {kind}: {', '.join(fields)}" for kind, fields in names.items()),
        "To change one, for example: fields: {COLUMN: {type: category}}",
    )


def warning_notes(prepared: Prepared) -> tuple[str, ...]:
    return tuple(f"Warning: {' '.join(warning.split())}" for warning in prepared.warnings)


def rare_classes(prepared: Prepared, target: str | None) -> list[str]:
    """Return how to get more of the classes of the target that are rare; told to the user alone, since a recipe is published."""
    if target is None or not prepared.schema[target].discrete:
        return []
    shares = prepared.splits["train"][target].value_counts(normalize=True)
    rare = [f"{value} ({share:.1%})" for value, share in shares.items() if share < RARE]
    if not rare or len(shares) > MOST_CLASSES:
        return []
    return [
        f"rare classes of {printable_name(target)}: {', '.join(rare)}; as many of each class in the synthetic records:"
        f" generate.quotas.{target}=balanced"
    ]


def relation_notes(prepared: Prepared) -> tuple[str, ...]:
    lines = prepared.facts.get("relations", [])
    if not lines:
        return ()
    count = len(prepared.splits["train"])
    return (f"Hold in all {count:,} training records:", *(f"- {' '.join(line.split())}" for line in lines))


def printable_name(name: str) -> str:
    return name if name.isprintable() and name == " ".join(name.split()) else repr(name)
