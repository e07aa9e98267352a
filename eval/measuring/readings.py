"""One plain sentence for each metric: what the figure says to someone who is no statistician."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from paracosm.eval.measuring.metric import Estimate, Result

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
        f"{_beside(floor, 'columns shuffled apart {}')}.{_between_sets(result)}"
    )


def _between_sets(result: Result) -> str:
    scores = result.synthetic.facts.get("scores_of_sets")
    if scores is None:
        return ""
    return f" {len(scores)} sets of the same generator score {min(scores):.3f} to {max(scores):.3f}."


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


def guard(result: Result) -> str:
    text = (
        f"The classifier tells train from control in {100 * result.synthetic.value:.0f} of 100 pairs; "
        "50 is what chance gives."
    )
    if result.synthetic.value - 2.576 * result.synthetic.deviation > 0.5:
        text += " They differ, so no figure of membership below means anything: divide the records at random."
    return text


def membership(result: Result) -> str:
    worst = result.estimates.get("worst")
    text = (
        f"The strongest attack ({result.synthetic.facts['attack']}) prefers the training record in "
        f"{100 * result.synthetic.value:.0f} of 100 pairs of a training record and a stranger; 50 is guessing"
    )
    if worst is not None:
        text += f"; against {_worst(result)} it does so in {100 * worst.value:.0f}"
    return text + "."


def members_named(result: Result) -> str:
    rate = result.synthetic.facts["false_positive_rate"]
    worst = result.estimates.get("worst")
    text = (
        f"Where {_percent(rate)} of strangers are named by mistake, "
        f"{_percent(max(0.0, result.synthetic.value + rate), 1)} of the training records are named"
    )
    if worst is not None:
        text += f"; against {_worst(result)}, {_percent(worst.value + rate, 1)}"
    return text + "."


def _worst(result: Result) -> str:
    on_adapter = result.metric.name.startswith(("adapter", "lira"))
    return "an adapter that was made to memorise" if on_adapter else "a copy of train"


def singling_out(result: Result) -> str:
    share = (1 + result.synthetic.value) / 2
    return (
        f"Of the people that {result.synthetic.facts['predicates']:,} combinations of cells single out, "
        f"{_percent(share)} are training records; among as many strangers 50% are what chance gives."
    )


def risk(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"The attack succeeds on {_percent(facts['rate_on_train'], 1)} of training records and on "
        f"{_percent(facts['rate_on_control'], 1)} of strangers; a naive guess that knows nothing of them, on "
        f"{_percent(facts['rate_of_naive_guess'], 1)}."
    )


def runs(result: Result) -> str:
    facts, words = result.synthetic.facts, result.metric.name.removeprefix("run_")
    return (
        f"{facts['copies']:,} of {facts['rows']:,} synthetic texts hold {words} words in a row of a training text; "
        f"so {_do(facts['control_copies'])} {facts['control_copies']:,} of {facts['control_rows']:,} unseen real ones."
    )


def identifiers(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"{facts['replayed']:,} of {facts['identifiers']:,} identifiers of a single training subject are in the synthetic "
        f"records; so {_do(facts['control_replayed'])} {facts['control_replayed']:,} of {facts['control_identifiers']:,} of strangers."
    )


def extraction(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"Within 100 attempts the adapter gives away {facts['extracted_in_100']:,} of {facts['texts']:,} training texts, "
        f"and {facts['control_extracted_in_100']:,} of {facts['control_texts']:,} that it never saw; "
        f"at the first, {facts['extracted_in_1']:,}, within 10,000, {facts['extracted_in_10000']:,}."
    )


def exposure(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"A twentieth of the {facts['canaries_in']:,} planted records are exposed by {result.synthetic.value:.1f} bits or more; "
        f"with {facts['canaries_out']:,} left out, {facts['most_bits']:.1f} is the most that could show."
    )


def audit(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"{facts['right']:,} of {facts['guesses']:,} guesses about planted records are right, which disproves every epsilon "
        f"below {result.synthetic.value:.2f}; perfect guesses would disprove {facts['most']:.2f}."
    )


def plain_share(result: Result) -> str:
    floor = result.estimates.get("floor")
    return (
        f"{result.metric.title}: {_percent(result.synthetic.value, 1)}"
        f"{_beside(result.ceiling, 'fresh real records reach {}')}{_beside(floor, 'the floor is {}')}.{_too_close(result)}"
    )


def beside_anchors(result: Result) -> str:
    text = f"{result.synthetic.value:.4g}"
    if result.ceiling is not None:
        text += f", where fresh real records have {result.ceiling.value:.4g}"
    if (floor := result.estimates.get("floor")) is not None:
        text += f" and the floor {floor.value:.4g}"
    return f"{text}; 0 is none at all.{_too_close(result)}"


def propensity(result: Result) -> str:
    text = f"Synthetic records are spread unevenly over kinds of records, {result.synthetic.value:.2f} times as much as by chance"
    if result.ceiling is not None:
        text += f"; fresh real records {result.ceiling.value:.2f} times"
    if (floor := result.estimates.get("floor")) is not None:
        text += f", columns shuffled apart {floor.value:.2f} times"
    return text + "."


def topics(result: Result) -> str:
    text = f"{_percent(result.synthetic.value, 1)} of the mix of topics is right"
    text += _beside(result.ceiling, "fresh real texts reach {}")
    facts = result.synthetic.facts
    return (
        f"{text}. Furthest off among {facts['topics']}: texts about {facts['furthest_off']} "
        f"({_percent(facts['share'], 1)} of the synthetic ones, {_percent(facts['share_of_real'], 1)} of the real ones)."
    )


def ratio(result: Result) -> str:
    text = f"{result.synthetic.value:.2f} times what real training records have"
    if result.ceiling is not None:
        text += f"; fresh real records have {result.ceiling.value:.2f} times as much"
    return text + "."


def on_itself(result: Result) -> str:
    text = f"Learners reach {result.synthetic.value:.3f} on other synthetic records"
    if result.ceiling is not None:
        text += f"; on real records the same exercise gives {result.ceiling.value:.3f}"
    return text + "."


def gain(result: Result) -> str:
    few = [name for name in result.synthetic.breakdown if name.endswith("alone")]
    if not few:
        return f"Synthetic records add {result.synthetic.value:+.3f} on average."
    alone = result.synthetic.breakdown[few[0]]
    added = result.synthetic.breakdown[few[0].replace("of train alone", "and the candidate")]
    return (
        f"Beside few real records synthetic ones add {result.synthetic.value:+.3f} on average; with {few[0].split()[0]} of "
        f"train the score goes from {alone:.3f} to {added:.3f}."
    )


def worst_group(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"Of {facts['groups']} groups, {facts['group']} loses most: its score changes by {result.synthetic.value:+.3f} when "
        "learners see synthetic instead of real records."
    )
