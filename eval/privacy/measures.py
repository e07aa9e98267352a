"""The registered metrics of leakage, and what measures them."""

from paracosm.eval.measuring import readings
from paracosm.eval.measuring.anchors import attack_candidates, leakage_candidates
from paracosm.eval.measuring.measure import Measure, lazy, too_few_control
from paracosm.eval.measuring.metric import Metric, Obstacle

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
SPLIT_GUARD = Metric(
    name="split_guard",
    title="Guard: do train and control look alike?",
    section="privacy",
    goal="target",
    target=0.5,
    range=(0.0, 1.0),
    source="Blind baseline of Das, Zhang & Tramèr 2025, Blind Baselines Beat Membership Inference Attacks",
    what="How often a classifier tells a training record from a control record; if it can, control is no fair comparison.",
    read=readings.guard,
    zero=None,
    unit="plain",
)
DATA_MIA_AUC = Metric(
    name="data_mia_auc",
    title="Membership from the synthetic records: strongest attack",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="DOMIAS (van Breugel et al. 2023), LevAtt, GAN-Leaks (Chen et al. 2020), The Canary's Echo (Meeus et al. 2025)",
    what="How often the strongest attack, seeing the synthetic records alone, takes a training record for likelier than a stranger.",
    read=readings.membership,
    zero="worst",
    unit="plain",
)
DATA_MIA_TPR = Metric(
    name="data_mia_tpr",
    title="Members named with few false alarms, from the synthetic records",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source="Carlini et al. 2022, Membership Inference Attacks From First Principles: TPR at a low FPR, minus that FPR",
    what="Share of training records that the strongest attack names at a threshold few strangers pass, beyond what chance gives.",
    read=readings.members_named,
    zero="worst",
    unit="points",
)
SINGLING_OUT = Metric(
    name="singling_out",
    title="Singling out",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="WP216 (Article 29 Working Party 2014); predicates as in Giomi et al. 2023, at equal sizes",
    what="Whether a combination of cells that is unique among synthetic records picks out one training record rather than one stranger.",
    read=readings.singling_out,
    zero="worst",
)
LINKABILITY = Metric(
    name="linkability",
    title="Linkability",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="WP216 (Article 29 Working Party 2014); Giomi et al. 2023",
    what="Whether two halves of a person's record can be put together because both lie next to the same synthetic record.",
    read=readings.risk,
    zero="worst",
)
INFERENCE = Metric(
    name="inference",
    title="Inference",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="WP216 (Article 29 Working Party 2014); Giomi et al. 2023",
    what="Whether a hidden cell of a training record is guessed better with the synthetic records than that of a stranger.",
    read=readings.risk,
    zero="worst",
)
RUN_13 = Metric(
    name="run_13",
    title="Texts that share 13 words in a row with train",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="13-gram overlap, as in Brown et al. 2020 (GPT-3), appendix C; rate minus control's",
    what="Share of synthetic texts with a run of 13 words out of a training text, minus the share of unseen real texts with one.",
    read=readings.runs,
    zero="worst",
    unit="points",
)
RUN_50 = Metric(
    name="run_50",
    title="Texts that share 50 words in a row with train",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Verbatim run of 50, as in Lee et al. 2022, Deduplicating Training Data; rate minus control's",
    what="The same for 50 words: whole passages that were learnt by heart.",
    read=readings.runs,
    zero="worst",
    unit="points",
)
PII_REPLAY = Metric(
    name="pii_replay",
    title="Identifiers of one person, repeated",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Rate minus control's; intervals: Newcombe 1998; Fisher's exact test in the figures",
    what="Share of the names, numbers and codes of a single training subject that synthetic columns or texts repeat, minus the same for strangers.",
    read=readings.identifiers,
    zero="worst",
    unit="points",
)

ADAPTER_MIA_AUC = Metric(
    name="adapter_mia_auc",
    title="Membership from the adapter: strongest attack",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="Yeom et al. 2018; Carlini et al. 2021; Zhang et al. 2025 (Min-K%++); WBC (arXiv 2601.02751); Zarifzadeh et al. 2024 (RMIA)",
    what="How often the strongest attack, holding the adapter itself, takes a training record for likelier than a stranger.",
    read=readings.membership,
    zero="worst",
    unit="plain",
)
ADAPTER_MIA_TPR = Metric(
    name="adapter_mia_tpr",
    title="Members named with few false alarms, from the adapter",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source="Carlini et al. 2022, Membership Inference Attacks From First Principles: TPR at a low FPR, minus that FPR",
    what="Share of training records that the strongest attack on the adapter names at a threshold few strangers pass, beyond chance.",
    read=readings.members_named,
    zero="worst",
    unit="points",
)
LIRA_AUC = Metric(
    name="lira_auc",
    title="Membership from the adapter beside shadow adapters",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="LiRA, Carlini et al. 2022, Membership Inference Attacks From First Principles",
    what="The same for the attack that compares the adapter with others, trained with and without each record; it counts above too.",
    read=readings.membership,
    zero="worst",
    unit="plain",
)
LIRA_TPR = Metric(
    name="lira_tpr",
    title="Members named with few false alarms, beside shadow adapters",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source="LiRA, Carlini et al. 2022, Membership Inference Attacks From First Principles: TPR at a low FPR, minus that FPR",
    what="Share of training records that this attack names at a threshold few strangers pass, beyond chance.",
    read=readings.members_named,
    zero="worst",
    unit="points",
)
AUXILIARY_MIA_AUC = Metric(
    name="auxiliary_mia_auc",
    title="Membership from a model that learnt the synthetic records",
    section="privacy",
    goal="down",
    range=(0.0, 1.0),
    source="Audit of synthetic data by an auxiliary model, Mitchell, Andrew et al. 2026 (arXiv 2606.10481)",
    what="How often a language model that learnt the synthetic records alone shows a training record to be likelier than a stranger.",
    read=readings.membership,
    zero="worst",
    unit="plain",
)
AUXILIARY_MIA_TPR = Metric(
    name="auxiliary_mia_tpr",
    title="Members named by a model that learnt the synthetic records",
    section="privacy",
    goal="down",
    range=(-0.05, 1.0),
    source="Mitchell, Andrew et al. 2026 (arXiv 2606.10481); TPR at a low FPR, minus that FPR (Carlini et al. 2022)",
    what="Share of training records that it names at a threshold few strangers pass, beyond what chance gives.",
    read=readings.members_named,
    zero="worst",
    unit="points",
)
EXTRACTION = Metric(
    name="extraction",
    title="Training texts that the adapter gives away",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="(n, p)-discoverable extraction, Hayes et al. 2025, with n = 100 and p = 0.5; rate minus that of unseen texts",
    what="Share of training texts that the adapter continues word for word within 100 attempts when given their beginning.",
    read=readings.extraction,
    zero="worst",
    unit="points",
)

