"""All measures in the order of the report: those of Paracosm, section by section, then those of plug-ins."""

from paracosm.eval.attacks import auxiliary_model, canary_audit, cross_fit, extraction
from paracosm.eval.attacks import membership as adapter_membership
from paracosm.eval.augmentation import label_drift
from paracosm.eval.catalogue.plugins import with_plugins
from paracosm.eval.features import consistency
from paracosm.eval.fidelity import (
    c2st,
    marginals,
    pairs,
    pmse,
    rows,
    summary_statistics,
    triples,
    worst_column,
)
from paracosm.eval.fidelity.text import columns, embeddings, entities, perplexity, topics, words
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.privacy import (
    distance_to_closest,
    identifier_replay,
    known_cells,
    membership,
    ngram_overlap,
    rare_values,
    split_guard,
)
from paracosm.eval.privacy.gdpr_risks import inference, linkability, singling_out
from paracosm.eval.sequences import subject_metrics
from paracosm.eval.utility import augmentation, tstr

FIDELITY: tuple[Measure, ...] = (
    marginals.MEASURE,
    summary_statistics.MEASURE,
    worst_column.MEASURE,
    pairs.MEASURE,
    c2st.MEASURE,
    pmse.MEASURE,
    triples.MEASURE,
    rows.MEASURE,
    words.MEASURE,
    perplexity.MEASURE,
    topics.MEASURE,
    embeddings.MEASURE,
    entities.MEASURE,
    columns.MEASURE,
    consistency.MEASURE,
    label_drift.MEASURE,
    subject_metrics.MEASURE,
)
UTILITY: tuple[Measure, ...] = (tstr.MEASURE, augmentation.MEASURE, subject_metrics.FORECAST_MEASURE)
PRIVACY: tuple[Measure, ...] = (
    distance_to_closest.MEASURE,
    known_cells.MEASURE,
    split_guard.MEASURE,
    membership.MEASURE,
    singling_out.MEASURE,
    linkability.MEASURE,
    inference.MEASURE,
    ngram_overlap.MEASURE,
    identifier_replay.MEASURE,
    rare_values.MEASURE,
    auxiliary_model.MEASURE,
    adapter_membership.MEASURE,
    adapter_membership.LIRA_MEASURE,
    cross_fit.MEASURE,
    extraction.MEASURE,
    canary_audit.MEASURE,
)
MEASURES: tuple[Measure, ...] = with_plugins((*FIDELITY, *UTILITY, *PRIVACY))
