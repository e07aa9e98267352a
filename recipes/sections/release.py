"""The `release` section: the profile of gates and limits of its own."""

from typing import Literal

from paracosm.recipes.sections.section import Section


class Release(Section):
    """What must hold before anything is published."""

    profile: Literal["internal", "partner", "public"] = "internal"
    """Which set of default gates applies."""
    gates: dict[str, float] = {}
    """Per metric: a threshold other than the profile's."""
