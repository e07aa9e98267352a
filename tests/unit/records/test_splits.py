import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer_types
from paracosm.records.schema.table import to_typed
from paracosm.records.splitting.near_duplicates import jaccard, near_duplicates, rows_per_band, shingles
from paracosm.records.splitting.splits import find_clusters, split_table
from paracosm.records.splitting.train_rows import fewer_training_rows

WORDS = [f"word{number}" for number in range(300)]


def divided(raw, **settings):
    data = Data(source="a.csv", **settings)
    schema = infer_types(raw, data)
    return split_table(to_typed(raw, schema), schema, data)


def table(rows, seed=0):
    draw = np.random.default_rng(seed)
    return pd.DataFrame(
        {
            "a": draw.integers(0, 10**6, rows).astype(str),
            "b": draw.choice(["x", "y", "z"], rows),
            "target": draw.choice(["yes", "no", "never"], rows, p=[0.1, 0.6, 0.3]),
        }
    )


def sizes(parts):
    return [len(parts[name]) for name in ("train", "control", "test")]


def contents(parts):
    return {name: sorted(map(tuple, part.astype(object).to_numpy().tolist())) for name, part in parts.items()}


@pytest.mark.parametrize(
    ("rows", "shares", "expected"),
    [(920, (0.1, 0.1), [736, 92, 92]), (10, (0.1, 0.1), [8, 1, 1]), (101, (0.2, 0.3), [51, 20, 30])],
)
def test_shares_are_exact(rows, shares, expected):
    control, test = shares
    assert sizes(divided(table(rows), split={"control": control, "test": test})) == expected


def test_every_row_is_in_one_split_and_keeps_its_order():
    raw = table(200)
    parts = divided(raw)
    assert sorted(cell for part in parts.values() for cell in part["a"]) == sorted(raw["a"].astype(int))
    order = {cell: row for row, cell in enumerate(raw["a"].astype(int))}
    for part in parts.values():
        assert [order[cell] for cell in part["a"]] == sorted(order[cell] for cell in part["a"])


def test_the_seed_decides_and_the_order_of_rows_does_not():
    raw = table(300)
    parts = contents(divided(raw, target="target"))
    assert parts == contents(divided(raw, target="target"))
    assert parts == contents(divided(raw.sample(frac=1, random_state=3), target="target"))
    assert parts != contents(divided(raw, target="target", split={"seed": 1}))


@pytest.mark.parametrize("kind", ["word", "number"])
def test_splits_have_equal_shares_of_the_target(kind):
    raw = table(1000)
    if kind == "number":
        raw["target"] = (np.random.default_rng(1).lognormal(3, 1, 1000)).round(2).astype(str)
    parts = divided(raw, target="target")
    if kind == "word":
        for value, count in raw["target"].value_counts().items():
            for name in ("control", "test"):
                assert abs((parts[name]["target"] == value).sum() - count / 10) <= 1.5
    else:
        bounds = raw["target"].astype(float).quantile([0.1, 0.5, 0.9])
        for name in ("control", "test"):
            for share, bound in bounds.items():
                assert abs((parts[name]["target"] <= bound).mean() - share) <= 0.025


def test_a_class_of_three_rows_is_not_always_in_the_same_split():
    raw = table(100)
    raw["target"] = ["rare"] * 3 + ["common"] * 97
    found = [
        divided(raw, target="target", split={"seed": seed})["train"]["target"].eq("rare").sum()
        for seed in range(30)
    ]
    assert len(set(found)) > 1


def test_a_subject_is_never_divided():
    raw = table(400)
    raw["patient"] = [f"p{row // 7}" for row in range(400)]
    parts = divided(raw, subject="patient", target="target")
    seen = [set(part["patient"]) for part in parts.values()]
    assert not seen[0] & seen[1]
    assert not seen[0] & seen[2]
    assert not seen[1] & seen[2]
    assert abs(len(parts["test"]) - 40) <= 7
    assert abs(len(parts["control"]) - 40) <= 7


def test_a_row_without_a_subject_is_its_own_group():
    raw = table(40)
    raw["patient"] = [None] * 40
    raw.loc[0, "patient"] = "p"
    assert sizes(divided(raw, subject="patient")) == [32, 4, 4]


@pytest.mark.parametrize("seed", range(5))
def test_copies_are_never_divided(seed):
    once = table(100)
    raw = pd.concat([once, once, once], ignore_index=True)
    raw["row_id"] = [str(row) for row in range(300)]
    parts = divided(raw, split={"seed": seed})
    seen = [set(part["a"]) for part in parts.values()]
    assert sum(map(len, seen)) == raw["a"].nunique()


