"""Statistics as a strategy: exact conditionals, likelihoods and conditions, kept rules and relations, no value of one person."""

import itertools
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime, time, timedelta
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from scipy.stats import chisquare

from paracosm.eval.attacks.membership import adapter_obstacle, lira_obstacle
from paracosm.eval.attacks.target import attack_target
from paracosm.eval.measuring.context import Context
from paracosm.foundation.errors import DataError, ModelError, RecipeError
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.quotas import quota_classes
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.columns import fit_column
from paracosm.generate.statistics.likelihoods import field_likelihoods
from paracosm.generate.statistics.stored_chain import ARRAYS, load_chain, save_chain
from paracosm.generate.statistics.value_grid import grid_of
from paracosm.generate.strategies.preparation import fit_chain
from paracosm.generate.strategies.statistical import StatisticalStrategy, abilities_for
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.generate import Generate
from paracosm.recipes.sections.rules import Rules
from paracosm.recipes.sections.statistical import Statistical
from paracosm.records.constraints.rules import read_rules
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.search import find_relations, from_plain, to_plain
from paracosm.records.schema.schema import Field, Record, Schema, Value
from paracosm.records.schema.table import to_table

METHODS = ("forest", "copula", "marginals")
SCHEMA = Schema(
    (
        Field(name="sex", type="category", categories=("f", "m")),
        Field(name="dose", type="integer", minimum=0, maximum=5, nullable=True),
        Field(name="ill", type="boolean"),
    )
)
VALUES: list[tuple[Value, ...]] = [("f", "m"), (None, 0, 1, 2, 3, 4, 5), (False, True)]
EVERY = [dict(zip(SCHEMA.names, row, strict=True)) for row in itertools.product(*VALUES)]
DRAWS = 4000


def training_records(count: int = 400) -> list[Record]:
    random = np.random.default_rng(0)
    records = []
    for _ in range(count):
        sex = "f" if random.random() < 0.6 else "m"
        dose = None if random.random() < 0.15 else int(random.binomial(5, 0.7 if sex == "m" else 0.3))
        records.append({"sex": sex, "dose": dose, "ill": bool(random.random() < (dose or 0) / 6)})
    return records


def fitted(method: str, schema: Schema = SCHEMA, records: Sequence[Record] = ()) -> Chain:
    rows = list(records) or training_records()
    settings = Statistical(method=method, trees=5)  # type: ignore[arg-type]
    return fit_chain(schema, rows, np.arange(len(rows)), settings)


@pytest.fixture(params=METHODS)
def chain(request: pytest.FixtureRequest) -> Chain:
    return fitted(request.param)


def strategy_over(chain: Chain, **settings: object) -> StatisticalStrategy:
    strategy = StatisticalStrategy(Path(), Generate.model_validate(settings))
    strategy.__dict__["chain"] = chain
    return strategy


def drawn(
    chain: Chain,
    rules: Rules = Rules(),  # noqa: B008  # frozen
    where: Mapping[str, Value] | None = None,
    quotas: Mapping[str, object] | None = None,
    draws: int = DRAWS,
) -> list[Record]:
    strategy = strategy_over(chain)
    shared = RuleConstraints(chain.schema, read_rules(rules, chain.schema, Path()))
    classes = {
        name: quota_classes(chain.schema[name], quota, count=draws, seed=0)  # type: ignore[arg-type]
        for name, quota in (quotas or {}).items()
    }
    conditions = Conditions(strategy.abilities, shared, where or {}, classes)
    requests = [conditions.request(number) for number in range(draws)]
    groups = strategy.records(requests, seed=1, tally=Tally())
    return [record for (record,) in groups]


def probabilities(chain: Chain) -> dict[tuple[Value, ...], float]:
    shares = 2 ** chain.log_likelihood(EVERY).sum(axis=1)
    return {tuple(record.values()): float(share) for record, share in zip(EVERY, shares, strict=True)}


def p_value(records: Sequence[Record], expected: Mapping[tuple[Value, ...], float]) -> float:
    counts = Counter(tuple(record.values()) for record in records)
    assert counts.keys() <= expected.keys()
    total = sum(expected.values())
    pairs = [(counts[key], share / total * len(records)) for key, share in expected.items()]
    common = [pair for pair in pairs if pair[1] >= 5]
    rare = [sum(side) for side in zip(*[pair for pair in pairs if pair[1] < 5], strict=True)]
    observed, wanted = zip(*(common + ([tuple(rare)] if rare and rare[1] > 0 else [])), strict=True)
    return float(chisquare(observed, np.array(wanted) * sum(observed) / sum(wanted)).pvalue)


