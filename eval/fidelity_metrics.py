"""The registered metrics of fidelity, and what measures them."""

from paracosm.eval import readings
from paracosm.eval.context import Context, fidelity_candidates
from paracosm.eval.measurement import Measure, imported, same_context, too_few
from paracosm.eval.metric import Metric, Obstacle

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


def _pairs_obstacle(context: Context) -> Obstacle | None:
    structured = [each for each in context.fields if each.type != "text"]
    if len(structured) < 2:
        return Obstacle(
            f"pairs need two columns that are no text, and there are {len(structured)}", curable=False
        )
    return too_few(context)


FIDELITY: tuple[Measure, ...] = (
    Measure(imported("marginals", "marginals"), (MARGINALS,), same_context(fidelity_candidates), too_few),
    Measure(
        imported("pairs", "pair_similarity"), (PAIRS,), same_context(fidelity_candidates), _pairs_obstacle
    ),
    Measure(
        imported("classifier_test", "classifier_auc"), (C2ST,), same_context(fidelity_candidates), too_few
    ),
)
