"""The `rules` section: what must hold between fields."""

from paracosm.recipes.sections.section import Section


class Rules(Section):
    """What holds for every synthetic record beside the model; `docs/generation.md` describes the expressions."""

    checks: list[str] = []
    """Expressions over the fields that are true, such as `discharge >= admission`, `if sex == "male" then pregnancies == 0`."""
    derived: dict[str, str] = {}
    """Per field: the expression that computes it."""
    unique: list[list[str]] = []
    """Groups of fields whose values no two synthetic records share, such as [[name, birthday]]."""
    references: dict[str, str] = {}
    """Per field: a text file with one allowed value a line."""
