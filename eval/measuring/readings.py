"""Sentences that interpret a result for readers without statistics, shared by several metrics.

A sentence that belongs to one metric stands beside its declaration.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from paracosm.eval.measuring.number_format import of_100, percentage

if TYPE_CHECKING:
    from paracosm.eval.measuring.metric import Estimate, Result

COPYING_AUC = 0.4
"""A classifier test below this value means copying: each synthetic record lies beside the record that it repeats."""


def beside_anchor(estimate: Estimate | None, text: str) -> str:
    """Return `; text` with the anchor's value as a percentage, or nothing where the anchor was not measured."""
    return "" if estimate is None else "; " + text.format(percentage(estimate.value, 1))


def too_close(result: Result) -> str:
    """Return a warning where the synthetic records are closer to train than fresh real records are, or nothing."""
    return " That is closer than real records are: look for copying." if result.closer_than_real else ""


def interpret_share(result: Result) -> str:
    """Return the sentence of a share that should be high, beside its ceiling and its floor."""
    return (
        f"{percentage(result.synthetic.value, 1)}"
        f"{beside_anchor(result.ceiling, 'fresh real records reach {}')}"
        f"{beside_anchor(result.estimates.get('floor'), 'the floor is {}')}.{too_close(result)}"
    )


def interpret_distance(result: Result) -> str:
    """Return the sentence of a distance that should be small, beside its ceiling and its floor."""
    text = f"{result.synthetic.value:.4g}"
    if result.ceiling is not None:
        text += f", where fresh real records have {result.ceiling.value:.4g}"
    if (floor := result.estimates.get("floor")) is not None:
        text += f" and the floor {floor.value:.4g}"
    return f"{text}; 0 means no difference.{too_close(result)}"


def interpret_ratio(result: Result) -> str:
    """Return the sentence of a ratio to the training records that should be near 1."""
    text = f"{result.synthetic.value:.2f} times the value of the training records"
    if result.ceiling is not None:
        text += f"; fresh real records have {result.ceiling.value:.2f} times that value"
    return text + "."


def interpret_classifier(result: Result) -> str:
    """Return the sentence of a classifier two-sample test, with a warning where its AUC is far below 0.5."""
    text = f"The classifier tells synthetic from real in {of_100(result.synthetic.value)} of 100 pairs"
    if result.ceiling is not None:
        text += f"; real from real in {of_100(result.ceiling.value)}"
    text += "."
    if result.synthetic.high < COPYING_AUC:
        text += " Far below 50 means that synthetic records repeat training records: copying."
    return text


def interpret_membership(result: Result, worst_case: str) -> str:
    """Return the sentence of the AUC of a membership inference attack.

    Args:
        result: of the attack.
        worst_case: what the worst case attacks, for example `a copy of train`.
    """
    worst = result.estimates.get("worst")
    text = (
        f"The strongest attack ({result.synthetic.facts['attack']}) ranks the training record first in "
        f"{of_100(result.synthetic.value)} of 100 pairs of a training record and a non-member; 50 is guessing"
    )
    if worst is not None:
        text += f"; against {worst_case} it does so in {of_100(worst.value)}"
    return text + "."


def interpret_true_positives(result: Result, worst_case: str) -> str:
    """Return the sentence of the true positive rate of a membership inference attack at a low false positive rate."""
    rate = result.synthetic.facts["false_positive_rate"]
    worst = result.estimates.get("worst")
    text = (
        f"At a threshold that {percentage(rate)} of non-members pass, the attack identifies "
        f"{percentage(max(0.0, result.synthetic.value + rate), 1)} of the training records"
    )
    if worst is not None:
        text += f"; against {worst_case}, {percentage(worst.value + rate, 1)}"
    return text + "."


def agreeing(text: str, count: int) -> str:
    """Return `text` with each `{one|several}` in the form that agrees with `count`."""
    while "{" in text:
        before, _, rest = text.partition("{")
        choice, _, after = rest.partition("}")
        one, _, several = choice.partition("|")
        text = before + (one if count == 1 else several) + after
    return text
