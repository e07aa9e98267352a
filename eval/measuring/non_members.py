"""Non-members: all real records that were not trained on, control and test together, as the reference of a comparison with train.

The ceiling is then the test split measured against control alone, since a record cannot be a candidate and a reference.
"""

from dataclasses import replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import leakage_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Anchor


def non_member_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return the candidates of privacy metrics, with control and test together as control but for the ceiling."""
    together = non_members_together(context)
    return {
        anchor: (of_anchor if anchor == "ceiling" else together, candidate)
        for anchor, (of_anchor, candidate) in leakage_candidates(context, synthetic).items()
    }


def non_members_together(context: Context) -> Context:
    """Return the context with control and test together as control, and without a test split."""
    return context if context.test is None else context.once("non-members together", lambda: _joined(context))


def _joined(context: Context) -> Context:
    subjects, identifiers = dict(context.subjects), dict(context.identifiers)
    if "test" in subjects:
        subjects["control"] = np.concatenate([subjects["control"], subjects.pop("test")])
    if "test" in identifiers:
        identifiers["control"] = [*identifiers.get("control", ()), *identifiers.pop("test")]
    return replace(context, control=context.held_out, test=None, subjects=subjects, identifiers=identifiers)