def test_a_table_of_few_combinations_is_divided_row_by_row():
    raw = pd.DataFrame({"a": ["x", "y"] * 500, "b": ["u", "u", "v", "v"] * 250})
    data = Data(source="a.csv")
    schema = infer_types(raw, data)
    clusters = find_clusters(to_typed(raw, schema), schema, data)
    assert (clusters.copies, clusters.exact) == (0, 996)
    assert sizes(divided(raw)) == [800, 100, 100]


def note(draw):
    return list(draw.choice(WORDS, 60))


def test_near_duplicates_are_never_divided():
    draw = np.random.default_rng(0)
    notes = []
    for _ in range(60):
        words = note(draw)
        changed = [*words[:59], "changed"]
        notes += [" ".join(words), " ".join(changed).upper()]
    raw = pd.DataFrame({"note": notes, "pair": [f"{row // 2 % 5}" for row in range(120)]})
    raw["copy"] = [str(row % 2) for row in range(120)]
    parts = divided(raw, fields={"note": {"type": "text"}})
    firsts = [{text.lower()[:100] for text in part["note"]} for part in parts.values()]
    assert sum(map(len, firsts)) == 60
    assert sizes(parts) == [96, 12, 12]
    apart = divided(raw, fields={"note": {"type": "text"}}, split={"near_duplicates": None})
    assert sum(len({text.lower()[:100] for text in part["note"]}) for part in apart.values()) > 60


@settings(max_examples=20, deadline=None)
@given(seed=st.integers(0, 10**6), threshold=st.sampled_from([0.3, 0.5, 0.7, 0.9, 1.0]))
def test_near_duplicates_are_those_that_an_exact_comparison_finds(seed, threshold):
    draw = np.random.default_rng(seed)
    texts = []
    for _ in range(6):
        words = note(draw)
        for kept in (60, 57, 50, 40):
            texts.append(" ".join(words[:kept] + list(draw.choice(WORDS, 60 - kept))))
    sets = [shingles(text) for text in texts]
    expected = {
        (one, other)
        for one in range(24)
        for other in range(one + 1, 24)
        if jaccard(sets[one], sets[other]) >= threshold
    }
    assert {tuple(sorted(pair)) for pair in near_duplicates(texts, threshold)} == expected


def test_short_texts_are_not_near_duplicates():
    assert list(near_duplicates(["follow-up visit after the usual treatment"] * 5, 0.9)) == []


