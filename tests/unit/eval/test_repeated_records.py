"""Copies counted from the side of the release: what is a copy, what chance gives, and what diluting does not hide."""

from dataclasses import replace

import example_tables
import numpy as np
import pandas as pd
import pytest

from paracosm.eval.gates.catalogue import GATES
from paracosm.eval.gates.ruling import rule, splits_differ
from paracosm.eval.measure_tables import measure_all
from paracosm.eval.measuring.anchors import independent_marginals
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.found_counts import FoundCount, found_counts
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.eval.privacy import known_cells
from paracosm.eval.privacy.copies.distance_ratio import RealRecords
from paracosm.eval.privacy.copies.exact import distinct_units
from paracosm.eval.privacy.copies.rare_combinations import RareCombinations
from paracosm.eval.privacy.copies.repeated_records import repeated_records
from paracosm.eval.privacy.distance_to_closest import MEASURE
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.schema.schema import Schema

example, typed_numbers, NOTES = example_tables.example, example_tables.typed_numbers, example_tables.NOTES
QUICK = Evaluate(bootstrap=100, repeats=1)


def context_of(kind: str, seed: int = 0) -> tuple[Context, pd.DataFrame]:
    """Return 300 train, 150 control and 150 test records, and 300 fresh ones."""
    table, schema = example(kind, 900, seed)
    train, control, test, fresh = (
        table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 300), (300, 450), (450, 600), (600, 900))
    )
    return Context(schema, train, control, test, None, QUICK, 300), fresh


def states(context: Context, synthetic: pd.DataFrame) -> tuple[dict[str, str], list[Result]]:
    """Return the state of each gate on copies, and the results."""
    results, _ = measure_all(context, synthetic, [MEASURE])
    elsewhere = {gate.metric: Obstacle("not asked here", curable=False) for gate in GATES}
    names = {metric.name for metric in MEASURE.metrics}
    ruled = rule(results, elsewhere, Release())
    return {gate.gate: gate.state for gate in ruled if gate.metric in names}, results


def one_cell_changed(table: pd.DataFrame, seed: int = 0) -> pd.DataFrame:
    """Return records with one cell of each replaced by that of another record."""
    random, changed = np.random.default_rng(seed), table.copy()
    for row in range(len(changed)):
        column = changed.columns[random.integers(len(changed.columns))]
        changed.loc[row, column] = table[column].iloc[random.integers(len(table))]
    return changed


def misspelt(text: str, random: np.random.Generator) -> str:
    """Return a text with two letters exchanged in every third word, and its words in another order."""
    words = text.split()
    for place in range(0, len(words), 3):
        word = words[place]
        if len(word) > 3:
            words[place] = word[0] + word[2] + word[1] + word[3:]
    return " ".join(random.permutation(words))


@pytest.mark.parametrize("kind", ["structured", "text", "hybrid"])
def test_fresh_records_fail_nothing_and_a_copy_fails_everything(kind: str) -> None:
    context, fresh = context_of(kind)
    assert "FAIL" not in states(context, fresh)[0].values()
    assert set(states(context, context.train)[0].values()) - {"NOT APPLICABLE"} == {"FAIL"}


@pytest.fixture(scope="module")
def cells() -> tuple[Context, pd.DataFrame]:
    """Measurements of cells: 250 train, 150 control and 160 fresh records of thirty numbers."""
    from sklearn.datasets import load_breast_cancer

    data = load_breast_cancer(as_frame=True).data
    table, schema = typed_numbers(data.sample(frac=1, random_state=0).reset_index(drop=True))
    train, control, fresh = (
        table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 250), (250, 400), (400, 560))
    )
    return Context(schema, train, control, None, None, QUICK, 150), fresh


def test_a_tenth_of_train_with_one_cell_changed_fails(cells: tuple[Context, pd.DataFrame]) -> None:
    context, fresh = cells
    hidden = pd.concat([one_cell_changed(context.train.iloc[:25]), fresh], ignore_index=True)
    assert states(context, hidden)[0]["nndr"] == "FAIL"


def test_records_that_keep_some_rare_cells_of_one_person_fail(cells: tuple[Context, pd.DataFrame]) -> None:
    context, fresh = cells
    changed = context.train.iloc[:25].reset_index(drop=True)
    for seed in range(6):
        changed = one_cell_changed(changed, seed)
    hidden = pd.concat([changed, fresh], ignore_index=True)
    assert states(context, hidden)[0]["nndr"] == "FAIL"
    assert "FAIL" not in states(context, fresh)[0].values()
    assert "FAIL" not in states(context, fresh)[0].values()


