"""Gates: three states, reasons in words, limits by profile and by recipe."""

import pytest

from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import rule, verdict
from paracosm.eval.measuring.gate import PROFILES
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.eval.measuring.number_format import figure
from paracosm.eval.results.gate_result import GateResult
from paracosm.eval.statistics.intervals import around
from paracosm.foundation.errors import RecipeError
from paracosm.recipes.sections.release import Release

METRICS = {metric.name: metric for metric in metrics()}
ABSENT = {name: Obstacle("this test leaves it out", curable=False) for name in METRICS}


def ruling(name: str, estimate: Estimate, release: Release | None = None, **anchors: Estimate) -> GateResult:
    """Return what the gate `name` says of one measured metric."""
    gate = next(each for each in GATES if each.name == name)
    result = Result(METRICS[gate.metric], {"synthetic": estimate} | anchors)  # type: ignore[dict-item]
    return next(each for each in rule([result], ABSENT, release or Release()) if each.gate == name)


def copies(value: float, low: float, high: float, count: int = 1) -> Estimate:
    """Return an estimate as the copy metrics give it."""
    return Estimate(
        value, low, high, facts={"copies": count, "rows": 100, "control_copies": 0, "control_rows": 50}
    )


@pytest.mark.parametrize(
    ("value", "low", "high", "state"),
    [
        (0.6, 0.5, 0.7, "PASS"),
        (0.7, 0.6, 0.75, "PASS"),
        (0.74, 0.7, 0.78, "INCONCLUSIVE"),
        (0.8, 0.7, 0.9, "INCONCLUSIVE"),
        (0.9, 0.76, 0.95, "FAIL"),
    ],
)
def test_the_interval_bound_decides(value: float, low: float, high: float, state: str) -> None:
    assert ruling("c2st_auc", Estimate(value, low, high)).state == state


def test_a_value_of_zero_is_not_a_missing_value() -> None:
    found = ruling("exact_copies", copies(0.0, -0.02, 0.004, count=0), worst=Estimate(1.0, 0.95, 1.0))
    assert found.state == "PASS"
    assert found.value == 0.0
    assert ruling("utility_skill", Estimate(0.0, -0.1, 0.1)).state == "FAIL"
    assert (
        ruling(
            "exact_copies",
            copies(0.0, 0.0, 0.0, 0),
            Release(gates={"exact_copies": 0.0}),
            worst=Estimate(1.0, 0.95, 1.0),
        ).state
        == "PASS"
    )


def test_a_limit_of_zero_may_be_straddled() -> None:
    none = Release(gates={"exact_copies": 0.0})
    found = ruling("exact_copies", copies(-0.02, -0.1, 0.01, count=0), none, worst=Estimate(1.0, 0.95, 1.0))
    assert found.state == "INCONCLUSIVE"
    assert "training records would settle it" in found.reason


def test_an_objection_gate_never_passes() -> None:
    assert ruling("dcr_share", Estimate(0.2, 0.1, 0.3)).state == "NO OBJECTION"
    assert ruling("dcr_share", Estimate(0.56, 0.54, 0.58)).state == "NO OBJECTION"
    assert ruling("dcr_share", Estimate(0.6, 0.56, 0.64)).state == "FAIL"
    assert ruling("twins", Estimate(0.2, 0.1, 0.3)).state == "FAIL"
    assert not ruling("twins", Estimate(0.5, 0.4, 0.6)).decides


def test_a_gate_proves_for_some_profiles_and_only_objects_for_others() -> None:
    estimate, worst = Estimate(0.0, -0.05, 0.02), Estimate(0.95, 0.9, 1.0)
    states = {
        profile: ruling("data_mia_tpr", estimate, Release(profile=profile), worst=worst).state
        for profile in PROFILES
    }
    assert states == {"internal": "NO OBJECTION", "partner": "PASS", "public": "PASS"}
    assert ruling("data_mia_tpr", Estimate(0.3, 0.2, 0.4), worst=worst).state == "FAIL"
    powerless = ruling("data_mia_tpr", estimate, worst=Estimate(0.04, 0.0, 0.1))
    assert powerless.state == "INCONCLUSIVE"
    assert powerless.reason.startswith("No power")


def test_every_gate_says_why_profiles_demand_what_they_demand() -> None:
    assert [gate.name for gate in GATES if not gate.why.endswith(".")] == []