def test_bands_are_wide_enough():
    assert rows_per_band(0.9) >= rows_per_band(0.5) >= 1
    for threshold in (0.2, 0.5, 0.7, 0.9, 1.0):
        rows = rows_per_band(threshold)
        assert rows == 1 or (1 - threshold**rows) ** (128 // rows) < 1e-3


@pytest.mark.parametrize(
    ("rows", "split", "expected"),
    [
        (9, {}, "the table has 9 rows; at least 10 are needed"),
        (30, {"test": 0.01}, "data.split.test: 0.01 of 30 rows is no row; at least 51 rows are needed"),
    ],
)
def test_too_few_rows(rows, split, expected):
    with pytest.raises(DataError) as error:
        divided(table(rows), split=split)
    assert expected in str(error.value)


@settings(max_examples=40, deadline=None)
@given(groups=st.lists(st.integers(1, 12), min_size=12, max_size=60), seed=st.integers(0, 99))
def test_any_groups_stay_whole_and_shares_are_met_to_within_one_group(groups, seed):
    patients = [f"p{group}" for group, rows in enumerate(groups) for _ in range(rows)]
    raw = pd.DataFrame({"patient": patients, "a": [str(row * row) for row in range(len(patients))]})
    parts = divided(raw, subject="patient", split={"seed": seed, "control": 0.2, "test": 0.2})
    assert sum(part["patient"].nunique() for part in parts.values()) == len(groups)
    for name in ("control", "test"):
        assert len(parts[name]) > 0
        assert abs(len(parts[name]) - 0.2 * len(patients)) <= max(groups)


def test_too_few_groups():
    raw = table(60)
    raw["patient"] = ["one"] * 59 + ["two"]
    with pytest.raises(DataError, match="the 60 rows form 2 groups that must stay together"):
        divided(raw, subject="patient")


def few_combinations(rows, seed, columns=(2, 3, 4, 3)):
    draw = np.random.default_rng(seed)
    shares = [1 / np.arange(1, values + 1) for values in columns]
    cells = [draw.choice(len(share), rows, p=share / share.sum()) for share in shares]
    return pd.DataFrame(
        {f"c{number}": [f"v{cell}" for cell in column] for number, column in enumerate(cells)}
    )


@pytest.mark.parametrize("rows", [60, 200, 500, 2000])
def test_equal_rows_by_chance_are_fresh_draws(rows):
    parts = divided(few_combinations(rows, 1))
    train = set(map(tuple, parts["train"].astype(object).to_numpy().tolist()))
    fresh = few_combinations(2000, 2).astype(object).to_numpy().tolist()
    expected = np.mean([tuple(row) in train for row in fresh])
    held_out = pd.concat([parts["control"], parts["test"]]).astype(object).to_numpy().tolist()
    found = np.mean([tuple(row) in train for row in held_out])
    assert abs(found - expected) < 3 * np.sqrt(expected * (1 - expected) / len(held_out)) + 0.02


def test_columns_that_go_together_do_not_make_copies():
    draw = np.random.default_rng(0)
    city = draw.integers(0, 30, 600)
    raw = pd.DataFrame({"city": [f"city {c}" for c in city], "zip": [f"{10000 + 77 * c}" for c in city]})
    raw["country"] = [f"land {c // 10}" for c in city]
    assert len(set(divided(raw)["train"]["city"])) == 30


def test_a_join_that_repeats_rows_makes_copies():
    once = table(150)
    raw = once.loc[np.repeat(once.index, np.random.default_rng(1).integers(1, 6, 150))]
    parts = divided(raw.sample(frac=1, random_state=0))
    assert sum(part["a"].nunique() for part in parts.values()) == raw["a"].nunique()


def test_copies_are_told_from_chance_in_one_table():
    draw = np.random.default_rng(4)
    forms = few_combinations(900, 4).assign(amount="0")
    measured = few_combinations(100, 5).assign(amount=draw.integers(10**4, 10**6, 100).astype(str))
    raw = pd.concat([forms, measured, measured], ignore_index=True)
    data = Data(source="a.csv")
    schema = infer_types(raw, data)
    clusters = find_clusters(to_typed(raw, schema), schema, data)
    assert 100 <= clusters.copies <= 110
    parts = divided(raw)
    amounts = [set(part["amount"].dropna()) - {0} for part in parts.values()]
    assert sum(map(len, amounts)) == measured["amount"].nunique()


@pytest.mark.parametrize("seed", range(6))
def test_no_category_is_in_control_or_test_alone(seed):
    raw = table(300)
    raw["b"] = ["rare one", "rare two", "rare three", *raw["b"][3:]]
    parts = divided(raw, split={"seed": seed}, fields={"b": {"type": "category"}})
    assert set(parts["train"]["b"]) == set(raw["b"])
    assert sizes(parts) == [240, 30, 30]


@pytest.mark.parametrize("seed", range(6))
def test_one_row_copied_many_times_is_in_train(seed):
    raw = pd.concat([table(300), *[table(300).head(1)] * 20], ignore_index=True)
    parts = divided(raw, split={"seed": seed})
    assert (parts["train"]["a"] == int(raw["a"][0])).sum() == 21


def test_two_subjects_with_equal_rows_are_not_one_group():
    raw = few_combinations(400, 7).assign(patient=[f"p{row // 2}" for row in range(400)])
    data = Data(source="a.csv", subject="patient")
    schema = infer_types(raw, data)
    clusters = find_clusters(to_typed(raw, schema), schema, data)
    assert len(set(clusters.of)) == 200


def test_fewer_training_rows_are_whole_subjects_and_part_of_more() -> None:
    train = pd.DataFrame({"id": [f"p{n // 3}" for n in range(60)], "x": range(60)})

    def kept(rows: int, **settings: object) -> set[int]:
        data = Data.model_validate({"source": "x.csv", "split": {"train_rows": rows}} | settings)
        return set(fewer_training_rows(train, data)["x"])

    for few, many in ((7, 20), (20, 45)):
        assert kept(few) < kept(many)
        assert kept(few, subject="id") < kept(many, subject="id")
    assert len(kept(7)) == 7
    subjects = kept(7, subject="id")
    assert len(subjects) == 6
    assert all({n - n % 3 + m for m in range(3)} <= subjects for n in subjects)
    assert kept(100) == set(range(60))


def test_a_row_of_every_subject_does_not_join_them() -> None:
    rng = np.random.default_rng(3)
    words = [f"word{number}" for number in range(40)]
    own = [" ".join(rng.choice(words, 20)) for _ in range(60)]
    prompt = (
        "answer in short sentences and send the customer to a person whenever any money is concerned here"
    )
    turns = [[("system", prompt), ("user", text)] for text in own]
    table = pd.DataFrame(
        [
            {"conversation": str(number), "role": role, "content": content}
            for number, turn in enumerate(turns)
            for role, content in turn
        ]
    )
    data = Data(source="x.csv", subject="conversation", fields={"content": {"type": "text"}})
    typed = to_typed(table, infer_types(table, data))
    clusters = find_clusters(typed, infer_types(table, data), data)
    assert len(set(clusters.of)) == 60
    # Subjects of which every row is shared are copies of each other.
    same = table.assign(content=[prompt, own[0]] * 60)
    typed = to_typed(same, infer_types(table, data))
    assert len(set(find_clusters(typed, infer_types(table, data), data).of)) == 1