def test_a_tenth_of_texts_with_typing_errors_and_shuffled_words_fails() -> None:
    random = np.random.default_rng(0)
    words = [
        "".join(random.choice(list("abcdefghijklmnoprstuvw"), random.integers(3, 9))) for _ in range(800)
    ]
    texts = [" ".join(random.choice(words, 40)) for _ in range(600)]
    parts = [
        pd.DataFrame({"note": pd.array(texts[a:b], dtype="string")})
        for a, b in ((0, 200), (200, 400), (400, 600))
    ]
    context = Context(NOTES, parts[0], parts[1], None, None, QUICK, 200)
    hidden = [*(misspelt(text, random) for text in texts[:20]), *texts[420:600]]
    assert "FAIL" not in states(context, parts[2])[0].values()
    found, _ = states(context, pd.DataFrame({"note": pd.array(hidden, dtype="string")}))
    assert found["nndr"] == "FAIL" != found["exact_copies"]


def test_more_records_hide_no_person(cells: tuple[Context, pd.DataFrame]) -> None:
    context, _ = cells
    plenty = independent_marginals(context.control, context.fields, 6000, 0)
    few, many = (
        pd.concat([context.train.iloc[:25], plenty.iloc[:rows]], ignore_index=True) for rows in (200, 6000)
    )
    counts = [found_counts(states(context, each)[1]) for each in (few, many)]
    for name in ("exact_copies", "near_copies", "nndr", "repeated_people"):
        assert counts[1][name].found >= counts[0][name].found >= 25, name
    assert states(context, many)[0]["repeated_people"] == "FAIL"


def test_equal_records_of_a_few_columns_are_no_copies_but_an_appended_export_is() -> None:
    table, schema = example("structured", 1600, 5)
    few = replace(schema, fields=tuple(field for field in schema if field.discrete)[:2])
    names = [field.name for field in few]
    train, control, fresh = (
        table[names].iloc[a:b].reset_index(drop=True) for a, b in ((0, 700), (700, 900), (900, 1600))
    )
    context = Context(few, train, control, None, None, QUICK, 200)
    found = repeated_records(context, fresh)["exact_copies"]
    assert found.facts["copies"] > 600
    assert found.low < 0 < found.high
    whole, schema = example("structured", 300, 6)
    rows, sizes, rate = distinct_units(pd.concat([whole, whole], ignore_index=True), schema.modelled)
    assert len(rows) == 300
    assert rate == distinct_units(whole, schema.modelled)[2]
    assert rate.events == (sizes > 1).sum()


def test_records_of_a_late_control_do_not_make_honest_ones_fail() -> None:
    context, fresh = context_of("structured")
    late = context.held_out.assign(age=context.held_out["age"] + 40)
    shifted = replace(context, control=late, test=None)
    found = repeated_records(shifted, fresh)
    assert all(found[name].low <= 0 for name in ("exact_copies", "near_copies", "nndr"))
    assert repeated_records(shifted, context.train)["exact_copies"].low > 0.9


def test_the_ratio_is_that_of_the_two_nearest_others() -> None:
    context, _ = context_of("structured")
    real = RealRecords(context.fields, context.train)
    found = real.beside(context.train.iloc[[4, 7]])
    assert found.record.tolist() == [4, 7]
    assert found.ratio.tolist() == [0, 0]
    alone = real.among_themselves()
    assert (alone.record != np.arange(len(context.train))).all()
    twice = RealRecords(context.fields, pd.concat([context.train] * 2, ignore_index=True))
    assert np.isinf(twice.beside(context.train.iloc[:3]).ratio).all()


def test_a_count_is_one_sentence() -> None:
    what = "released records {repeats|repeat} a training record"
    assert FoundCount(3, 200, 0.0, what).sentence == (
        "3 of 200 released records repeat a training record; 0 would by chance"
    )
    assert FoundCount(1, 2000, 1.25, what).sentence == (
        "1 of 2,000 released records repeats a training record; 1.2 would by chance"
    )


def coded(table: pd.DataFrame, schema: Schema) -> pd.DataFrame:
    """Return a table with other labels for its categories, one to one."""
    renamed = table.copy()
    for field in schema.modelled:
        if field.discrete and not field.is_text:
            codes = pd.factorize(table[field.name])[0]
            renamed[field.name] = pd.array([f"code {code}" for code in codes], dtype="string")
    return renamed


