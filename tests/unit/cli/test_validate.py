"""`validate` tells the cost of every stage, and the sum has all of them."""

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from tiny_models import save_tiny_llama

from paracosm import validate
from paracosm.cli.validate import plan_lines
from paracosm.finetune.adaptation_cost import AdaptationCost
from paracosm.plan import Plan
from paracosm.recipes.recipe import Recipe
from paracosm.stage_costs import StageCost, measured


@pytest.fixture(scope="module")
def plan(tmp_path_factory: pytest.TempPathFactory) -> Plan:
    folder = tmp_path_factory.mktemp("plan")
    save_tiny_llama(folder / "model")
    table = pd.DataFrame({"age": range(20, 80), "ill": ["yes", "no"] * 30})
    return validate({"name": "x", "model": {"base": str(folder / "model")}}, data=table, root=folder)


def test_assembling_the_records_is_measured(plan: Plan) -> None:
    assert plan.preparation.seconds > 0
    assert plan.preparation.bytes > 10_000_000
    assert " GB of memory to prepare" in plan_lines(plan)["records"]


def test_the_sum_has_records_and_adaptation(plan: Plan) -> None:
    long = replace(
        plan,
        preparation=StageCost(3 * 3600.0, 10**9, "data.limit"),
        adaptation=AdaptationCost(10, 1000, 5 * 3600.0),
    )
    lines = plan_lines(long)
    assert lines["records"].endswith(
        "; about 3.0 h, 1.0 GB of memory to prepare; lower data.limit to shorten it"
    )
    assert "about 5.0 h before the training" in lines["adaptation"]
    assert lines["in all"] == "about 8.0 h on this machine"


def test_records_under_a_privacy_budget_are_not_limited() -> None:
    private = Recipe.model_validate({"name": "x", "data": {"source": "x"}, "privacy": {"epsilon": 4}})
    done, cost = measured(private, lambda: 7)
    assert (done, cost.cures) == (7, "")


def test_a_plan_without_training_tells_the_cost_of_its_records(tmp_path: Path) -> None:
    table = pd.DataFrame({"age": range(20, 80), "ill": ["yes", "no"] * 30})
    found = validate({"name": "x", "strategy": "statistical"}, data=table, root=tmp_path)
    assert plan_lines(found).keys() == {"records", "statistics"}
    assert "to prepare" in plan_lines(found)["records"]
