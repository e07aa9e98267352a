"""Every registered metric: its name, goal, range and source, and the function that measures it."""

from collections.abc import Callable
from dataclasses import dataclass

import pandas as pd

from paracosm.eval import readings
from paracosm.eval.context import Context, fidelity_candidates, leakage_candidates, utility_candidates
from paracosm.eval.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle

MARGINALS = Metric(
    name="marginals",
    title="Columns, one by one",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Kolmogorov-Smirnov and total variation complements, as in SDMetrics; Jensen-Shannon (Lin 1991) for text",
    what="How much of each column's distribution the synthetic records share with the training records.",
    read=readings.marginals,
    zero=None,
)
PAIRS = Metric(
    name="pairs",
    title="Columns, two by two",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Correlation and contingency similarity, as in SDMetrics; deciles for mixed pairs",
    what="Whether two columns move together in the synthetic records as they do in the training records.",
    read=readings.pairs,
)
C2ST = Metric(
    name="c2st_auc",
    title="Telling synthetic from real",
    section="fidelity",
    goal="target",
    target=0.5,
    range=(0.0, 1.0),
    source="Lopez-Paz & Oquab 2017, Revisiting classifier two-sample tests",
    what="How often gradient boosting, shown one synthetic and one real record, knows which is which; 50% is guessing.",
    unit="plain",
    read=readings.classifier,
)
UTILITY_SCORE = Metric(
    name="utility_score",
    title="Score of learners trained on synthetic records (TSTR)",
    section="utility",
    goal="up",
    range=(0.0, 1.0),
    source="Esteban, Hyland & Rätsch 2017, TSTR",
    what="How well learners that saw only synthetic records predict the target of real, unseen records.",
    unit="plain",
    read=readings.utility_score,
)
UTILITY_RATIO = Metric(
    name="utility_ratio",
    title="Score kept: synthetic over real (TSTR / TRTR)",
    section="utility",
    goal="up",
    range=(0.0, float("inf")),
    source="Esteban, Hyland & Rätsch 2017, TSTR / TRTR",
    what="The share of the real records' predictive score that the synthetic records keep.",
    unit="plain",
    read=readings.utility_ratio,
)
UTILITY_SKILL = Metric(
    name="utility_skill",
    title="Skill kept: the same, above guessing",
    section="utility",
    goal="up",
    range=(float("-inf"), float("inf")),
    source="TSTR / TRTR as a skill score (Murphy 1988): (TSTR - chance) / (TRTR - chance)",
    what="The share of what real records teach beyond guessing that synthetic records teach too.",
    unit="plain",
    read=readings.utility_skill,
)
DCR_SHARE = Metric(
    name="dcr_share",
    title="Nearer to train than to unseen records",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="Platzer & Reutterer 2021, holdout-based assessment; Yao et al. 2025 (arXiv 2505.01524) on why it cannot clear a release",
    what="How often the record nearest to a synthetic one is a training record rather than one of equally many unseen ones.",
    read=readings.dcr_share,
    zero="worst",
)
EXACT_COPIES = Metric(
    name="exact_copies",
    title="Exact copies of training records",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Rate minus control's; interval: Newcombe 1998, method 10",
    what="Share of synthetic records that equal a training record in every field, minus the share of unseen real records that do.",
    unit="points",
    read=readings.copies,
    zero="worst",
)
NEAR_COPIES = Metric(
    name="near_copies",
    title="Exact and near copies of training records",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Radius from control; 5-word shingles, Jaccard 0.7 (Broder 1997), edit ratio 90%; interval: Newcombe 1998",
    what="Share of synthetic records so close to a training record that almost no unseen real record is, minus control's share.",
    unit="points",
    read=readings.copies,
    zero="worst",
)


@dataclass(frozen=True)
class Measure:
    """One function that measures one or several metrics, and what it is handed as if synthetic."""

    function: Callable[[Context, pd.DataFrame], dict[str, Estimate]]
    metrics: tuple[Metric, ...]
    candidates: Callable[[Context, pd.DataFrame], dict[Anchor, tuple[Context, pd.DataFrame]]]
    obstacle: Callable[[Context], Obstacle | None]
    """Why it cannot be measured on these tables, or None."""


def _measure_marginals(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    from paracosm.eval.marginals import marginals

    return marginals(context, candidate)


def _measure_pairs(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    from paracosm.eval.pairs import pair_similarity

    return pair_similarity(context, candidate)


def _measure_classifier(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    from paracosm.eval.classifier_test import classifier_auc

    return classifier_auc(context, candidate)


def _measure_utility(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    from paracosm.eval.utility import utility

    return utility(context, candidate)


def _measure_leakage(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    from paracosm.eval.leakage import leakage

    return leakage(context, candidate)


def _same_context(
    make: Callable[[Context, pd.DataFrame], dict[Anchor, pd.DataFrame]],
) -> Callable[[Context, pd.DataFrame], dict[Anchor, tuple[Context, pd.DataFrame]]]:
    return lambda context, synthetic: {
        name: (context, table) for name, table in make(context, synthetic).items()
    }


def _too_few(context: Context) -> Obstacle | None:
    if context.size < FEWEST_ROWS:
        return Obstacle(
            f"only {context.size} records on the smallest side; at least {FEWEST_ROWS} are needed"
        )
    return None


def _pairs_obstacle(context: Context) -> Obstacle | None:
    structured = [each for each in context.fields if each.type != "text"]
    if len(structured) < 2:
        return Obstacle(
            f"pairs need two columns that are no text, and there are {len(structured)}", curable=False
        )
    return _too_few(context)


def _utility_obstacle(context: Context) -> Obstacle | None:
    from paracosm.eval.utility import utility_obstacle

    return utility_obstacle(context)


def _leakage_obstacle(context: Context) -> Obstacle | None:
    if len(context.control) < FEWEST_ROWS:
        return Obstacle(f"only {len(context.control)} control records; at least {FEWEST_ROWS} are needed")
    return None


LEAKAGE = Measure(
    _measure_leakage, (DCR_SHARE, EXACT_COPIES, NEAR_COPIES), leakage_candidates, _leakage_obstacle
)
MEASURES: tuple[Measure, ...] = (
    Measure(_measure_marginals, (MARGINALS,), _same_context(fidelity_candidates), _too_few),
    Measure(_measure_pairs, (PAIRS,), _same_context(fidelity_candidates), _pairs_obstacle),
    Measure(_measure_classifier, (C2ST,), _same_context(fidelity_candidates), _too_few),
    Measure(
        _measure_utility,
        (UTILITY_SCORE, UTILITY_RATIO, UTILITY_SKILL),
        _same_context(utility_candidates),
        _utility_obstacle,
    ),
    LEAKAGE,
)


def metrics() -> list[Metric]:
    """Return every registered metric, in the order of the report."""
    return [metric for measure in MEASURES for metric in measure.metrics]
