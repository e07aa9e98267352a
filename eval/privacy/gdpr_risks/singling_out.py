"""Singling out: do combinations of cells that are unique among synthetic records pick out training records?"""

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import leakage_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import CONTROL, OUTSIDE, Gate
from paracosm.eval.measuring.measure import Measure
from paracosm.eval.measuring.metric import NORMAL_95, Estimate, Metric, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.privacy.gdpr_risks.targets import RiskTargets, risks_obstacle
from paracosm.eval.statistics.intervals import wilson

PREDICATES = 1500
PREDICATE_FIELDS = (2, 3, 4, 5)


def _interpret(result: Result) -> str:
    share = (1 + result.synthetic.value) / 2
    return (
        f"Of the records that {result.synthetic.facts['predicates']:,} combinations of cells single out, "
        f"{percentage(share)} are training records rather than one of as many non-members; 50% is chance."
    )


SINGLING_OUT = Metric(
    name="singling_out",
    title="Singling-out risk",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="WP216 (Article 29 Working Party 2014); predicates as in Giomi et al. 2023, at equal sizes",
    what="Whether a combination of cells that is unique among synthetic records picks out a training record rather than a non-member.",
    formula="2 s - 1, s: share of train among the records singled out by predicates of 2 to 5 cells, at equal sizes",
    read=_interpret,
    zero="worst",
    gates=(
        Gate(
            "at most",
            0.15,
            0.1,
            0.05,
            settled_by=CONTROL,
            guarded=True,
            proof_for=OUTSIDE,
            why="It takes an attacker who searches the released records for rare people; inside, access rules stand against that, outside nothing does.",
        ),
    ),
)


def singling_out(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `singling_out`: 2 s - 1, where s is the share of train among the records that predicates single out.

    A predicate states a few cells of one synthetic record and holds for no other. It singles out a record if it holds for exactly
    one record of a subsample of train with the size of control and all of control together; the mean over such subsamples is
    computed in closed form. Both sides are equally large, so s is 1/2 without a leak. The interval adds the variance over the
    records singled out on both sides and over synthetic records, and is never narrower than Wilson's.
    """
    from scipy.stats import hypergeom

    real = RiskTargets.of(context)
    random = np.random.default_rng([context.settings.seed, 41])
    codes = real.codes(candidate)
    drawn = min(len(real.train_codes), len(real.control_codes))
    by_train, by_control = np.zeros(len(real.train_codes)), np.zeros(len(real.control_codes))
    of_row = np.zeros((len(codes), 2))
    sizes = [size for size in PREDICATE_FIELDS if size <= codes.shape[1]]
    unique = 0
    for row in random.integers(0, len(codes), PREDICATES):
        columns = random.choice(codes.shape[1], random.choice(sizes), replace=False)
        if len(_matching(codes, codes[row], columns)) != 1:
            continue
        unique += 1
        in_train, in_control = (
            _matching(side, codes[row], columns) for side in (real.train_codes, real.control_codes)
        )

        def probability(hits: int, matching: int = len(in_train)) -> float:
            return float(hypergeom.pmf(hits, len(real.train_codes), matching, drawn))

        if len(in_train) and not len(in_control):
            by_train[in_train] += probability(1) / len(in_train)
            of_row[row, 0] += probability(1)
        elif len(in_control) == 1:
            by_control[in_control] += probability(0)
            of_row[row, 1] += probability(0)
    facts = {
        "predicates": unique,
        "people_singled_out": int((by_train > 0).sum() + (by_control > 0).sum()),
    }
    return {"singling_out": _estimate(by_train, by_control, of_row, drawn, facts)}


def _estimate(
    by_train: np.ndarray, by_control: np.ndarray, of_row: np.ndarray, drawn: int, facts: dict[str, int]
) -> Estimate:
    """Return 2 s - 1 with its interval.

    Args:
        by_train: expected number of predicates that single out each record of train.
        by_control: the same for control.
        of_row: the same by the synthetic record that a predicate comes from (rows x train, control).
        drawn: size of a subsample of train.
        facts: of the estimate.
    """
    train_total, control_total = by_train.sum(), by_control.sum()
    total = train_total + control_total
    if total == 0:
        return Estimate(0.0, -1.0, 1.0, facts=facts)
    share = train_total / total
    variance = (
        control_total**2 * by_train.var() * len(by_train)
        + train_total**2 * by_control.var() * len(by_control)
    ) / total**4
    # Other synthetic records would have given other predicates.
    influence = (control_total * of_row[:, 0] - train_total * of_row[:, 1]) / total**2
    margin = NORMAL_95 * float(np.sqrt(variance + len(influence) * influence.var()))
    people = float(np.minimum((by_train > 0).sum(), drawn) + (by_control > 0).sum())
    low, high = wilson(share * people, people)
    return Estimate(
        float(2 * share - 1),
        float(2 * min(low, max(0.0, share - margin)) - 1),
        float(2 * max(high, min(1.0, share + margin)) - 1),
        facts=facts,
    )


def _matching(rows: np.ndarray, cells: np.ndarray, columns: np.ndarray) -> np.ndarray:
    """Return the numbers of the rows that agree with `cells` in all `columns`."""
    left = np.arange(len(rows))
    for column in columns:
        left = left[np.abs(rows[left, column] - cells[column]) <= 1]
    return left


MEASURE = Measure(singling_out, (SINGLING_OUT,), leakage_candidates, risks_obstacle)