CANARY_EXPOSURE = Metric(
    name="canary_exposure",
    title="Exposure of planted records",
    section="privacy",
    goal="down",
    range=(0.0, float("inf")),
    source="Carlini et al. 2019, The Secret Sharer; 95th percentile over canaries, in bits",
    what="By how many halvings the adapter narrows the search for a record that was planted in train, against planted ones that were left out.",
    read=readings.exposure,
    zero="worst",
    unit="plain",
)
AUDIT_EPSILON = Metric(
    name="audit_epsilon",
    title="Privacy budget that the planted records disprove",
    section="privacy",
    goal="down",
    range=(0.0, float("inf")),
    source="Steinke, Nasr & Jagielski 2023, Privacy Auditing with One (1) Training Run",
    what="The adapter is proven to leak at least this epsilon; above what an accountant claims, the claim is wrong.",
    read=readings.audit,
    zero=None,
    unit="plain",
)

LEAKAGE = Measure(
    lazy("privacy.distance_to_closest", "leakage"),
    (DCR_SHARE, EXACT_COPIES, NEAR_COPIES),
    leakage_candidates,
    too_few_control,
)
GUARD = Measure(
    lazy("privacy.split_guard", "split_guard"),
    (SPLIT_GUARD,),
    lambda context, synthetic: {"synthetic": (context, synthetic)},
    too_few_control,
)
MEMBERSHIP = Measure(
    lazy("privacy.membership", "data_membership"),
    (DATA_MIA_AUC, DATA_MIA_TPR),
    attack_candidates,
    lazy("measuring.measure", "membership_obstacle"),
)
RISKS = Measure(
    lazy("privacy.gdpr_risks", "privacy_risks"),
    (SINGLING_OUT, LINKABILITY, INFERENCE),
    leakage_candidates,
    lazy("privacy.gdpr_risks", "risks_obstacle"),
)
REPLAY = Measure(
    lazy("privacy.verbatim_text", "text_replay"),
    (RUN_13, RUN_50),
    leakage_candidates,
    lazy("measuring.measure", "text_obstacle"),
    Obstacle("hardly any training text is that long", curable=False),
)
IDENTIFIERS = Measure(
    lazy("privacy.identifier_replay", "identifier_replay"),
    (PII_REPLAY,),
    lazy("privacy.identifier_replay", "identifier_candidates"),
    lazy("privacy.identifier_replay", "identifier_obstacle"),
    Obstacle("too few identifiers of a single subject were found", curable=False),
)
ADAPTER = Measure(
    lazy("attacks.membership", "adapter_membership"),
    (ADAPTER_MIA_AUC, ADAPTER_MIA_TPR),
    lazy("attacks.membership", "adapter_candidates"),
    lazy("attacks.membership", "adapter_obstacle"),
    own_threads=True,
)
SHADOWS = Measure(
    lazy("attacks.membership", "shadow_membership"),
    (LIRA_AUC, LIRA_TPR),
    lazy("attacks.membership", "adapter_candidates"),
    lazy("attacks.membership", "lira_obstacle"),
    own_threads=True,
)
AUXILIARY = Measure(
    lazy("attacks.auxiliary_model", "auxiliary_membership"),
    (AUXILIARY_MIA_AUC, AUXILIARY_MIA_TPR),
    lazy("attacks.auxiliary_model", "auxiliary_candidates"),
    lazy("attacks.auxiliary_model", "auxiliary_obstacle"),
    Obstacle("hardly any synthetic record lies within the schema's domains", curable=False),
    own_threads=True,
)
CONTINUATIONS = Measure(
    lazy("attacks.membership", "extraction"),
    (EXTRACTION,),
    lazy("attacks.membership", "adapter_candidates"),
    lazy("attacks.membership", "text_adapter_obstacle"),
    Obstacle("too few texts are long enough to be continued", curable=False),
    own_threads=True,
)
CANARIES = Measure(
    lazy("attacks.canary_audit", "canary_audit"),
    (CANARY_EXPOSURE, AUDIT_EPSILON),
    lazy("attacks.canary_audit", "canary_candidates"),
    lazy("attacks.canary_audit", "canary_obstacle"),
    own_threads=True,
)
PRIVACY: tuple[Measure, ...] = (
    LEAKAGE,
    GUARD,
    MEMBERSHIP,
    RISKS,
    REPLAY,
    IDENTIFIERS,
    AUXILIARY,
    ADAPTER,
    SHADOWS,
    CONTINUATIONS,
    CANARIES,
)
