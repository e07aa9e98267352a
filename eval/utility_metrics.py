"""The registered metrics of utility, and what measures them."""

from paracosm.eval import readings
from paracosm.eval.context import utility_candidates
from paracosm.eval.measurement import Measure, imported, same_context
from paracosm.eval.metric import Metric, Obstacle

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

NOTHING_LEARNT = Obstacle("learners trained on real records do no better than guessing", curable=False)
UTILITY: tuple[Measure, ...] = (
    Measure(
        imported("utility", "utility"),
        (UTILITY_SCORE, UTILITY_RATIO, UTILITY_SKILL),
        same_context(utility_candidates),
        imported("utility", "utility_obstacle"),
        NOTHING_LEARNT,
    ),
)
