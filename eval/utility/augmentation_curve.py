"""Whether synthetic records help beside few real ones: scores at several parts of train, overall and for the rarest class."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, subsample
from paracosm.eval.measuring.metric import Estimate, Result
from paracosm.eval.statistics.intervals import around
from paracosm.eval.utility.learners import learn, mean_scores
from paracosm.eval.utility.rare_class import RARE_CLASS_SCORES, rare_class_scores, rarest_class
from paracosm.eval.utility.task import Task
from paracosm.eval.utility.tstr import EXPANDED

FRACTIONS = (0.05, 0.1, 0.25, 1.0)
FEWEST_REAL = 20


def interpret_gain(result: Result) -> str:
    """Return at which sizes synthetic records help, and what they do at the smallest one."""
    curve = result.synthetic.facts.get("curve", [])
    if not curve:
        return f"Synthetic records add {result.synthetic.value:+.3f} on average."
    overall = [point for point in curve if point["score"] == result.synthetic.facts["score"]]
    helped = [point["part"] for point in overall if point["low"] > 0]
    harmed = [point["part"] for point in overall if point["high"] < 0]
    answer = " and ".join(
        words
        for words in (
            f"improve predictions beside {_listed(helped)} of train" if helped else "",
            f"worsen them beside {_listed(harmed)}" if harmed else "",
        )
        if words
    )
    smallest = [point for point in curve if point["part"] == curve[0]["part"]]
    changes = ", ".join(
        f"{point['score']} from {point['alone']:.3f} to {point['added']:.3f}" for point in smallest
    )
    return (
        f"Added to real records, synthetic ones {answer or 'make no difference beyond chance'}. With {curve[0]['part']} of train "
        f"({curve[0]['rows']} records): {changes}."
    )


def _listed(parts: Sequence[str]) -> str:
    return parts[0] if len(parts) == 1 else f"{', '.join(parts[:-1])} and {parts[-1]}"


def augmentation_curve(
    context: Context,
    task: Task,
    candidate: pd.DataFrame,
    test: pd.DataFrame,
    truth: np.ndarray,
    weights: np.ndarray,
) -> Estimate:
    """Return the mean gain over the fractions of train.

    The fact `curve` has a row for each fraction and score (overall, and recall, F1 and PR-AUC of the rarest class): the real
    records alone, with the synthetic ones added, and the gain with its 95% interval.
    """
    gains, breakdown, curve = [], {}, []
    most = min(len(context.train), context.settings.max_rows)
    rare = rarest_class(task, context.train.dropna(subset=[task.field.name]), truth)
    for fraction in FRACTIONS:
        count = int(np.clip(round(fraction * most), min(FEWEST_REAL, most), None))
        real = subsample(context.train, count, context.settings.seed)
        both = pd.concat([real, candidate], ignore_index=True)
        predictions = (
            learn(context, task, context.train, test, count),
            learn(context, task, both, test, len(both)),
        )
        alone, added = (mean_scores(task, side, truth, weights)["mean"] for side in predictions)
        gains.append(added - alone)
        part = f"{fraction:.0%}"
        breakdown |= {f"{part} of train alone": float(alone[0]), f"{part} and the candidate": float(added[0])}
        curve.append(_point(part, count, task.score_name, alone, added))
        if rare is not None:
            of_rare = [rare_class_scores(side, truth, rare, weights) for side in predictions]
            curve += [
                _point(
                    part, count, f"{name} of class {task.classes[rare]}", of_rare[0][name], of_rare[1][name]
                )
                for name in RARE_CLASS_SCORES
            ]
    facts = {
        "score": task.score_name,
        "train_rows": most,
        "test_rows": len(test),
        "synthetic_rows": len(candidate),
        "curve": curve,
    }
    return scored(np.mean(gains, axis=0), facts, breakdown)


def _point(part: str, rows: int, score: str, alone: np.ndarray, added: np.ndarray) -> dict[str, object]:
    """Return one point of the augmentation curve: a score with and without synthetic records, and its gain with interval."""
    gain = scored(added - alone, {})
    return {
        "part": part,
        "rows": rows,
        "score": score,
        **{
            name: round(float(value), 6)
            for name, value in (
                ("alone", alone[0]),
                ("added", added[0]),
                ("gain", gain.value),
                ("low", gain.low),
                ("high", gain.high),
            )
        },
    }


def scored(
    values: np.ndarray, facts: dict[str, object], breakdown: dict[str, float] | None = None
) -> Estimate:
    """Return the first value (all rows once) with a normal interval from the others (resamples)."""
    variance = EXPANDED**2 * float(np.nanvar(values[1:], ddof=1))
    return around(float(values[0]), variance, (-np.inf, np.inf), facts=facts, breakdown=breakdown or {})