def test_a_copy_under_other_labels_clears_nothing() -> None:
    table, schema = example("structured", 500, 9)
    coarse = Schema(tuple(field for field in schema if field.discrete))
    table = table[[field.name for field in coarse]].astype("string")
    coarse = Schema(tuple(replace(field, type="category", labels=()) for field in coarse))
    context = Context(
        coarse, table.iloc[:300], table.iloc[300:].reset_index(drop=True), None, None, QUICK, 200
    )
    measures = [MEASURE, known_cells.MEASURE]
    elsewhere = {gate.metric: Obstacle("not asked here", curable=False) for gate in GATES}
    for candidate, share in (
        (coded(context.train, coarse), 0.0),
        (table.iloc[100:400].reset_index(drop=True), 1.0),
    ):
        results, _ = measure_all(context, candidate, measures)
        found = {result.metric.name: result.synthetic for result in results}
        assert found["known_cells"].value == share
        ruled = {gate.gate: gate for gate in rule(results, elsewhere, Release()) if gate.metric in found}
        assert ("PASS" in {gate.state for gate in ruled.values()}) == (share == 1)


def test_the_guard_reads_its_own_limit() -> None:
    guard = Estimate(0.62, 0.58, 0.66)
    assert splits_differ(guard, 0.5)
    assert not splits_differ(guard, 0.6)


@pytest.fixture(scope="module")
def categories() -> tuple[Context, pd.DataFrame]:
    """Records of six categories, of which a tenth repeat another one by nature: 800 train, 200 others, 800 fresh."""
    random = np.random.default_rng(4)
    _, schema = example("structured", 4, 0)
    column = next(field for field in schema if field.discrete)
    fields = tuple(replace(column, name=f"c{number}", type="category", labels=()) for number in range(6))
    shares = 1 / np.arange(1, 9) ** 1.5
    table = pd.DataFrame(
        {field.name: random.choice(list("abcdefgh"), 1800, p=shares / shares.sum()) for field in fields}
    ).astype("string")
    train, control, fresh = (
        table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 800), (800, 1000), (1000, 1800))
    )
    return Context(Schema(fields), train, control, None, None, QUICK, 200), fresh


def test_a_rare_combination_is_one_without_a_record_that_differs_in_one_cell() -> None:
    table, schema = example("structured", 3, 0)
    fields = [field for field in schema.modelled if not field.is_text]
    close = table.copy()
    close.loc[1] = close.loc[0]
    close.loc[1, fields[0].name] = close[fields[0].name][2]
    real = pd.concat([close, close.iloc[[2]]], ignore_index=True)
    changed = close[fields[0].name][0] != close[fields[0].name][1]
    assert changed
    assert RareCombinations(fields, real).rare(real).tolist() == [False, False, True, True]
    assert RareCombinations(fields, real).rare(close.iloc[[2]]).tolist() == [True]


def test_copies_of_categories_are_counted_where_they_show(categories: tuple[Context, pd.DataFrame]) -> None:
    context, fresh = categories
    found = repeated_records(context, fresh)
    for name in ("exact_copies", "near_copies", "match_weight"):
        assert found[name].low <= 0, name
    rare = found["exact_copies"].facts["rare"]
    assert rare["of"] < 800
    assert found["exact_copies"].facts["counts"]["of"] == 800
    assert rare["by_chance"] / rare["of"] < found["exact_copies"].facts["counts"]["by_chance"] / 800


def test_one_cell_changed_shows_among_categories(categories: tuple[Context, pd.DataFrame]) -> None:
    context, fresh = categories
    hidden = pd.concat([one_cell_changed(context.train.iloc[:160]), fresh.iloc[160:]], ignore_index=True)
    assert states(context, fresh)[0]["match_weight"] == "NO OBJECTION"
    assert states(context, hidden)[0]["match_weight"] == "FAIL"


def test_more_records_of_a_rare_kind_are_no_match(categories: tuple[Context, pd.DataFrame]) -> None:
    context, fresh = categories
    kind = fresh[fresh["c0"].isin(["f", "g", "h"])]
    more = pd.concat([fresh, *[kind] * 3], ignore_index=True)
    assert len(more) > 1.1 * len(fresh)
    assert states(context, more)[0]["match_weight"] == "NO OBJECTION"
