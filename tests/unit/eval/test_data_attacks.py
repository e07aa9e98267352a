"""Attacks on synthetic records alone: each finds what it was made for, and none finds anything in fresh records."""

from dataclasses import replace

import example_tables
import numpy as np
import pandas as pd
import pytest

from paracosm.eval.measuring.anchors import attack_candidates, independent_marginals, with_reference
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Estimate
from paracosm.eval.privacy.gdpr_risks.inference import inference
from paracosm.eval.privacy.gdpr_risks.linkability import linkability
from paracosm.eval.privacy.gdpr_risks.singling_out import singling_out
from paracosm.eval.privacy.gdpr_risks.targets import risks_obstacle
from paracosm.eval.privacy.identifier_replay import IDENTIFIER_COUNT, SearchedRecords, identifier_replay
from paracosm.eval.privacy.identifiers_in_text import found_in, is_personal_number, of_subjects
from paracosm.eval.privacy.membership import attack_scores, data_membership, membership_folds
from paracosm.eval.privacy.ngram_overlap import RUN_8, ngram_overlap
from paracosm.eval.privacy.split_guard import split_guard
from paracosm.eval.privacy.table_attacks import density_scores, edit_scores, smallest_edits, spelled
from paracosm.eval.privacy.text_attacks import most_similar, text_scores
from paracosm.eval.representations.row_distance import RowVectors
from paracosm.eval.representations.texts import BigramModel
from paracosm.eval.statistics.classifier import auc_with_variances
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Schema

example, notes, NOTES, PATIENTS = (
    example_tables.example,
    example_tables.notes,
    example_tables.NOTES,
    example_tables.PATIENTS,
)
QUICK = Evaluate(bootstrap=100, repeats=2)


