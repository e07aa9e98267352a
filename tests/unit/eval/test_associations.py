"""Associations of columns without sampling noise, and the worst column and pair: right, calibrated, and named."""

import example_tables
import numpy as np
import pandas as pd
import pytest

from paracosm.eval.fidelity.pairs import WORST_PAIR, pair_associations
from paracosm.eval.fidelity.triples import joint_metrics
from paracosm.eval.fidelity.worst_column import WORST_COLUMN, worst_column
from paracosm.eval.measuring.anchors import independent_marginals
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate, Result
from paracosm.eval.statistics.column_functions import column_functions
from paracosm.eval.statistics.joint_moments import JointMoments
from paracosm.eval.statistics.largest_difference import FALSE_ALARMS, largest_difference
from paracosm.eval.statistics.row_blocks import RowBlocks
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field

patients, PATIENTS = example_tables.patients, example_tables.PATIENTS
ROWS = 500


def _measured(synthetic: pd.DataFrame, train: pd.DataFrame | None = None) -> dict[str, Estimate]:
    train = patients(ROWS, 10) if train is None else train
    context = Context(PATIENTS, train, patients(100, 900), None, None, Evaluate(), 100)
    return pair_associations(context, synthetic) | worst_column(context, synthetic)


def _shuffled(table: pd.DataFrame, name: str) -> pd.DataFrame:
    return table.assign(**{name: table[name].sample(frac=1, random_state=0).array})


def _exchanged(table: pd.DataFrame, name: str, one: str, other: str) -> pd.DataFrame:
    return table.assign(**{name: table[name].replace({one: other, other: one})})


def test_functions_of_a_column_are_orthonormal() -> None:
    table = patients(400, 0)
    for field in PATIENTS.modelled:
        found = column_functions(field, table[field.name])
        assert found.shape[1] >= 1
        assert found.mean(axis=0) == pytest.approx(0, abs=1e-9)
        assert found.T @ found / len(found) == pytest.approx(np.eye(found.shape[1]), abs=1e-9)


def test_a_constant_column_has_no_function() -> None:
    assert column_functions(Field(name="a", type="number"), pd.Series([1.0] * 50)).shape == (50, 0)


def test_a_squared_distance_of_moments_has_mean_zero_for_one_distribution() -> None:
    random, found = np.random.default_rng(0), []
    for draw in range(300):
        first, second = ([random.normal(size=(rows, 2)), random.normal(size=(rows, 3))] for rows in (60, 90))
        blocks = RowBlocks(60, 90, draw)
        found.append(
            JointMoments(first, second, blocks).difference((0, 1), blocks.permutations(1)).distance[0]
        )
    assert abs(np.mean(found)) < 3 * np.std(found) / np.sqrt(300)
    # Six moments, whose differences have the variance 1 / 60 + 1 / 90.
    assert np.std(found) == pytest.approx(np.sqrt(2 * 6) * (1 / 60 + 1 / 90), rel=0.2)


def test_the_largest_of_many_differences_is_beyond_chance_as_rarely_as_stated() -> None:
    random, draws = np.random.default_rng(0), 2000
    alarms = sum(
        bool(
            largest_difference(
                {str(k): random.chisquare(1 + 4 * (k % 3), 200) for k in range(12)}
            ).beyond_chance
        )
        for _ in range(draws)
    )
    assert alarms / draws == pytest.approx(FALSE_ALARMS, abs=3 * np.sqrt(FALSE_ALARMS / draws))


def test_fresh_records_keep_all_associations_and_shuffled_columns_none() -> None:
    fresh = _measured(patients(ROWS, 1))
    assert fresh["pairs"].low > 0.8
    assert fresh["pairs"].low < 1 < fresh["pairs"].high
    assert (fresh["worst_pair"].value, fresh["worst_column"].value) == (0, 0)
    apart = _measured(independent_marginals(patients(ROWS, 10), PATIENTS.modelled, ROWS, 0))
    assert apart["pairs"].low < 0.1 < 0.8
    assert apart["pairs"].high < 0.3
    copy = _measured(patients(ROWS, 10))
    assert copy["pairs"].low > fresh["pairs"].value


def test_triples_keep_their_association_in_fresh_records_only() -> None:
    train, fresh = patients(ROWS, 10), patients(ROWS, 1)
    context = Context(PATIENTS, train, patients(100, 2), None, None, Evaluate(), 100)
    assert joint_metrics(context, fresh)["triples"].low > 0.7
    shuffled = joint_metrics(context, independent_marginals(train, PATIENTS.modelled, ROWS, 0))
    assert shuffled["triples"].high < 0.4


@pytest.mark.parametrize("name", ["pressure", "stage"])
def test_a_column_shuffled_apart_is_the_worst_pair(name: str) -> None:
    found = _measured(_shuffled(patients(ROWS, 1), name))["worst_pair"]
    assert found.low > WORST_PAIR.gates[0].internal
    assert name in found.facts["pair"].split(" × ")
    assert found.facts["p_value"] <= FALSE_ALARMS
    assert next(iter(found.breakdown)) == found.facts["pair"]


def _few_of_stage_one(seed: int) -> pd.DataFrame:
    table = patients(2 * ROWS, seed)
    return table[(table["stage"] != "I") | (table["age"] % 3 == 0)].head(ROWS).reset_index(drop=True)


def test_exchanged_labels_halved_spread_and_a_constant_are_the_worst_column() -> None:
    train, fresh = _few_of_stage_one(10), _few_of_stage_one(1)
    age = fresh["age"].astype(float)
    narrow = (age.mean() + (age - age.mean()) * 0.5**0.5).round().astype(fresh["age"].dtype)
    for name, broken in {
        "age": fresh.assign(age=narrow),
        "stage": _exchanged(fresh, "stage", "none", "I"),
        "sex": fresh.assign(sex=fresh["sex"].replace({"male": "female"})),
    }.items():
        found = _measured(broken, train)["worst_column"]
        assert found.facts["column"] == name
        assert found.low > WORST_COLUMN.gates[0].internal
        assert name in WORST_COLUMN.read(Result(WORST_COLUMN, {"synthetic": found}))
