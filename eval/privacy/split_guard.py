"""Split shift check: can a classifier tell train from control? If it can, comparing the two says nothing about membership."""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.gate import CONTROL, GUARD, Gate
from paracosm.eval.measuring.measure import Measure, too_few_control
from paracosm.eval.measuring.metric import Anchor, Estimate, Metric, Result
from paracosm.eval.measuring.number_format import of_100
from paracosm.eval.statistics.intervals import around

MOST_ROWS = 4000


def _interpret(result: Result) -> str:
    text = f"The classifier tells train from control in {of_100(result.synthetic.value)} of 100 pairs; 50 is chance."
    if result.synthetic.value - 2.576 * result.synthetic.deviation > 0.5:
        text += " They differ, so no result about membership below is valid: divide the records at random."
    return text


SPLIT_GUARD = Metric(
    name=GUARD,
    title="Split shift check (train against control): AUC",
    section="privacy",
    goal="target",
    target=0.5,
    range=(0.0, 1.0),
    source="Blind baseline of Das, Zhang & Tramèr 2025, Blind Baselines Beat Membership Inference Attacks",
    what="How often a classifier tells a training record from a control record; if it can, control is not a fair comparison.",
    formula="out-of-fold AUC of gradient boosting between train and control",
    read=_interpret,
    zero=None,
    unit="plain",
    gates=(
        Gate(
            "at most",
            0.5,
            0.5,
            0.5,
            settled_by=CONTROL,
            why="Every comparison of train with control rests on it.",
        ),
    ),
)


def split_guard(context: Context, _: pd.DataFrame) -> dict[str, Estimate]:
    """Return the out-of-fold AUC of gradient boosting between train and control, at equal sizes.

    It does not depend on the candidate, and is measured once for all of them: the check is about the real records alone. Averaged over `settings.repeats` draws of
    train; control is the smaller side and its variance is counted once.
    """
    return {GUARD: context.once("split guard", lambda: _train_against_control(context))}


def _train_against_control(context: Context) -> Estimate:
    from paracosm.eval.statistics.classifier import FOLDS, auc_with_variances, out_of_fold

    values, train_variance, control_variance = [], [], []
    control = context.control.iloc[drawn_rows(len(context.control), MOST_ROWS, context.settings.seed)]
    for number in range(context.settings.repeats):
        seed = context.settings.seed + number
        train = context.train.iloc[drawn_rows(len(context.train), len(control), seed)]
        scores, labels = out_of_fold(context, train, control, seed=seed)
        auc, train_side, control_side = auc_with_variances(scores, labels)
        values.append(auc)
        train_variance.append(train_side)
        control_variance.append(control_side)
    distinct = max(1, min(len(values), len(context.train) // max(1, len(control))))
    # Folds share most of their training rows, so their scores vary together (Nadeau & Bengio 2003, corrected variance).
    fold_dependence = 1 + FOLDS / (FOLDS - 1)
    variance = fold_dependence * (np.mean(train_variance) / distinct + np.mean(control_variance))
    facts = {"rows_each_side": min(len(control), len(context.train)), "repeats": len(values)}
    return around(float(np.mean(values)), float(variance), (0.0, 1.0), facts=facts)


def _synthetic_alone(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    return {"synthetic": (context, synthetic)}


MEASURE = Measure(split_guard, (SPLIT_GUARD,), _synthetic_alone, too_few_control)