def privacy_risks(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return the three risks of a candidate."""
    return singling_out(context, candidate) | linkability(context, candidate) | inference(context, candidate)


def context_of(kind: str, seed: int = 0, **changes: object) -> tuple[Context, pd.DataFrame]:
    """Return a context over an example table, and fresh records of the same kind."""
    table, schema = example(kind, 700, seed)
    train, control, test, fresh = (
        table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 200), (200, 350), (350, 500), (500, 700))
    )
    context = Context(schema, train, control, test, None, QUICK, 300)
    return replace(context, **changes), fresh  # type: ignore[arg-type]


@pytest.fixture(scope="module", params=["structured", "text", "hybrid"])
def world(request: pytest.FixtureRequest) -> tuple[Context, pd.DataFrame]:
    return context_of(request.param)


def test_every_attack_finds_a_copy(world: tuple[Context, pd.DataFrame]) -> None:
    context, _ = world
    assert context.test is not None
    fold, _ = membership_folds(context)
    labels = np.arange(len(fold.targets)) < fold.members
    aucs = {
        name: auc_with_variances(scores, labels.astype(int))[0]
        for name, scores in attack_scores(context, fold.targets, context.train, fold.reference).items()
    }
    # Smooth densities blur a copy; what looks at single records does not.
    assert min(aucs.values()) > 0.52, aucs
    assert aucs["nearest"] > 0.95


def test_the_strongest_attack_finds_a_copy_and_nothing_in_held_out_records(
    world: tuple[Context, pd.DataFrame],
) -> None:
    context, fresh = world
    copied, honest = (data_membership(context, each) for each in (context.train, fresh))
    assert copied["data_mia_auc"].low > 0.9
    assert copied["data_mia_tpr"].low > 0.3
    assert honest["data_mia_auc"].low < 0.55
    assert honest["data_mia_tpr"].low < 0.05


def test_control_and_test_are_non_members_and_neither_is_its_own_reference() -> None:
    context, _ = context_of(
        "structured",
        subjects={"train": np.arange(200), "control": np.arange(200, 350), "test": np.arange(350, 500)},
    )
    folds = membership_folds(context)
    assert [fold.members for fold in folds] == [100, 100]
    assert [len(fold.targets) - fold.members for fold in folds] == [150, 150]
    subjects = np.concatenate([np.asarray(fold.groups) for fold in folds])
    assert sorted(subjects) == list(range(500))
    assert folds[0].reference is context.test
    assert folds[1].reference is context.control
    ceiling, candidate = attack_candidates(context, context.train)["ceiling"]
    assert ceiling.test is not None
    assert len(ceiling.subjects["test"]) == len(ceiling.test) == 150 - len(candidate)


def test_without_a_test_split_half_of_control_is_the_reference() -> None:
    context, fresh = context_of(
        "structured", test=None, subjects={"control": np.arange(150), "train": np.arange(200)}
    )
    halved = with_reference(context)
    assert halved.test is not None
    assert (len(halved.control), len(halved.test), len(halved.subjects["control"])) == (75, 75, 75)
    found = attack_candidates(context, fresh)
    assert set(found) == {"synthetic", "ceiling", "floor", "worst"}
    its_context, candidate = found["ceiling"]
    assert its_context.test is not None
    assert len(candidate) + len(its_context.test) == 75


def test_edit_distances_are_exact_below_the_limit_and_close_above(monkeypatch: pytest.MonkeyPatch) -> None:
    assert smallest_edits(["abcd", "xyz"], ["abed", "abc", "x"]).tolist() == [1, 2]
    random = np.random.default_rng(0)
    texts = ["".join(random.choice(list("abcdef0123"), 24)) for _ in range(60)]
    changed = [text[:10] + "#" + text[11:] for text in texts]
    exact = smallest_edits(changed, texts)
    monkeypatch.setattr("paracosm.eval.privacy.table_attacks.PAIRS_AT_MOST", 10)
    assert smallest_edits(changed, texts).tolist() == exact.tolist() == [1.0] * 60


def test_edit_distances_detect_memorised_digits() -> None:
    context, _ = context_of("structured")
    fields = PATIENTS.modelled
    assert spelled(context.train.iloc[:1], fields)[0].count("|") == len(fields) - 1
    found = edit_scores(fields, context.train.iloc[:5], context.train, context.control)
    assert (found["edit"] == 0).all()
    assert (found["edit_calibrated"] >= 0).all()


def test_density_is_higher_near_kernel_centres() -> None:
    context, _ = context_of("structured")
    vectors = RowVectors(PATIENTS.modelled, context.real)
    young = context.train[context.train["age"] < 50].reset_index(drop=True)
    asked = pd.concat([young, context.control[context.control["age"] > 62]], ignore_index=True)
    scores = density_scores(vectors, asked, young, context.control)
    assert scores[: len(young)].mean() > scores[len(young) :].mean() + 1


def test_bigram_probabilities_sum_to_at_most_one() -> None:
    model = BigramModel.of(["a b a b", "b a", ""])
    shares = [
        np.exp(model.mean_log_probability([f"a {word}"])[0] * 2 - model.mean_log_probability(["a"])[0])
        for word in "ab"
    ]
    assert 0 < shares[0] < shares[1] < 1
    assert sum(shares) < 1
    assert model.mean_log_probability([""])[0] == 0
    assert BigramModel.of([]).mean_log_probability(["unseen words"])[0] < 0


def test_the_most_similar_text_is_found_exactly() -> None:
    from scipy.sparse import csr_matrix

    random = np.random.default_rng(0)
    rows, others = random.random((7, 5)), random.random((9, 5))
    found = most_similar(csr_matrix(rows), csr_matrix(others), 3)
    np.testing.assert_allclose(found, -np.sort(-(rows @ others.T), axis=1)[:, :3])


def test_texts_without_words_have_finite_scores() -> None:
    assert all(np.isfinite(each).all() for each in text_scores(["", "a b"], ["", ""], ["x", ""]).values())


def test_the_three_risks_are_high_for_a_copy_and_near_zero_for_held_out_records() -> None:
    context, fresh = context_of("structured")
    copied, honest = (privacy_risks(context, each) for each in (context.train, fresh))
    floor = privacy_risks(context, independent_marginals(context.train, PATIENTS.modelled, 200, 0))
    for name in ("singling_out", "linkability", "inference"):
        assert copied[name].low > 0.15, name
        assert honest[name].low < 0.1, name
        assert floor[name].low < 0.1, name
    assert copied["inference"].facts["rate_on_train"] > honest["inference"].facts["rate_on_train"]
    for name in ("linkability", "inference"):
        assert copied[name].facts["rate_on_train"] > copied[name].facts["rate_of_naive_guess"], name
    # Any three of the candidate's records share one with any other three.
    rows = len(context.train)
    blind = 1 - (rows - 3) * (rows - 4) * (rows - 5) / (rows * (rows - 1) * (rows - 2))
    assert copied["linkability"].facts["rate_of_naive_guess"] == pytest.approx(blind)
    # Of one's sex the commonest is right for half; the nearest record's is right for all that were copied.
    assert 0.1 < copied["inference"].facts["rate_of_naive_guess"] < 0.6
    assert risks_obstacle(context_of("text")[0]) is not None


def test_singling_out_is_unbiased_with_a_small_control_split() -> None:
    """With a quarter as many control as training records, both rates are still equal on average."""
    values = []
    for seed in range(6):
        table, schema = example("structured", 460, 100 + seed)
        context = Context(
            schema,
            table.iloc[:200].reset_index(drop=True),
            table.iloc[200:250].reset_index(drop=True),
            None,
            None,
            QUICK,
            50,
        )
        values.append(privacy_risks(context, table.iloc[250:].reset_index(drop=True))["singling_out"].value)
    assert abs(np.mean(values)) < 0.2


def test_the_split_check_detects_a_shifted_split_and_no_other() -> None:
    context, _ = context_of("structured")
    assert split_guard(context, context.train)["split_guard"].low < 0.5
    older = context.train.sort_values("age", ascending=False).head(120).reset_index(drop=True)
    assert split_guard(replace(context, train=older), context.train)["split_guard"].low > 0.6


def test_repeated_word_sequences_are_compared_with_control() -> None:
    boiler = "this note was dictated and not read by the physician on call that same long day here"
    words = notes(140, 0)

    def texts(part: list[str]) -> pd.DataFrame:
        return pd.DataFrame({"note": pd.Series(part, dtype="string")})

    train = [f"{text} {boiler}" for text in words[:60]]
    control = [f"{text} {boiler}" for text in words[60:100]]
    context = Context(NOTES, texts(train), texts(control), None, None, QUICK, 40)
    honest = ngram_overlap(context, texts([f"{text} {boiler}" for text in words[100:]]))["run_13"]
    assert honest.facts["copies"] == honest.facts["rows"]
    assert honest.value == 0
    copied = ngram_overlap(context, texts(train))["run_50"]
    assert copied.low > 0.5
    short = Context(NOTES, texts(["a b c"] * 30), texts(["d e f"] * 20), None, None, QUICK, 20)
    assert ngram_overlap(short, texts(["a b c"])) == {}


def test_twelve_words_of_a_training_text_in_every_tenth_text_fail() -> None:
    random = np.random.default_rng(0)
    words = ["".join(random.choice(list("abcdefghijk"), 6)) for _ in range(400)]
    texts = [" ".join(random.choice(words, 40)) for _ in range(500)]
    parts = [
        pd.DataFrame({"note": pd.array(texts[a:b], dtype="string")})
        for a, b in ((0, 200), (200, 300), (300, 500))
    ]
    context = Context(NOTES, parts[0], parts[1], None, None, QUICK, 100)
    hidden = parts[2].copy()
    for row in range(0, 200, 10):
        hidden.loc[row, "note"] = f"{' '.join(texts[row].split()[4:16])} {texts[300 + row]}"
    (gate,) = RUN_8.gates
    found = ngram_overlap(context, hidden)["run_8"]
    assert found.low > gate.internal
    assert found.facts["longest_run"] == 10
    assert found.facts["longest_run_by_chance"] == 0
    assert ngram_overlap(context, parts[2])["run_8"].value == 0


def test_identifiers_of_a_single_subject_are_detected() -> None:
    text = "Seen by Dr. Anna Kowalski on 12/03/2019, call 555-123-4567 or mail a.b@clinic.org, MRN 00451234, with John Smith."
    found = found_in(text)
    assert {
        "dr. anna kowalski",
        "12/03/2019",
        "555-123-4567",
        "a.b@clinic.org",
        "00451234",
        "john smith",
    } <= found
    assert of_subjects([{"x1", "y"}, {"x1"}, {"z", "y"}], [0, 0, 1], {"z"}, 1) == {"x1"}
    assert of_subjects([{"x1"}, {"x1"}], None, (), 1) == set()
    assert of_subjects([{"x1"}, {"x1"}], None, (), 2) == {"x1"}
    personal = [
        is_personal_number(name) for name in ("555-123-4567", "a.b@c.org", "12/03/2019", "john smith")
    ]
    assert personal == [True, True, False, False]


def test_replayed_identifiers_are_compared_with_control() -> None:
    def texts(start: int, count: int) -> pd.DataFrame:
        return pd.DataFrame(
            {"note": pd.Series([f"call 555-000-{start + n:04d} now" for n in range(count)], dtype="string")}
        )

    context = Context(NOTES, texts(1000, 40), texts(2000, 30), None, None, QUICK, 30)
    replayed = identifier_replay(context, SearchedRecords(texts(1000, 20)))["pii_replay"]
    assert replayed.value == 1
    assert replayed.low > 0.7
    assert replayed.facts["fisher_p"] < 0.001
    assert identifier_replay(context, SearchedRecords(texts(3000, 20)))["pii_replay"].value == 0
    blank = pd.DataFrame({"note": pd.Series(["nothing to see"] * 30, dtype="string")})
    assert (
        identifier_replay(Context(NOTES, blank, blank, None, None, QUICK, 30), SearchedRecords(blank)) == {}
    )


def test_five_telephone_numbers_fail_however_many_records_are_released() -> None:
    def texts(*numbers: int) -> pd.DataFrame:
        notes = [f"call 555-000-{number:04d} now, bed {number % 7}" for number in numbers]
        return pd.DataFrame({"note": pd.array(notes, dtype="string")})

    context = Context(NOTES, texts(*range(200)), texts(*range(300, 330)), None, None, QUICK, 30)
    for others in (195, 4000):
        released = texts(*range(5), *range(1000, 1000 + others))
        found = identifier_replay(context, SearchedRecords(released))["identifier_count"]
        (gate,) = IDENTIFIER_COUNT.gates
        assert found.value == 5
        assert found.low > gate.internal
        honest = identifier_replay(context, SearchedRecords(released.iloc[5:].reset_index(drop=True)))
        assert honest["identifier_count"].value == 0
    # A switchboard that two training subjects name may stand in anybody's text.
    shared = Context(NOTES, texts(*range(200), 7, 8, 9), texts(*range(300, 330)), None, None, QUICK, 30)
    assert identifier_replay(shared, SearchedRecords(released))["identifier_count"].low < 0


def test_identifier_columns_count_where_texts_contain_them() -> None:
    names = [f"Quillon{letter}" for letter in "abcdefghijklmnopqrst"]
    plain = pd.DataFrame({"note": pd.Series(["he felt well"] * 20, dtype="string")})
    spelled_out = pd.DataFrame(
        {"note": pd.Series([f"then {name.lower()} left" for name in names], dtype="string")}
    )
    others = [frozenset({f"Stranger{letter}"}) for letter in "abcdefghijklmnopqrst"]
    known = {"train": [frozenset({name}) for name in names], "control": others}
    context = Context(Schema(NOTES.fields), plain, plain, None, None, QUICK, 20, identifiers=known)
    found: Estimate = identifier_replay(context, SearchedRecords(spelled_out))["pii_replay"]
    assert found.value == 1.0
