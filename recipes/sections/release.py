"""The `release` section: the gate profile, what is released, and limits that replace those of the profile."""

from typing import Literal

from paracosm.recipes.sections.section import Section

Profile = Literal["internal", "partner", "public"]
What = Literal["records", "adapter", "both"]


class Release(Section):
    """Gates: limits that metrics must meet before a run is published."""

    profile: Profile = "internal"
    """Audience of the release, which sets the default limits; `public` is the strictest."""
    what: What = "both"
    """What leaves the building: the synthetic `records` alone, the `adapter` alone, or `both`. With `records`, gates of the adapter do not
    count, and `publish` keeps the adapter out of the version. With `adapter`, all gates count, since whoever has it can sample records."""
    gates: dict[str, float] = {}
    """Per gate: a limit that replaces the profile's, such as {exact_copies: 0}. docs/evaluation.md lists the gates."""
