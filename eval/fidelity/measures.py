"""The registered metrics of fidelity, and what measures them."""

from paracosm.eval.measuring import readings
from paracosm.eval.measuring.anchors import fidelity_candidates, text_candidates, unseen_text_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import Measure, lazy, same_context, too_few
from paracosm.eval.measuring.metric import Metric, Obstacle

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
PMSE_RATIO = Metric(
    name="pmse_ratio",
    title="How surely records can be taken for synthetic",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Snoke et al. 2018, pMSE over its mean under permuted labels; a tree of one half, read on the other",
    what="By how many times more than chance a tree's kinds of records hold too many or too few synthetic ones; 1 is chance.",
    read=readings.propensity,
    unit="plain",
)
TRIPLES = Metric(
    name="triples",
    title="Columns, three by three",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Trivariate L1 accuracy over ten bins, as in Platzer & Reutterer 2021",
    what="How much of the joint distribution of three columns the synthetic records share with as many training records.",
    read=readings.plain_share,
)
WASSERSTEIN = Metric(
    name="wasserstein",
    title="How far numbers are off",
    section="fidelity",
    goal="down",
    range=(0.0, float("inf")),
    source="Wasserstein-1 distance (Kantorovich 1942), in interquartile ranges of train",
    what="How far the mass of a number's distribution would have to move; it sees the tails that other distances forgive.",
    read=readings.beside_anchors,
    unit="plain",
    zero=None,
)
ALPHA_PRECISION = Metric(
    name="alpha_precision",
    title="Rows that are realistic",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Alaa et al. 2022, How Faithful is your Synthetic Data?, integrated alpha-precision",
    what="Whether synthetic rows lie among the real ones, in the middle and at the edge as often as real rows do.",
    read=readings.plain_share,
    zero=None,
)
BETA_RECALL = Metric(
    name="beta_recall",
    title="Real rows that are covered",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Alaa et al. 2022, How Faithful is your Synthetic Data?, integrated beta-recall",
    what="Whether every kind of real row has synthetic ones near it; low where a generator makes the common case only.",
    read=readings.plain_share,
    zero=None,
)
ROW_MMD = Metric(
    name="row_mmd",
    title="Mean discrepancy of rows",
    section="fidelity",
    goal="down",
    range=(-1.0, 1.0),
    source="Gretton et al. 2012, A Kernel Two-Sample Test, unbiased MMD squared",
    what="Zero where no smooth function of a whole row has another mean on the two sides.",
    read=readings.beside_anchors,
    unit="plain",
)
TEXT_AUC = Metric(
    name="text_auc",
    title="Telling synthetic texts from real ones by their words",
    section="fidelity",
    goal="target",
    target=0.5,
    range=(0.0, 1.0),
    source="Lopez-Paz & Oquab 2017, on TF-IDF vectors of words and pairs of words",
    what="How often a linear classifier, shown one synthetic and one real text, knows which is which; 50% is guessing.",
    read=readings.classifier,
    unit="plain",
)
PERPLEXITY_RATIO = Metric(
    name="perplexity_ratio",
    title="How surprising the wording is",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Perplexity under a 2-gram model of the control texts, over that of train",
    what="Above 1 the synthetic texts are worded more oddly than real ones, below 1 more blandly; 1 is right.",
    read=readings.ratio,
    unit="plain",
    zero=None,
)
DISTINCT_RATIO = Metric(
    name="distinct_ratio",
    title="Variety of pairs of words",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Distinct-2 (Li et al. 2016) at the same number of words, over that of train",
    what="How many different pairs of words the synthetic texts use for each one that the real ones use.",
    read=readings.ratio,
    unit="plain",
    zero=None,
)
SELF_BLEU_RATIO = Metric(
    name="self_bleu_ratio",
    title="How alike the texts are to each other",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Self-BLEU (Zhu et al. 2018) over that of train",
    what="Above 1 the synthetic texts repeat each other more than real ones do.",
    read=readings.ratio,
    unit="plain",
    zero=None,
)
TOPICS = Metric(
    name="topics",
    title="Topics of the texts",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Jensen-Shannon distance (Lin 1991) of shares of topics: k-means on 32 axes of TF-IDF vectors of train",
    what="How much of the mix of topics the synthetic texts share with the real ones, a topic being texts of like words.",
    read=readings.topics,
)
EMBEDDING_AUC = Metric(
    name="embedding_auc",
    title="Telling synthetic texts from real ones by their meaning",
    section="fidelity",
    goal="target",
    target=0.5,
    range=(0.0, 1.0),
    source="Lopez-Paz & Oquab 2017, on sentence embeddings (Reimers & Gurevych 2019)",
    what="The same on embeddings: what the texts are about, not which words they use.",
    read=readings.classifier,
    unit="plain",
)
MAUVE = Metric(
    name="mauve",
    title="MAUVE",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Pillutla et al. 2021, MAUVE, on sentence embeddings",
    what="Area under the curve that trades texts nobody would write against real texts that are never made.",
    read=readings.plain_share,
)
FRECHET = Metric(
    name="frechet",
    title="Fréchet distance of meanings",
    section="fidelity",
    goal="down",
    range=(0.0, float("inf")),
    source="Heusel et al. 2017, on 50 principal axes of sentence embeddings",
    what="How far the mean and the spread of the texts' meanings are from those of the real texts.",
    read=readings.beside_anchors,
    unit="plain",
)
TEXT_MMD = Metric(
    name="text_mmd",
    title="Mean discrepancy of meanings",
    section="fidelity",
    goal="down",
    range=(-1.0, 1.0),
    source="Gretton et al. 2012, unbiased MMD squared, on sentence embeddings",
    what="Zero where no smooth function of a text's meaning has another mean on the two sides.",
    read=readings.beside_anchors,
    unit="plain",
)
VENDI_RATIO = Metric(
    name="vendi_ratio",
    title="Variety of meanings",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="Friedman & Dieng 2023, The Vendi Score, over that of train",
    what="How many effectively different texts there are for each one of the real texts.",
    read=readings.ratio,
    unit="plain",
    zero=None,
)
ENTITY_JS = Metric(
    name="entity_js",
    title="What texts mention",
    section="fidelity",
    goal="down",
    range=(0.0, 1.0),
    source="Jensen-Shannon divergence (Lin 1991) of named entities, found by a spaCy model (Honnibal et al. 2020)",
    what="Whether persons, places, dates and amounts are mentioned in the same mixture, and as many in a text.",
    read=readings.beside_anchors,
    unit="plain",
)
COLUMN_FROM_TEXT = Metric(
    name="column_from_text",
    title="Columns told from the text",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Classifiers trained on real records; the floor deals the texts out anew",
    what="How often a column's cell agrees with what its record's text says of it.",
    read=readings.plain_share,
)
TEXT_INFORMATION = Metric(
    name="text_information",
    title="What texts say about columns",
    section="fidelity",
    goal="target",
    target=1.0,
    range=(0.0, float("inf")),
    source="H(Y) - CE(Y | text), a lower bound on mutual information (Barber & Agakov 2003), over that of train",
    what="The bits that a text tells of its record's columns, as a share of what a real text tells.",
    read=readings.ratio,
    unit="plain",
)
MENTIONS = Metric(
    name="mentions",
    title="Cells that the text spells",
    section="fidelity",
    goal="up",
    range=(0.0, 1.0),
    source="Share of texts that spell a cell of their record, against train",
    what="Whether ages, dates and codes of a record stand in its text as often as they do in real records.",
    read=readings.plain_share,
)


