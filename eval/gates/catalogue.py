"""Every gate: which metric it limits, in which direction, and where by the profile of the readers."""

import math
from dataclasses import dataclass
from typing import Any, Literal

from paracosm.eval.measuring.metric import Section
from paracosm.recipes.sections.release import Release

Quantity = Literal["value", "normalised", "of_ceiling", "departure"]


@dataclass(frozen=True)
class Gate:
    """A limit on one quantity of one metric."""

    name: str
    title: str
    metric: str
    section: Section
    quantity: Quantity
    side: Literal["at most", "at least"]
    internal: float
    partner: float
    public: float
    settled_by: str
    """Of what more would narrow the interval."""
    may_pass: bool = True
    """False: the gate may object to a release and never clears one."""
    guarded: bool = False
    """Whether it compares train with control, so that it says nothing where the two differ by themselves."""

    def limit(self, release: Release) -> float:
        """Return the recipe's own limit, else the profile's."""
        by_profile = {"internal": self.internal, "partner": self.partner, "public": self.public}
        return release.gates.get(self.name, by_profile[release.profile])


HELD_OUT = "control and test records"
COPIES = "synthetic and control records"
CONTROL = "control records"
GUARD = "split_guard"


def _gate(
    name: str,
    title: str,
    section: Section,
    side: Literal["at most", "at least"],
    limits: tuple[float, float, float],
    settled_by: str,
    **rest: Any,
) -> Gate:
    """Return a gate whose metric is its own name and whose limits are those of internal, partner, public."""
    chosen: dict[str, Any] = {"metric": name, "quantity": "value"} | rest
    return Gate(
        name=name,
        title=title,
        section=section,
        side=side,
        internal=limits[0],
        partner=limits[1],
        public=limits[2],
        settled_by=settled_by,
        **chosen,
    )


