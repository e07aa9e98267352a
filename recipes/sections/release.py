"""The `release` section: the gate profile, and limits that replace those of the profile."""

from typing import Literal

from paracosm.recipes.sections.section import Section


class Release(Section):
    """Gates: limits that metrics must meet before a run is published."""

    profile: Literal["internal", "partner", "public"] = "internal"
    """Audience of the release, which sets the default limits; `public` is the strictest."""
    gates: dict[str, float] = {}
    """Per gate: a limit that replaces the profile's, such as {exact_copies: 0}. docs/evaluation.md lists the gates."""
