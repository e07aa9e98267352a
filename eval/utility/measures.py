"""The registered metrics of utility, and what measures them."""

from paracosm.eval.measuring import readings
from paracosm.eval.measuring.anchors import utility_candidates
from paracosm.eval.measuring.measure import Measure, lazy, same_context
from paracosm.eval.measuring.metric import Metric, Obstacle

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
UTILITY_SELF = Metric(
    name="utility_self",
    title="Score on synthetic records themselves (TSTS)",
    section="utility",
    goal="up",
    range=(0.0, 1.0),
    source="TSTS, as in Esteban, Hyland & Rätsch 2017",
    what="How well learners predict other synthetic records; well above TSTR the synthetic world is simpler than the real one.",
    unit="plain",
    read=readings.on_itself,
    zero=None,
)
AUGMENTATION_GAIN = Metric(
    name="augmentation_gain",
    title="Gain from adding synthetic records to few real ones",
    section="utility",
    goal="up",
    range=(-1.0, 1.0),
    source="Learning curves at 5, 10, 25 and 100% of train, with and without the synthetic records",
    what="What learners with few real records gain from synthetic ones beside them; below 0 they mislead.",
    unit="plain",
    read=readings.gain,
)
WORST_GROUP = Metric(
    name="worst_group",
    title="The group that loses most",
    section="utility",
    goal="up",
    range=(-1.0, 1.0),
    source="TSTR - TRTR within each group of at least 20 test records; interval widened for the choice (Bonferroni)",
    what="For whom predictions get worst when learners see synthetic instead of real records.",
    unit="plain",
    read=readings.worst_group,
)

NOTHING_LEARNT = Obstacle("learners trained on real records do no better than guessing", curable=False)
UTILITY: tuple[Measure, ...] = (
    Measure(
        lazy("utility.tstr", "utility"),
        (UTILITY_SCORE, UTILITY_RATIO, UTILITY_SKILL),
        same_context(lazy("utility.tstr", "utility_sets")),
        lazy("utility.tstr", "utility_obstacle"),
        NOTHING_LEARNT,
    ),
    Measure(
        lazy("utility.augmentation", "utility_beyond"),
        (UTILITY_SELF, AUGMENTATION_GAIN, WORST_GROUP),
        same_context(utility_candidates),
        lazy("utility.tstr", "utility_obstacle"),
        Obstacle("no group of test records is large enough", curable=False),
    ),
)
