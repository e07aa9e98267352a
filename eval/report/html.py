"""The report: one HTML file that needs no network, from what `metrics.json` holds."""

from collections.abc import Mapping, Sequence
from functools import cache
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined, Template

from paracosm.eval.gates.remedies import cures
from paracosm.eval.measuring.dp_claim import Claim
from paracosm.eval.measuring.number_format import figure, interval
from paracosm.eval.report.attack_plots import map_plot, roc_plot
from paracosm.eval.report.plots import NARROW, anchored, distribution, loss_curve, pair_map

GROUPS = {
    "fidelity": ("Fidelity", "Do the synthetic records look like the real ones?"),
    "utility": ("Utility", "Can one learn from them what one would learn from the real ones?"),
    "privacy": ("Leakage", "Do they give away whom the model was trained on?"),
}
LEADS = {
    "PASS": "Every gate of the {profile} profile holds.",
    "FAIL": "At least one gate of the {profile} profile is broken. Do not release these records.",
    "INCONCLUSIVE": "No gate of the {profile} profile is broken, but these data cannot settle all of them.",
}
SHOWN_FIRST = 6
RULING = ("FAIL", "INCONCLUSIVE", "PASS")
ORDER = ("FAIL", "INCONCLUSIVE", "PASS", "NO OBJECTION", "NOT APPLICABLE")


def report_html(
    metrics: Mapping[str, Any],
    *,
    name: str,
    history: Sequence[Mapping[str, Any]] = (),
    nearest: Sequence[Mapping[str, Any]] = (),
    claim: Claim | None = None,
    minutes: float | None = None,
) -> str:
    """Return the report as one HTML page.

    Args:
        metrics: what `Evaluation.plain` returns and `metrics.json` holds.
        name: what was evaluated, for the title.
        history: loss per evaluation of the training run: dicts of `epoch`, `train_bits`, `control_bits`.
        nearest: synthetic records beside training records; they are printed as they are.
        claim: what a private training states to have spent.
        minutes: the time limit that ended the training run, where one did.
    """
    gates = sorted([*metrics["gates"], *metrics["not_ruling"]], key=lambda gate: ORDER.index(gate["state"]))
    places = metrics.get("map")
    measured = {each["name"]: each for each in metrics["metrics"] if each["value"] is not None}
    return template("report.html.jinja").render(
        name=name,
        metrics=metrics,
        lead=LEADS[metrics["verdict"]].format(profile=metrics["profile"]),
        cures=cures(metrics),
        ruling=[gate for gate in gates if gate["state"] in RULING],
        silent=[gate for gate in gates if gate["state"] not in RULING],
        map=map_plot(places) if places else None,
        groups=[_group(key, metrics, gates) for key in GROUPS],
        columns=_columns(metrics, measured.get("marginals")),
        shown_first=SHOWN_FIRST,
        pairs=_pairs(metrics, measured.get("pairs")),
        curve=loss_curve(history),
        training=_training(history),
        nearest=nearest,
        claim=claim,
        minutes=minutes,
    )


@cache
def template(name: str) -> Template:
    """Return a page's template: escaped, and strict about what it is given."""
    environment = Environment(
        loader=PackageLoader("paracosm.eval.report"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {"figure": figure, "slug": lambda text: text.lower().replace(" ", "-")}
    environment.globals |= {"interval": interval}
    return environment.get_template(name)


def _group(key: str, metrics: Mapping[str, Any], gates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    rows = [each for each in metrics["metrics"] if each["group"] == key]
    limited = {gate["metric"] for gate in gates if gate["section"] == key}
    drawn = [_drawn(each, gates) for each in rows if each["value"] is not None]
    return {
        "key": key,
        "title": GROUPS[key][0],
        "question": GROUPS[key][1],
        "metrics": [each for each in drawn if each["name"] in limited],
        "further": [each for each in drawn if each["name"] not in limited],
        "unmeasured": [each for each in rows if each["value"] is None],
    }


def _drawn(metric: Mapping[str, Any], gates: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    own = [gate for gate in gates if gate["metric"] == metric["name"]]
    states = [gate["state"] for gate in own if gate["section"] == metric["group"]]
    limits = [
        gate["threshold"]
        for gate in own
        if gate["quantity"] == "value" and gate["section"] == metric["group"]
    ]
    return dict(metric) | {
        "plot": anchored(metric, limits[0] if limits else None),
        "narrow_plot": anchored(metric, limits[0] if limits else None, NARROW),
        "roc": roc_plot(metric),
        "states": states,
    }


def _columns(metrics: Mapping[str, Any], marginals: Mapping[str, Any] | None) -> list[dict[str, Any]]:
    """Return the distributions, the least alike first."""
    scores = marginals["breakdown"] if marginals else {}
    ceiling = marginals["anchors"].get("ceiling", {}).get("breakdown", {}) if marginals else {}
    columns = [
        dict(each)
        | {"plot": distribution(each), "score": scores.get(each["field"]), "real": ceiling.get(each["field"])}
        for each in metrics["distributions"]
    ]
    return sorted(columns, key=lambda each: 1.0 if each["score"] is None else each["score"])


def _pairs(metrics: Mapping[str, Any], pairs: Mapping[str, Any] | None) -> Any:
    if pairs is None:
        return None
    fields = [each["field"] for each in metrics["distributions"]]
    return pair_map(fields, pairs["breakdown"], pairs["anchors"].get("ceiling", {}).get("breakdown", {}))


def _training(history: Sequence[Mapping[str, Any]]) -> dict[str, Any] | None:
    points = [each for each in history if each.get("control_bits") is not None]
    if not points:
        return None
    best = min(points, key=lambda each: each["control_bits"])
    return {"best": best, "last": points[-1], "went_on": best is not points[-1]}
