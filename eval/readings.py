"""One plain sentence for each metric: what the figure says to someone who is no statistician."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paracosm.eval.metric import Estimate, Result

COPYING_AUC = 0.4


def _percent(share: float, digits: int = 0) -> str:
    return f"{100 * share:.{digits}f}%"


def _beside(estimate: Estimate | None, text: str) -> str:
    return "" if estimate is None else "; " + text.format(_percent(estimate.value, 1))


def _too_close(result: Result) -> str:
    return " That is closer than real records are: look for copying." if result.closer_than_real else ""


def marginals(result: Result) -> str:
    weakest = min(result.synthetic.breakdown, key=lambda name: result.synthetic.breakdown[name])
    return (
        f"On average {_percent(result.synthetic.value, 1)} of a column's distribution is right"
        f"{_beside(result.ceiling, 'fresh real records reach {}')}. "
        f"Weakest: {weakest} ({_percent(result.synthetic.breakdown[weakest], 1)}).{_too_close(result)}"
    )


def pairs(result: Result) -> str:
    floor = result.estimates.get("floor")
    return (
        f"On average {_percent(result.synthetic.value, 1)} of what links two columns is right"
        f"{_beside(result.ceiling, 'fresh real records reach {}')}"
        f"{_beside(floor, 'columns shuffled apart {}')}.{_too_close(result)}"
    )


def classifier(result: Result) -> str:
    text = f"The classifier tells synthetic from real in {100 * result.synthetic.value:.0f} of 100 pairs"
    if result.ceiling is not None:
        text += f"; real from real in {100 * result.ceiling.value:.0f}"
    text += "."
    if result.synthetic.high < COPYING_AUC:
        text += " Far below 50 means that synthetic records have twins among the training records: copying."
    return text


def utility_score(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"Learners that saw only synthetic records predict {facts['target']} on {facts['test_rows']} unseen real "
        f"records with {facts['score']} {result.synthetic.value:.3f}; "
        f"learners that saw real ones, {facts['score_on_real']:.3f}."
    )


def utility_ratio(result: Result) -> str:
    return (
        f"Synthetic records keep {_percent(result.synthetic.value, 1)} of the real records' predictive score."
    )


def utility_skill(result: Result) -> str:
    floor = result.estimates.get("floor")
    return (
        f"Of what real records teach beyond guessing, synthetic ones teach {_percent(result.synthetic.value, 0)}"
        f"{_beside(floor, 'columns shuffled apart {}')}."
    )


def dcr_share(result: Result) -> str:
    text = (
        f"For {100 * result.synthetic.value:.0f} of 100 synthetic records the nearest real record is one of train "
        "rather than one of as many unseen ones; 50 is what chance gives"
    )
    worst = result.estimates.get("worst")
    if worst is not None:
        text += f"; a verbatim copy of train would score {100 * worst.value:.0f} here"
    return text + "."


def copies(result: Result) -> str:
    facts = result.synthetic.facts
    kind = "repeats" if result.metric.name == "exact_copies" else "repeats or nearly repeats"
    return (
        f"{facts['copies']} of {facts['rows']:,} synthetic records {_plural(kind, facts['copies'])} a training record; "
        f"so {_do(facts['control_copies'])} {facts['control_copies']} of {facts['control_rows']:,} unseen real ones."
    )


def _plural(verb: str, count: int) -> str:
    return verb if count == 1 else verb.replace("repeats", "repeat")


def _do(count: int) -> str:
    return "does" if count == 1 else "do"
