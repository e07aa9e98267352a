"""Can a classifier tell synthetic records from real ones? (Lopez-Paz & Oquab 2017, classifier two-sample test.)"""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.statistics.classifier import FITTING, auc_with_variances, out_of_fold
from paracosm.eval.statistics.intervals import around


def classifier_auc(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the out-of-fold AUC of gradient boosting between a candidate and train, at equal sizes.

    Averaged over `settings.repeats` pairs of parts. 0.5: cannot tell. Well below 0.5: rows of the candidate have
    their twin on the other side of a fold, which is what copying looks like.
    The interval holds the sampling variance of both sides (DeLong, DeLong & Clarke-Pearson 1988), grown for that of the
    classifier.
    """
    values, candidate_variance, train_variance = [], [], []
    pairs = zip(context.parts(candidate, 1), context.parts(context.train, 2), strict=True)
    for number, (fake, real) in enumerate(pairs):
        real = real.iloc[: len(fake)]
        scores, labels = out_of_fold(context, fake, real, seed=context.settings.seed + number)
        auc, fake_side, real_side = auc_with_variances(scores, labels)
        values.append(auc)
        candidate_variance.append(fake_side)
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
