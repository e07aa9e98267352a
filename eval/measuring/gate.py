"""Release gates: the limit on one quantity of a metric, for each profile of readers."""

from dataclasses import dataclass, replace
from typing import Literal, get_args

from paracosm.recipes.sections.release import Profile, Release

Section = Literal["fidelity", "utility", "privacy"]
Quantity = Literal["value", "normalised", "of_ceiling", "departure"]
Side = Literal["at most", "at least"]
Question = Literal["fidelity", "utility", "records", "adapter"]
"""What a verdict is about: likeness, usefulness, privacy of the synthetic records, privacy of the adapter."""
QUESTIONS: tuple[Question, ...] = get_args(Question)
PROFILES: tuple[Profile, ...] = get_args(Profile)
OUTSIDE: tuple[Profile, ...] = ("partner", "public")
"""Profiles of readers whom no access rule of the organisation binds."""

HELD_OUT = "control and test records"
COPIES = "synthetic and training records"
CONTROL = "control records"
TEST = "test records"
CONTROL_TEXTS = "control texts"
CANARIES = "canaries"
GUARD = "split_guard"
"""The metric, and gate, that shows whether train and control come from one distribution."""
KNOWN_CELLS = "known_cells"
"""The metric, and gate, that shows whether the cells of the synthetic records can be compared with real ones."""


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
    proof_for: tuple[Profile, ...] = PROFILES
    """Profiles that demand proof: the whole interval keeps the limit. For the others the gate only objects: it can fail a release,
    and never counts as passed."""
    why: str = ""
    """Why these profiles demand proof, in one sentence of docs/evaluation.md."""
    excludes: str = ""
    """What is excluded with 95% confidence, with the bound of the interval in one of the forms of `number_format.bound_forms`; empty
    where the bound cannot be said in a sentence."""
    guarded: bool = False
    """Whether it compares train with control, so that it is void where the two differ by themselves."""
    proven_by: str = ""
    """Another metric whose gate gives the proof where it was measured, so that this gate only objects then."""
    name: str = ""
    """The metric's name unless one metric has several gates."""
    title: str = ""
    """The metric's title unless one metric has several gates."""
    own_section: Section | None = None
    """The section of the gate, where it is not that of its metric."""
    own_question: Question | None = None
    """The question of the gate, where it is not that of its section and its metric."""
    metric: str = ""
    section: Section = "fidelity"
    question: Question = "fidelity"

    def of_metric(self, name: str, title: str, section: Section, *, of_adapter: bool) -> "Gate":
        """Return the gate with the metric's name, title and section in place of those that it lacks."""
        own = self.own_section or section
        about: Question = own if own != "privacy" else "adapter" if of_adapter else "records"
        return replace(
            self,
            name=self.name or name,
            title=self.title or title,
            metric=name,
            section=own,
            question=self.own_question or about,
        )

    @property
    def only_objects(self) -> bool:
        """Whether the gate never counts as passed, under any profile."""
        return not self.proof_for

    def demands_proof(self, release: Release) -> bool:
        """Return whether the profile demands that the whole interval keeps the limit."""
        return release.profile in self.proof_for

    def limit(self, release: Release) -> float:
        """Return the recipe's own limit, or else the profile's."""
        by_profile = {"internal": self.internal, "partner": self.partner, "public": self.public}
        return release.gates.get(self.name, by_profile[release.profile])
