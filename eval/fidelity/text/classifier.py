"""Out-of-fold AUC of a linear classifier between the texts of two sides."""

from typing import Any

import numpy as np

from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.statistics.intervals import around


def out_of_fold_auc(learner: Any, features: np.ndarray, synthetic: int, seed: int) -> Estimate:
    """Return the out-of-fold AUC of a classifier between synthetic and real texts, with its DeLong interval.

    Args:
        learner: a scikit-learn classifier or pipeline with a `decision_function`.
        features: of all texts, those of the synthetic ones first (rows, or rows x axes).
        synthetic: number of synthetic texts.
        seed: of the folds.
    """
    from sklearn.model_selection import StratifiedKFold, cross_val_predict

    from paracosm.eval.statistics.classifier import FITTING, FOLDS, auc_with_variances

    labels = (np.arange(len(features)) < synthetic).astype(int)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed)
    scores = cross_val_predict(learner, features, labels, cv=folds, method="decision_function")
    auc, *variances = auc_with_variances(np.asarray(scores), labels)
    return around(auc, FITTING * sum(variances), (0.0, 1.0), facts={"texts_each_side": synthetic})