def _pairs_obstacle(context: Context) -> Obstacle | None:
    structured = [each for each in context.fields if each.type != "text"]
    if len(structured) < 2:
        return Obstacle(
            f"pairs need two columns that are no text, and there are {len(structured)}", curable=False
        )
    return too_few(context)


FIDELITY: tuple[Measure, ...] = (
    Measure(lazy("fidelity.columns", "marginals"), (MARGINALS,), same_context(fidelity_candidates), too_few),
    Measure(
        lazy("fidelity.pairs", "pair_similarity"),
        (PAIRS,),
        same_context(fidelity_candidates),
        _pairs_obstacle,
    ),
    Measure(lazy("fidelity.c2st", "classifier_auc"), (C2ST,), same_context(fidelity_candidates), too_few),
    Measure(lazy("fidelity.pmse", "propensity"), (PMSE_RATIO,), same_context(fidelity_candidates), too_few),
    Measure(
        lazy("fidelity.rows", "column_figures"),
        (TRIPLES, WASSERSTEIN),
        same_context(fidelity_candidates),
        lazy("fidelity.rows", "triples_obstacle"),
        Obstacle("there is no column of numbers", curable=False),
    ),
    Measure(
        lazy("fidelity.rows", "row_figures"),
        (ALPHA_PRECISION, BETA_RECALL, ROW_MMD),
        same_context(fidelity_candidates),
        too_few,
    ),
    Measure(
        lazy("fidelity.text", "word_figures"),
        (TEXT_AUC, DISTINCT_RATIO, SELF_BLEU_RATIO),
        same_context(text_candidates),
        lazy("measuring.measure", "text_obstacle"),
        Obstacle("the texts hold no words", curable=False),
    ),
    Measure(
        lazy("fidelity.text", "perplexity"),
        (PERPLEXITY_RATIO,),
        unseen_text_candidates,
        lazy("measuring.measure", "text_obstacle"),
        Obstacle("the texts hold no words", curable=False),
    ),
    Measure(
        lazy("fidelity.text_topics", "topics"),
        (TOPICS,),
        same_context(text_candidates),
        lazy("measuring.measure", "text_obstacle"),
        Obstacle("the texts of train are too few or too much alike to make topics", curable=False),
    ),
    Measure(
        lazy("fidelity.text", "meaning_figures"),
        (EMBEDDING_AUC, MAUVE, FRECHET, TEXT_MMD, VENDI_RATIO),
        same_context(text_candidates),
        lazy("representations.text_embedder", "embedder_obstacle"),
    ),
    Measure(
        lazy("fidelity.text_entities", "entity_figures"),
        (ENTITY_JS,),
        same_context(fidelity_candidates),
        lazy("fidelity.text_entities", "entity_obstacle"),
        Obstacle("the real texts mention no person, place, date or amount", curable=False),
    ),
    Measure(
        lazy("fidelity.text_vs_columns", "text_column_figures"),
        (COLUMN_FROM_TEXT, TEXT_INFORMATION, MENTIONS),
        lazy("fidelity.text_vs_columns", "hybrid_candidates"),
        lazy("fidelity.text_vs_columns", "hybrid_obstacle"),
        Obstacle("the texts say too little about the columns", curable=False),
    ),
)
