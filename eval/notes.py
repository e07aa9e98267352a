"""Notes of an evaluation: sample sizes, subsampling and anchors that the reader of its numbers has to know."""

import pandas as pd

from paracosm.eval.measuring.context import Context


def notes_on(context: Context, synthetic: pd.DataFrame) -> list[str]:
    """Return the notes on a measurement, one sentence or two each."""
    notes = _subsampling(context)
    notes += [
        f"Fidelity compares {context.size:,} records at a time, so that the synthetic records and the "
        f"{len(context.held_out):,} held-out real records are measured alike; it is the mean over "
        f"{context.settings.repeats} draws."
    ]
    if len(context.train) > context.settings.max_rows:
        notes.append(
            f"Fidelity uses {context.settings.max_rows:,} random rows of the {len(context.train):,} training records."
        )
    if context.untrained is not None:
        notes.append(
            f"The floor of the text metrics is {len(context.untrained):,} records sampled from the base model under the "
            "grammar, without the adapter."
        )
    elif context.settings.floor == "base":
        notes.append(
            "The floor of the text metrics is shuffled words, because there is no adapter or no text column."
        )
    if not context.kept_away:
        notes.append(
            f"The real records were divided at random: the synthetic ones are compared with {len(context.train):,}, and the "
            f"{len(context.held_out):,} others show what fresh records reach. The generator may have seen all of them, so the "
            "usefulness may look better here than on new records."
        )
    elif context.test is None:
        notes.append(
            "There is no test split of at least 10 records: the leakage ceiling compares one half of control with the other."
        )
    if len(synthetic) < len(context.train):
        notes.append(
            f"There are fewer synthetic ({len(synthetic):,}) than training records ({len(context.train):,})."
        )
    return notes


def _subsampling(context: Context) -> list[str]:
    """Return a note for every random subsample that is smaller than its table."""
    from paracosm.eval.privacy.gdpr_risks.targets import MOST_TARGETS as MOST_RISK_TARGETS
    from paracosm.eval.privacy.membership import MOST_TARGETS
    from paracosm.eval.representations.texts import MOST_EMBEDDED, MOST_TEXTS

    notes = []
    for name, table in (("train", context.train), ("control", context.control)):
        if len(table) > MOST_RISK_TARGETS:
            notes.append(
                f"Of {len(table):,} {name} records, {min(len(table), MOST_TARGETS):,} are attacked for membership and "
                f"{MOST_RISK_TARGETS:,} for linkability and inference; the synthetic records are never subsampled."
            )
    attacked = context.adapter is not None or context.statistics is not None
    if attacked and len(context.train) > context.settings.attacked_records:
        notes.append(
            f"The model is attacked on {context.settings.attacked_records:,} of {len(context.train):,} training records."
        )
    if any(field.is_text for field in context.fields) and context.size > MOST_EMBEDDED:
        notes.append(
            f"At most {MOST_TEXTS:,} texts of each side are compared by their words, and {MOST_EMBEDDED:,} by their "
            "embeddings."
        )
    return notes
