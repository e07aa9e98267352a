"""Classifier two-sample test on rows: can gradient boosting tell synthetic records from real ones?"""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import HELD_OUT, Gate
from paracosm.eval.measuring.measure import Measure, quicker_anchors, too_few
from paracosm.eval.measuring.metric import Estimate, Metric
from paracosm.eval.measuring.readings import COPYING_AUC, interpret_classifier
from paracosm.eval.statistics.intervals import around

C2ST = Metric(
    name="c2st_auc",
    title="Classifier two-sample test (C2ST): AUC",
    section="fidelity",
    goal="target",
    target=0.5,
    range=(0.0, 1.0),
    source="Lopez-Paz & Oquab 2017, Revisiting classifier two-sample tests",
    what="How often gradient boosting, given one synthetic and one real record, knows which is which; 50% is guessing.",
    formula="out-of-fold AUC of gradient boosting, 5 folds, equal sizes; DeLong interval",
    unit="plain",
    read=interpret_classifier,
    gates=(
        Gate(
            "at most",
            0.75,
            0.75,
            0.75,
            settled_by=HELD_OUT,
            why="It sees every difference that decision trees find, so a plain one has to be ruled out for every reader.",
            excludes="a classifier that knows synthetic from real in more than {of_100} of 100 pairs",
        ),
        Gate(
            "at least",
            COPYING_AUC,
            COPYING_AUC,
            COPYING_AUC,
            settled_by=HELD_OUT,
            proof_for=(),
            why="Records that lie close to train are a sign of copies; records that do not are no sign of privacy.",
            name="twins",
            title="Classifier two-sample test (C2ST): copying",
            own_section="privacy",
        ),
    ),
)


def classifier_auc(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the out-of-fold AUC of gradient boosting between a candidate and train, at equal sizes.

    Averaged over `settings.repeats` pairs of parts. At 0.5 the two cannot be told apart. Well below 0.5, rows of the
    candidate have an equal row in train on the other side of a fold, as copies have.
    The interval holds the sampling variance of both sides (DeLong, DeLong & Clarke-Pearson 1988), multiplied for the
    variance of the classifier.
    """
    from paracosm.eval.statistics.classifier import FITTING, auc_with_variances, out_of_fold

    values, candidate_variance, train_variance = [], [], []
    pairs = zip(context.parts(candidate, 1), context.parts(context.train, 2), strict=True)
    for number, (synthetic, real) in enumerate(pairs):
        real = real.iloc[: len(synthetic)]
        scores, labels = out_of_fold(context, synthetic, real, seed=context.settings.seed + number)
        auc, synthetic_side, real_side = auc_with_variances(scores, labels)
        values.append(auc)
        candidate_variance.append(synthetic_side)
        train_variance.append(real_side)
    independent = (context.distinct_parts(candidate), context.distinct_parts(context.train))
    sampling = np.mean(candidate_variance) / independent[0] + np.mean(train_variance) / independent[1]
    sampling *= FITTING
    fitting = np.var(values, ddof=1) / len(values) if len(values) > 1 else 0.0
    estimate = around(
        float(np.mean(values)),
        float(max(sampling, fitting)),
        (0.0, 1.0),
        breakdown={f"repeat {number + 1}": float(value) for number, value in enumerate(values)},
        facts={"rows_each_side": min(context.size, len(candidate)), "repeats": len(values)},
    )
    return {"c2st_auc": estimate}


MEASURE = Measure(classifier_auc, (C2ST,), quicker_anchors(fidelity_candidates), too_few)