def test_likelihoods_sum_to_one_and_draws_follow_them(chain: Chain) -> None:
    expected = probabilities(chain)
    assert sum(expected.values()) == pytest.approx(1.0)
    assert p_value(drawn(chain), expected) > 1e-3


@pytest.mark.parametrize("where", [{"sex": "m"}, {"dose": 3}, {"dose": None, "ill": False}])
def test_a_condition_on_any_field_is_met_exactly(chain: Chain, where: dict[str, Value]) -> None:
    expected = {
        key: share
        for key, share in probabilities(chain).items()
        if all(key[SCHEMA.names.index(name)] == value for name, value in where.items())
    }
    assert p_value(drawn(chain, where=where, draws=1500), expected) > 1e-3


def test_rules_hold_and_leave_the_proportions_of_what_they_allow(chain: Chain) -> None:
    records = drawn(chain, Rules(checks=["if sex == 'm' then dose >= 3 or missing(dose)", "dose != 5"]))
    doses = Counter(record["dose"] for record in records if record["sex"] == "m")
    assert set(doses) <= {None, 3, 4}
    share = Counter[Value]()
    for key, probability in probabilities(chain).items():
        if key[0] == "m":
            share[key[1]] += probability  # type: ignore[assignment]
    allowed = share[None] + share[3] + share[4]
    assert doses[3] / doses.total() == pytest.approx(share[3] / allowed, abs=0.04)


def test_quotas_and_derived_fields(chain: Chain) -> None:
    records = drawn(chain, quotas={"ill": {"true": 0.25}, "sex": "balanced"}, draws=400)
    assert sum(bool(record["ill"]) for record in records) == 100
    assert sum(record["sex"] == "f" for record in records) == 200


def test_an_impossible_condition_ends_with_the_share_that_it_refused(chain: Chain) -> None:
    with pytest.raises(DataError, match=r"rules and conditions on 'dose' refused 100\.0%"):
        drawn(chain, Rules(checks=["dose > 9", "not missing(dose)"]), draws=40)


def test_a_record_follows_from_its_number_alone(chain: Chain) -> None:
    strategy = strategy_over(chain)
    together = strategy.records([Request(number) for number in range(30)], seed=3, tally=Tally())
    alone = strategy_over(chain, batch_size=1).records([Request(7)], seed=3, tally=Tally())
    again = strategy.records([Request(7, redraw=1)], seed=3, tally=Tally())
    assert alone[0] == together[7]
    assert len({tuple(record.values()) for (record,) in together}) > 3
    assert (
        again[0] != together[7]
        or strategy.records([Request(8, redraw=1)], seed=3, tally=Tally())[0] != together[8]
    )


def test_what_is_stored_draws_the_same_records(chain: Chain, tmp_path: Path) -> None:
    save_chain(chain, Statistical(method=type(chain.conditionals).__name__.lower(), trees=5), tmp_path)  # type: ignore[arg-type]
    stored = load_chain(tmp_path)
    requests = [Request(number) for number in range(50)]
    assert strategy_over(stored).records(requests, seed=2, tally=Tally()) == strategy_over(chain).records(
        requests, seed=2, tally=Tally()
    )
    assert (stored.log_likelihood(EVERY) == chain.log_likelihood(EVERY)).all()


@pytest.mark.parametrize(("name", "value"), [("left", 0), ("feature", 99), ("codes", -1), ("start", 7)])
def test_damaged_trees_are_refused(tmp_path: Path, name: str, value: int) -> None:
    save_chain(fitted("forest"), Statistical(trees=5), tmp_path)
    arrays = load_file(tmp_path / ARRAYS)
    key = f"method.2.value.{name}"
    arrays[key] = np.full_like(arrays[key], value)
    save_file(arrays, tmp_path / ARRAYS)
    with pytest.raises(ModelError, match="damaged"):
        load_chain(tmp_path)