def test_a_target_goal_is_limited_on_both_sides() -> None:
    def share(floor: float, ceiling: float) -> float | None:
        anchors = {"synthetic": 0.6, "floor": floor, "ceiling": ceiling}
        estimates = {name: Estimate(each, each, each) for name, each in anchors.items()}
        found = Result(METRICS["text_information"], estimates).normalised  # type: ignore[arg-type]
        return None if found is None else round(found.value, 6)

    assert share(0.1, 0.9) == 0.625
    assert share(3.6, 1.1) == 1.2
    assert share(0.9, 0.1) is None


def test_normalised_gates_include_the_errors_of_the_anchors() -> None:
    near, far = (around(0.9, 1e-8, (0, 1)), around(0.5, 1e-8, (0, 1))), around(0.88, 1e-8, (0, 1))
    assert ruling("mauve", far, ceiling=near[0], floor=near[1]).state == "PASS"
    wide = around(0.9, 0.01, (0, 1))
    assert ruling("mauve", far, ceiling=wide, floor=near[1]).state == "INCONCLUSIVE"
    swapped = ruling("mauve", far, ceiling=near[1], floor=near[0])
    assert swapped.state == "INCONCLUSIVE"
    assert "do not differ" in swapped.reason


def test_a_gate_that_the_worst_case_passes_has_no_power() -> None:
    found = Estimate(0.5, 0.45, 0.55, facts={"attack": "x"})
    weak = ruling("data_mia_auc", found, worst=Estimate(0.62, 0.56, 0.68))
    assert weak.state == "INCONCLUSIVE"
    assert weak.reason.startswith("No power: the worst case itself reaches only 0.620")
    assert ruling("data_mia_auc", found, worst=Estimate(0.99, 0.97, 1.0)).state == "PASS"
    leak = Estimate(0.9, 0.85, 0.95, facts={"attack": "x"})
    assert ruling("data_mia_auc", leak, worst=Estimate(0.62, 0.56, 0.68)).state == "FAIL"


def test_a_gate_without_a_measured_worst_case_has_no_power() -> None:
    clean = Estimate(0.0, -0.01, 0.005)
    found = ruling("extraction", clean)
    assert found.state == "INCONCLUSIVE"
    assert "the worst case could not be measured" in found.reason
    assert ruling("extraction", clean, worst=Estimate(1.0, 0.7, 1.0)).state == "PASS"


def test_a_shifted_split_invalidates_only_comparisons_with_control() -> None:
    shifted, fair = around(0.7, 0.0016, (0, 1)), around(0.55, 0.0016, (0, 1))
    leak, copied = Estimate(0.9, 0.85, 0.95, facts={"attack": "x"}), copies(0.9, 0.8, 1.0)
    results = {
        name: Result(METRICS[name], {"synthetic": each})
        for name, each in (("data_mia_auc", leak), ("exact_copies", copied))
    }
    for guard, state in ((shifted, "INCONCLUSIVE"), (fair, "FAIL")):
        asked = [*results.values(), Result(METRICS["split_guard"], {"synthetic": guard})]
        states = {each.gate: each.state for each in rule(asked, ABSENT, Release())}
        assert states["data_mia_auc"] == state
        assert states["exact_copies"] == "FAIL"
        assert states["split_guard"] == ("INCONCLUSIVE" if guard is shifted else "PASS")


def test_ratios_are_limited_in_both_directions() -> None:
    for value, low, high, state in (
        (1.1, 1.0, 1.2, "PASS"),
        (0.9, 0.82, 0.98, "PASS"),
        (0.6, 0.5, 0.7, "FAIL"),
        (1.5, 1.4, 1.6, "FAIL"),
        (1.2, 1.1, 1.3, "INCONCLUSIVE"),
    ):
        assert ruling("perplexity_ratio", Estimate(value, low, high)).state == state


def test_profile_and_recipe_set_the_limit() -> None:
    estimate = copies(0.0, -0.02, 0.004, count=0)
    states = [
        ruling("near_copies", estimate, Release(profile=each), worst=Estimate(1.0, 0.95, 1.0)).state
        for each in ("internal", "partner", "public")
    ]
    assert states == ["PASS", "PASS", "INCONCLUSIVE"]
    own = Release(profile="public", gates={"near_copies": 0.01})
    assert ruling("near_copies", estimate, own, worst=Estimate(1.0, 0.95, 1.0)).state == "PASS"