# Thresholds are this project's judgement; partner and public are stricter where it is about people.
GATES: tuple[Gate, ...] = (
    _gate(
        "marginals",
        "Columns, one by one",
        "fidelity",
        "at least",
        (0.95, 0.95, 0.95),
        HELD_OUT,
        quantity="of_ceiling",
    ),
    _gate(
        "pairs",
        "Columns, two by two",
        "fidelity",
        "at least",
        (0.8, 0.8, 0.8),
        HELD_OUT,
        quantity="normalised",
    ),
    _gate("c2st_auc", "Telling synthetic from real", "fidelity", "at most", (0.75, 0.75, 0.75), HELD_OUT),
    _gate(
        "triples",
        "Columns, three by three",
        "fidelity",
        "at least",
        (0.8, 0.8, 0.8),
        HELD_OUT,
        quantity="normalised",
    ),
    _gate(
        "text_auc", "Telling texts apart by their words", "fidelity", "at most", (0.75, 0.75, 0.75), HELD_OUT
    ),
    _gate("mauve", "MAUVE", "fidelity", "at least", (0.8, 0.8, 0.8), HELD_OUT, quantity="normalised"),
    _gate(
        "frechet",
        "Fréchet distance of meanings",
        "fidelity",
        "at least",
        (0.8, 0.8, 0.8),
        HELD_OUT,
        quantity="normalised",
    ),
    _gate(
        "perplexity_ratio",
        "Wording as surprising as real",
        "fidelity",
        "at most",
        (0.223, 0.223, 0.223),
        HELD_OUT,
        quantity="departure",
    ),
    _gate("distinct_ratio", "Variety of words", "fidelity", "at least", (0.8, 0.8, 0.8), HELD_OUT),
    _gate("vendi_ratio", "Variety of meanings", "fidelity", "at least", (0.8, 0.8, 0.8), HELD_OUT),
    _gate(
        "column_from_text",
        "Columns told from the text",
        "fidelity",
        "at least",
        (0.8, 0.8, 0.8),
        HELD_OUT,
        quantity="normalised",
    ),
    _gate(
        "text_information", "What texts say about columns", "fidelity", "at least", (0.8, 0.8, 0.8), HELD_OUT
    ),
    _gate("utility_skill", "Usefulness for learning", "utility", "at least", (0.8, 0.8, 0.8), "test records"),
    _gate(
        "exact_copies", "Exact copies of training records", "privacy", "at most", (0.01, 0.005, 0.001), COPIES
    ),
    _gate(
        "near_copies", "Near copies of training records", "privacy", "at most", (0.01, 0.005, 0.001), COPIES
    ),
    _gate("run_13", "Texts with 13 words of train", "privacy", "at most", (0.02, 0.01, 0.005), COPIES),
    _gate("run_50", "Texts with 50 words of train", "privacy", "at most", (0.01, 0.005, 0.001), COPIES),
    _gate(
        "pii_replay", "Identifiers of one person", "privacy", "at most", (0.01, 0.005, 0.001), "control texts"
    ),
    _gate(GUARD, "Guard: train and control look alike", "privacy", "at most", (0.5, 0.5, 0.5), CONTROL),
    _gate(
        "data_mia_auc",
        "Membership from the synthetic records",
        "privacy",
        "at most",
        (0.6, 0.575, 0.55),
        CONTROL,
        guarded=True,
    ),
    _gate(
        "data_mia_tpr",
        "Members named from the synthetic records",
        "privacy",
        "at most",
        (0.05, 0.03, 0.02),
        CONTROL,
        guarded=True,
    ),
    _gate("singling_out", "Singling out", "privacy", "at most", (0.15, 0.1, 0.05), CONTROL, guarded=True),
    _gate("linkability", "Linkability", "privacy", "at most", (0.15, 0.1, 0.05), CONTROL, guarded=True),
    _gate("inference", "Inference", "privacy", "at most", (0.15, 0.1, 0.05), CONTROL, guarded=True),
    _gate(
        "auxiliary_mia_auc",
        "Membership from a model that learnt the records",
        "privacy",
        "at most",
        (0.6, 0.575, 0.55),
        CONTROL,
        guarded=True,
    ),
    _gate(
        "auxiliary_mia_tpr",
        "Members named by a model that learnt the records",
        "privacy",
        "at most",
        (0.05, 0.03, 0.02),
        CONTROL,
        guarded=True,
    ),
    _gate(
        "adapter_mia_auc",
        "Membership from the adapter",
        "privacy",
        "at most",
        (0.6, 0.575, 0.55),
        HELD_OUT,
        guarded=True,
    ),
    _gate(
        "adapter_mia_tpr",
        "Members named from the adapter",
        "privacy",
        "at most",
        (0.05, 0.03, 0.02),
        HELD_OUT,
        guarded=True,
    ),
    _gate(
        "extraction",
        "Texts that the adapter gives away",
        "privacy",
        "at most",
        (0.01, 0.005, 0.001),
        HELD_OUT,
    ),
    # Chance gives 4.3 bits, and 500 canaries at most 8.0: a limit that so many cannot break would prove nothing.
    _gate(
        "canary_exposure", "Exposure of planted records", "privacy", "at most", (6.0, 6.0, 6.0), "canaries"
    ),
    # No limit of its own: where training was private, the limit is the epsilon that its accountant states.
    _gate(
        "audit_epsilon",
        "Privacy budget that planted records disprove",
        "privacy",
        "at most",
        (math.inf, math.inf, math.inf),
        "canaries",
        may_pass=False,
    ),
    _gate(
        "dcr_share",
        "Nearer to train than to unseen records",
        "privacy",
        "at most",
        (0.55, 0.55, 0.55),
        CONTROL,
        may_pass=False,
    ),
    _gate(
        "twins",
        "Twins of training records",
        "privacy",
        "at least",
        (0.4, 0.4, 0.4),
        HELD_OUT,
        metric="c2st_auc",
        may_pass=False,
    ),
)
