"""The sizes that are said to suffice are those at which the statistics of the gates really keep their limits."""

import numpy as np
import pytest

from paracosm.eval.gates.attainable import Need, needs
from paracosm.eval.statistics.attack_scores import Targets, strongest
from paracosm.eval.statistics.intervals import excess
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release

SIZES = {"train": 736, "control": 92, "test": 92, "synthetic": 736}


def found(release: Release, sizes: dict[str, int] = SIZES) -> dict[str, Need]:
    return {need.gate: need for need in needs(sizes, release, Evaluate(), has_adapter=True, has_texts=False)}


def test_copies_need_so_many_records_that_none_found_keeps_the_limit() -> None:
    need = found(Release(profile="partner"))["exact_copies"]
    assert need.needed is not None
    assert not need.is_met
    assert excess(0, need.needed, 0, 10**7).high <= 0.005 < excess(0, need.needed - 1, 0, 10**7).high


@pytest.mark.parametrize(("gate", "metric"), [("data_mia_auc", "mia_auc"), ("data_mia_tpr", "mia_tpr")])
def test_the_bound_of_guessing_is_that_of_the_attack(gate: str, metric: str) -> None:
    need = found(Release(profile="partner"))[gate]
    others, random = need.needed, np.random.default_rng(3)
    assert others is not None
    widths = []
    for seed in range(12):
        targets = Targets({"noise": random.normal(size=736 + others)}, 736)
        estimate = strongest(targets, Evaluate(seed=seed, bootstrap=200), "mia")[metric]
        widths.append(estimate.high - estimate.value)
    allowed = {"data_mia_auc": 0.075, "data_mia_tpr": 0.03}[gate]
    assert np.mean(widths) == pytest.approx(allowed, rel=0.25)


def test_gates_that_do_not_count_are_left_out() -> None:
    assert "adapter_mia_auc" not in found(Release(what="records"))
    assert "data_mia_tpr" not in found(Release(profile="internal"))
    assert found(Release(gates={"exact_copies": 0.1}))["exact_copies"].needed == 35
    assert found(Release(gates={"exact_copies": 0.0}))["exact_copies"].needed is None
    assert not any(name.startswith("run_") for name in found(Release()))


def test_larger_tables_meet_more_needs() -> None:
    small = found(Release(profile="public"))
    large = found(Release(profile="public"), {name: 10 * count for name, count in SIZES.items()})
    assert sum(need.is_met for need in small.values()) < sum(need.is_met for need in large.values())
    assert all(need.is_met for need in large.values())