@pytest.mark.parametrize("method", METHODS)
def test_relations_hold_in_every_record(method: str) -> None:
    relation = Linear((("net", 1.0), ("tax", 1.0), ("total", -1.0)), 0.0, 0.0, "net + tax == total")
    fields = tuple(
        Field(name=name, type="integer", minimum=0, maximum=200) for name in ("total", "net", "tax")
    )
    schema = Schema(fields, relations=to_plain((relation,)))
    random = np.random.default_rng(1)
    records = [
        {"net": int(a), "tax": int(b), "total": int(a + b)} for a, b in random.integers(0, 100, (300, 2))
    ]
    chain = fitted(method, abilities_for(schema, None).schema, records)
    made = drawn(chain, draws=100)
    assert Relations(schema, from_plain(schema.relations)).counts(made) == {relation.text: 0}
    assert len({record["total"] for record in made}) > 20


FIELDS = [
    (Field(name="n", type="number", decimals=2, minimum=-3.0, maximum=9.5), -2.35),
    (Field(name="s", type="number", scientific=3, minimum=-1e-5, maximum=9e20), 1.25e-7),
    (Field(name="i", type="integer", minimum=-5, maximum=70), -3),
    (Field(name="d", type="datetime", format="%Y-%m-%d", minimum=datetime(2020, 1, 1), maximum=datetime(2023, 12, 31)), datetime(2021, 2, 3)),
    (Field(name="m", type="datetime", format="%m/%Y", minimum=datetime(2020, 1, 1), maximum=datetime(2023, 12, 31)), datetime(2021, 2, 1)),
    (Field(name="t", type="time", format="%H:%M", minimum=time(1, 0), maximum=time(23, 59)), time(13, 5)),
    (Field(name="l", type="duration", format="%H:%M:%S", minimum=timedelta(0), maximum=timedelta(hours=30)), timedelta(hours=2, seconds=7)),
    (Field(name="c", type="category", categories=("a", "b")), "b"),
]  # fmt: skip


@pytest.mark.parametrize("order", [("pulse", "slope"), ("slope", "pulse")])
def test_relations_of_missing_cells_leave_their_share(order: tuple[str, str]) -> None:
    random = np.random.default_rng(0)
    measured = random.random(400) > 0.2
    records: list[Record] = [
        {
            # Where the pulse was not taken, neither was the slope; a few more slopes are missing.
            "pulse": int(random.integers(60, 70)) if taken else None,
            "slope": float(random.integers(1, 50)) / 10 if taken and random.random() > 0.03 else None,
        }
        for taken in measured
    ]
    fields = {
        "pulse": Field(name="pulse", type="integer", minimum=60, maximum=69, nullable=True),
        "slope": Field(name="slope", type="number", decimals=1, minimum=0.0, maximum=5.0, nullable=True),
    }
    plain = Schema(tuple(fields[name] for name in order))
    found = find_relations(to_table(records, plain), plain)
    assert found
    schema = Schema(plain.fields, relations=to_plain(found))
    made = drawn(fitted("forest", schema, records))
    for name in order:
        share = np.mean([record[name] is None for record in made])
        assert share == pytest.approx(np.mean([record[name] is None for record in records]), abs=0.02)


@pytest.mark.parametrize(("field", "value"), FIELDS, ids=lambda one: getattr(one, "name", ""))
def test_the_grid_numbers_every_value_of_a_field(field: Field, value: Value) -> None:
    grid = grid_of(field)
    number = grid.index(value)
    assert grid.value(number) == value
    assert grid.first <= number <= grid.last
    numbers = np.unique(np.linspace(grid.first, grid.last, 60).astype(np.int64)).tolist()
    values = [grid.value(number) for number in numbers]
    assert [grid.index(value) for value in values] == numbers
    assert all(field.allows(value) for value in values)


@pytest.mark.parametrize("method", METHODS)
def test_no_value_of_one_person_alone_is_handed_on(method: str) -> None:
    """A person has a value 37 times; others share values, or have one of a wide range that is drawn as a whole."""
    field = Field(name="income", type="integer", minimum=0, maximum=10**9)
    random = np.random.default_rng(0)
    shared = random.integers(20, 60, 300) * 1000
    lone = random.integers(10**8, 9 * 10**8, 80)
    values = [*shared.tolist(), *lone.tolist(), *[77_777] * 37]
    people = np.array([*range(380), *[999] * 37])
    column = fit_column(field, values, people)
    width = column.sizes[column.codes([77_777])]
    assert 77_777 not in column.low[column.sizes == 1]
    assert (width > 1).all() or column.codes([77_777])[0] < 0
    settings = Statistical(method=method)  # type: ignore[arg-type]
    chain = fit_chain(Schema((field,)), [{"income": value} for value in values], people, settings)
    made = {record["income"] for record in drawn(chain, draws=2000)}
    assert not made & {*lone.tolist(), 77_777}
    assert len(made & set(shared.tolist())) > 20


