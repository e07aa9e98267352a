"""The `rules` section: constraints that every synthetic record meets."""

from typing import Literal

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
    relations: Literal["keep", "ignore"] = "keep"
    """Relations between fields that hold in all training records, such as a city that determines its state or a total that is
    a sum: `keep` lets every synthetic record have them too, `ignore` none of them. With `privacy` none are searched; write them
    as checks."""
    ignored_relations: list[str] = []
    """Relations that synthetic records need not have, as `paracosm validate` prints them."""
