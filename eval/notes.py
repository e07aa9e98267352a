"""What the reader of an evaluation must know beside the figures."""

import pandas as pd

from paracosm.eval.measuring.context import Context


def notes_on(context: Context, synthetic: pd.DataFrame) -> list[str]:
    notes = [*_cuts(context)]
    notes += [
        f"Fidelity compares {context.size:,} records at a time, so that synthetic records and the "
        f"{len(context.held_out):,} real records that never trained are measured alike; averaged over "
        f"{context.settings.repeats} draws."
    ]
    if len(context.train) > context.settings.max_rows:
        notes.append(
            f"Fidelity uses {context.settings.max_rows:,} random rows of the {len(context.train):,} training records."
        )
    if context.untrained is not None:
        notes.append(
            f"The floor of the texts is {len(context.untrained):,} records that the base model wrote under the grammar, "
            "without the adapter."
        )
    elif context.settings.floor == "base":
        notes.append("There is no adapter or no text column: the floor of texts is shuffled words.")
    if context.test is None:
        notes.append(
            "There is no test split of at least 10 records: the leakage ceiling is one half of control measured against the other."
        )
    if len(synthetic) < len(context.train):
        notes.append(
            f"There are fewer synthetic ({len(synthetic):,}) than training records ({len(context.train):,})."
        )
    return notes


def _cuts(context: Context) -> list[str]:
    """Return what is drawn at random because there is more of it than is looked at."""
    from paracosm.eval.privacy.gdpr_risks import MOST_TARGETS as MOST_AT_RISK
    from paracosm.eval.privacy.membership import MOST_TARGETS

    notes = []
    for name, table in (("train", context.train), ("control", context.control)):
        if len(table) > MOST_AT_RISK:
            notes.append(
                f"Of {len(table):,} {name} records, {min(len(table), MOST_TARGETS):,} are attacked for membership and "
                f"{MOST_AT_RISK:,} for linkability and inference; the synthetic side is never cut."
            )
    if context.adapter is not None and len(context.train) > context.settings.attacked_records:
        notes.append(
            f"The adapter is attacked on {context.settings.attacked_records:,} of {len(context.train):,} training records."
        )
    if any(each.type == "text" for each in context.fields) and context.size > 1000:
        notes.append(
            "At most 2,000 texts of each side are compared by their words, and 1,000 by their meaning."
        )
    return notes
