"""The metric `rare_values`: a count of the schema that fails a release to partners and the public."""

from dataclasses import replace

import example_tables
import pytest

from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.ruling import rule
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Obstacle, Result
from paracosm.eval.privacy.rare_values import MEASURE, RARE_VALUES, rare_values
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.schema.schema import Schema


def context_of(rare: tuple[tuple[str, int], ...] | None) -> Context:
    table, schema = example_tables.example("structured", 60, 0)
    schema = replace(Schema(schema.modelled), rare=rare)
    return Context(schema, table, table, None, None, Evaluate(), 60)


@pytest.mark.parametrize(("kept", "state"), [((), "PASS"), ((("age", 2), ("sex", 1)), "FAIL")])
def test_one_kept_value_fails_partners_and_the_public(kept: tuple[tuple[str, int], ...], state: str) -> None:
    context = context_of(kept)
    assert MEASURE.obstacle(context) is None
    result = Result(RARE_VALUES, {"synthetic": rare_values(context, context.train)["rare_values"]})
    assert result.synthetic.value == sum(count for _, count in kept)
    missing = {metric.name: Obstacle("not asked") for metric in metrics()}
    for profile in ("partner", "public"):
        gates = rule([result], missing, Release.model_validate({"profile": profile}))
        assert [gate.state for gate in gates if gate.gate == "rare_values"] == [state]
    assert all(repr(name) in RARE_VALUES.read(result) for name, _ in kept)


def test_it_is_not_measured_where_nobody_counted() -> None:
    obstacle = MEASURE.obstacle(context_of(None))
    assert obstacle is not None
    assert not obstacle.curable
