"""Release gates: the limit on one quantity of a metric, for each profile of readers."""

from dataclasses import dataclass, replace
from typing import Literal

from paracosm.recipes.sections.release import Release

Section = Literal["fidelity", "utility", "privacy"]
Quantity = Literal["value", "normalised", "of_ceiling", "departure"]
Side = Literal["at most", "at least"]

HELD_OUT = "control and test records"
COPIES = "synthetic and control records"
CONTROL = "control records"
TEST = "test records"
CONTROL_TEXTS = "control texts"
CANARIES = "canaries"
GUARD = "split_guard"
"""The metric, and gate, that shows whether train and control come from one distribution."""


@dataclass(frozen=True)
class Gate:
    """A limit on one quantity of one metric. `Metric` fills in the names that its gates leave empty."""

    side: Side
    internal: float
    """The limit for readers inside the organisation."""
    partner: float
    """The limit for partners under contract."""
    public: float
    """The limit for everyone."""
    settled_by: str
    """The kind of data of which more would narrow the interval."""
    quantity: Quantity = "value"
    may_pass: bool = True
    """False: the gate can fail a release and never counts as passed."""
    guarded: bool = False
    """Whether it compares train with control, so that it is void where the two differ by themselves."""
    name: str = ""
    """The metric's name unless one metric has several gates."""
    title: str = ""
    """The metric's title unless one metric has several gates."""
    own_section: Section | None = None
    """The section of the gate, where it is not that of its metric."""
    metric: str = ""
    section: Section = "fidelity"

    def of_metric(self, name: str, title: str, section: Section) -> "Gate":
        """Return the gate with the metric's name, title and section in place of those that it lacks."""
        return replace(
            self,
            name=self.name or name,
            title=self.title or title,
            metric=name,
            section=self.own_section or section,
        )

    def limit(self, release: Release) -> float:
        """Return the recipe's own limit, or else the profile's."""
        by_profile = {"internal": self.internal, "partner": self.partner, "public": self.public}
        return release.gates.get(self.name, by_profile[release.profile])