def test_reasons_name_metric_value_bound_and_remedy() -> None:
    assert ruling("c2st_auc", Estimate(0.6, 0.5, 0.7)).reason == (
        "c2st_auc is 0.600 (95% interval 0.500 to 0.700); the bound 0.700 keeps the limit: at most 0.750."
    )
    settled = ruling("near_copies", copies(0.0, -0.01, 0.004, count=0), Release(profile="public"))
    assert "Without a single copy, 3,850 synthetic records would settle it." in settled.reason
    narrowed = ruling("c2st_auc", Estimate(0.70, 0.60, 0.80)).reason
    assert "About 4 times as many control and test records would settle it." in narrowed
    assert "wrong side" in ruling("c2st_auc", Estimate(0.8, 0.7, 0.9)).reason
    assert "More than 25 times as many" in ruling("c2st_auc", Estimate(0.749, 0.7, 0.8)).reason


def test_an_unknown_gate_is_refused_with_a_suggestion() -> None:
    with pytest.raises(
        RecipeError, match=r"unknown gate 'near_copy'; did you mean 'near_copies'\?"
    ) as refused:
        rule([], ABSENT, Release(gates={"near_copy": 0.1}))
    assert "\n" not in str(refused.value)


def test_an_unmeasured_metric_is_inconclusive_only_if_more_records_would_help() -> None:
    short = {name: Obstacle("only 3 control records; at least 10 are needed") for name in METRICS}
    rulings = rule([], short, Release())
    assert {each.state for each in rulings} == {"INCONCLUSIVE", "NO OBJECTION"}
    assert verdict(rulings) == "INCONCLUSIVE"
    assert {each.state for each in rule([], ABSENT, Release())} == {"NOT APPLICABLE"}
    assert verdict(rule([], ABSENT, Release())) == "INCONCLUSIVE"


def test_the_verdict_is_the_worst_state() -> None:
    good, bad = ruling("c2st_auc", Estimate(0.5, 0.4, 0.6)), ruling("c2st_auc", Estimate(0.9, 0.8, 1.0))
    open_, quiet = ruling("c2st_auc", Estimate(0.7, 0.6, 0.8)), ruling("dcr_share", Estimate(0.5, 0.4, 0.6))
    assert verdict([good, quiet]) == "PASS"
    assert verdict([good, open_]) == "INCONCLUSIVE"
    assert verdict([good, open_, bad]) == "FAIL"
    assert verdict([quiet]) == "INCONCLUSIVE"


def test_a_gate_is_in_the_section_of_its_metric_unless_it_names_another() -> None:
    others = {gate.name: gate.section for gate in GATES if gate.section != METRICS[gate.metric].section}
    assert others == {"twins": "privacy"}


def test_every_gate_limits_a_registered_metric_once() -> None:
    assert len({gate.name for gate in GATES}) == len(GATES)
    assert {gate.metric for gate in GATES} <= set(METRICS)


def test_number_format() -> None:
    assert [figure(0.9613, "percent"), figure(0.0004, "percent"), figure(0.0, "points")] == [
        "96.1%",
        "0.04%",
        "0.0 pp",
    ]
    assert [figure(0.5, "plain"), figure(-0.0211, "points")] == ["0.500", "-2.1 pp"]


def ruled_on(estimates: dict[str, Estimate]) -> list[GateResult]:
    """Return the gates on these metrics alone; the worst case is found."""
    found = Estimate(1.0, 0.95, 1.0)
    results = [Result(METRICS[name], {"synthetic": each, "worst": found}) for name, each in estimates.items()]
    return rule(results, ABSENT, Release())


def test_a_gate_only_objects_where_another_metric_gives_the_proof() -> None:
    wide = Estimate(0.55, 0.45, 0.65)
    alone = {gate.gate: gate.state for gate in ruled_on({"adapter_mia_auc": wide})}
    assert alone["adapter_mia_auc"] == "INCONCLUSIVE"
    both = {
        gate.gate: gate.state
        for gate in ruled_on({"adapter_mia_auc": wide, "cross_fit_auc": Estimate(0.53, 0.5, 0.56)})
    }
    assert (both["adapter_mia_auc"], both["cross_fit_auc"]) == ("NO OBJECTION", "PASS")
    leak = {
        gate.gate: gate.state
        for gate in ruled_on(
            {"adapter_mia_auc": Estimate(0.8, 0.75, 0.85), "cross_fit_auc": Estimate(0.53, 0.5, 0.56)}
        )
    }
    assert leak["adapter_mia_auc"] == "FAIL"
