"""The `rules` section: constraints that every synthetic record meets."""

from paracosm.recipes.sections.section import Section


class Rules(Section):
    """Constraints that every synthetic record meets; `docs/generation.md` describes the expressions."""

    checks: list[str] = []
    """Expressions that must be true for every record, such as `discharge >= admission` or `if sex == "male" then
    pregnancies == 0`. Rules that the model seldom meets slow generation down."""
    derived: dict[str, str] = {}
    """Per field: the expression that computes its value; the model does not sample the field."""
    unique: list[list[str]] = []
    """Groups of fields whose combined values differ between all synthetic records, such as [[name, birthday]]."""
    references: dict[str, str] = {}
    """Per field: a text file of allowed values, one per line."""