def test_what_statistics_cannot_make_is_refused() -> None:
    with pytest.raises(RecipeError, match="does not write free text, and 'note' is one"):
        abilities_for(Schema((Field(name="note", type="text", max_length=9),)), None)
    with pytest.raises(RecipeError, match=r"generate\.top_k: is for language models"):
        StatisticalStrategy(Path(), Generate(top_k=3))


def test_likelihoods_of_fields_state_what_to_expect_of_a_draw(chain: Chain) -> None:
    found = field_likelihoods(chain, EVERY)
    for index, name in enumerate(SCHEMA.names):
        for row, record in enumerate(EVERY):
            before = SCHEMA.names[:index]
            same = [n for n, other in enumerate(EVERY) if all(other[key] == record[key] for key in before)]
            logs = np.array(list({EVERY[n][name]: found.log_probability[n, index] for n in same}.values()))
            shares = np.exp(logs)
            assert found.expected[row, index] == pytest.approx((shares * logs).sum())
            assert found.deviation[row, index] ** 2 == pytest.approx(
                (shares * logs**2).sum() - (shares * logs).sum() ** 2, abs=1e-9
            )
            assert found.is_argmax[row, index] == (found.log_probability[row, index] >= logs.max() - 1e-9)


def test_the_likelihoods_of_a_forest_are_attacked(tmp_path: Path) -> None:
    records = training_records(600)
    rows = to_table(records, SCHEMA)
    chain = fitted("forest", records=records[:400])
    save_chain(chain, Statistical(), tmp_path)
    context = Context(
        SCHEMA, rows[:400], rows[400:500], rows[500:], None, Evaluate(), 100, statistics=tmp_path
    )
    assert adapter_obstacle(context) is None
    target = attack_target(context)
    assert (target.members, target.others, len(target.records)) == (400, 100, 600)
    own = np.array([likelihood.log_probability.sum() for likelihood in target.adapter])
    assert own == pytest.approx(chain.log_likelihood(target.records).sum(axis=1) * np.log(2))
    # Test holds the non-members, and control those that the attacker knows.
    assert target.records == [*records[:400], *records[500:], *records[400:500]]
    # The positive control fits a few records alone, and others are far less likely under it.
    few = np.array([likelihood.log_probability.mean() for likelihood in target.memorised])
    assert few[: target.memorised_members].mean() > few[target.memorised_members :].mean()
    assert lira_obstacle(replace(context, settings=Evaluate(attacks=["adapter", "lira"]))) is not None


@pytest.mark.parametrize("where", [{"dose": 5, "ill": False}, {"ill": True}])
def test_a_condition_that_few_records_meet_is_met_by_weight(chain: Chain, where: dict[str, Value]) -> None:
    expected = {
        key: share
        for key, share in probabilities(chain).items()
        if all(key[SCHEMA.names.index(name)] == value for name, value in where.items())
    }
    strategy = strategy_over(chain, attempts=20)
    shared = RuleConstraints(chain.schema, read_rules(Rules(), chain.schema, Path()))
    conditions = Conditions(strategy.abilities, shared, where, {})
    tally = Tally()
    requests = [conditions.request(number) for number in range(1500)]
    records = [record for (record,) in strategy.records(requests, seed=1, tally=tally)]
    assert p_value(records, expected) > 1e-3
    if sum(expected.values()) < 0.02:
        assert 0 < tally.resampled < 1500
    # A record does not depend on those that are drawn beside it.
    assert strategy.records(requests[7:8], seed=1, tally=Tally()) == [[records[7]]]


def test_missing_cells_are_filled_from_cells_that_are_drawn_after_them(chain: Chain) -> None:
    strategy = strategy_over(chain)
    shared = RuleConstraints(chain.schema, read_rules(Rules(), chain.schema, Path()))
    known: list[Record] = [{"ill": True}, {"dose": 0, "ill": False}, {"sex": "m"}]
    conditions = Conditions(strategy.abilities, shared, {}, {}, known, fill=True)
    conditions.raise_if_unreachable()
    requests = [conditions.request(number) for number in range(60)]
    records = [record for (record,) in strategy.records(requests, seed=1, tally=Tally())]
    for number, record in enumerate(records):
        assert all(record[name] == value for name, value in known[number % 3].items())
        assert None not in record.values()
    assert len({record["dose"] for record in records[::3]}) > 2
