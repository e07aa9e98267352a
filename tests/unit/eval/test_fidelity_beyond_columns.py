"""Distances of samples, texts, texts beside columns, whole rows: right on what can be worked out by hand."""

from dataclasses import replace

import example_tables
import numpy as np
import pandas as pd
import pytest

from paracosm.eval import parallel as jobs
from paracosm.eval.catalogue import FIDELITY
from paracosm.eval.fidelity.rows import row_metrics
from paracosm.eval.fidelity.text.columns import hybrid_candidates, text_column_metrics
from paracosm.eval.fidelity.text.embeddings import embedding_metrics
from paracosm.eval.fidelity.text.perplexity import PERPLEXITY_RATIO, perplexity
from paracosm.eval.fidelity.text.words import self_bleu, word_metrics
from paracosm.eval.fidelity.triples import joint_metrics
from paracosm.eval.measuring.anchors import independent_marginals
from paracosm.eval.measuring.context import Context
from paracosm.eval.representations.text_embedder import embed, embedder_obstacle, packaged_folder
from paracosm.eval.statistics.jackknife import jackknifed
from paracosm.eval.statistics.two_sample import frechet, kernel, mauve, unbiased_mmd, vendi
from paracosm.eval.utility.augmentation import utility_beyond
from paracosm.foundation.errors import ModelError
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema

example, notes, patients = example_tables.example, example_tables.notes, example_tables.patients
NOTES, PATIENTS = example_tables.NOTES, example_tables.PATIENTS
QUICK = Evaluate(bootstrap=100, repeats=1)


def _texts(texts: list[str]) -> pd.DataFrame:
    return pd.DataFrame({"note": pd.Series(texts, dtype="string")})


def test_mauve_is_one_for_equal_samples_and_small_for_different_ones() -> None:
    random = np.random.default_rng(0)
    sample = random.normal(size=(300, 6))
    assert mauve(sample, sample) == pytest.approx(1.0)
    near, far = (mauve(sample, random.normal(shift, 1, (300, 6))) for shift in (0.0, 3.0))
    assert near > 0.85
    assert far < 0.05


def test_frechet_is_the_distance_of_normal_distributions() -> None:
    random = np.random.default_rng(0)
    one, other = random.normal(0, 1, (40_000, 2)), random.normal(2, 3, (40_000, 2))
    # Per axis: (difference of means)^2 + (difference of deviations)^2.
    assert frechet(one, other) == pytest.approx(2 * (2**2 + 2**2), rel=0.03)
    assert frechet(one, one) == pytest.approx(0, abs=1e-9)


def test_mmd_is_zero_on_average_for_the_same_distribution() -> None:
    random, values = np.random.default_rng(0), []
    for _ in range(40):
        a, b = random.normal(size=(60, 3)), random.normal(size=(60, 3))
        values.append(unbiased_mmd(kernel(a, a, 2), kernel(b, b, 2), kernel(a, b, 2)))
    assert abs(np.mean(values)) < 3 * np.std(values) / np.sqrt(40)


def test_vendi_counts_distinct_rows() -> None:
    assert vendi(np.eye(7)) == pytest.approx(7)
    assert vendi(np.ones((7, 7))) == pytest.approx(1)
    assert vendi(np.kron(np.eye(3), np.ones((4, 4)))) == pytest.approx(3)


def test_the_jackknife_covers_a_mean() -> None:
    random, inside = np.random.default_rng(0), 0
    for seed in range(200):
        a, b = random.normal(1, 1, 80), random.normal(0, 2, 50)
        found = jackknifed(lambda i, j, a=a, b=b: a[i].mean() - b[j].mean(), (80, 50), seed)
        inside += found.low <= 1 <= found.high
    assert 0.88 <= inside / 200 <= 0.99


def test_self_bleu_is_one_for_copies_and_low_for_unrelated_texts() -> None:
    assert self_bleu(["a b c d e"] * 3).tolist() == pytest.approx([1, 1, 1])
    assert self_bleu(["a b c d e", "f g h i j"]).max() < 1e-6


def test_word_metrics_separate_held_out_from_odd_texts() -> None:
    real, control, fresh = (_texts(notes(120, seed)) for seed in (0, 1, 2))
    context = Context(NOTES, real, control, None, None, QUICK, 120)
    honest = word_metrics(context, fresh) | perplexity(context, fresh)
    assert honest["text_auc"].low < 0.55
    for name in ("perplexity_ratio", "distinct_ratio", "self_bleu_ratio"):
        assert honest[name].value == pytest.approx(1, abs=0.1), name
    dull = word_metrics(context, _texts([notes(1, 9)[0]] * 120))
    assert dull["text_auc"].value > 0.95
    assert dull["distinct_ratio"].high < 0.3
    assert dull["self_bleu_ratio"].low > 1
    odd = perplexity(context, independent_marginals(real, NOTES.modelled, 120, 0))
    assert odd["perplexity_ratio"].low > 2
    empty = _texts([""] * 30)
    assert word_metrics(context, empty) == perplexity(context, empty) == {}


@pytest.mark.parametrize("tested", [True, False])
def test_the_perplexity_ceiling_excludes_texts_of_its_model(tested: bool) -> None:
    real, control, test, fresh = (_texts(notes(120, seed)) for seed in range(4))
    context = Context(NOTES, real, control, test if tested else None, None, QUICK, 120)
    measured = [measure for measure in FIDELITY if PERPLEXITY_RATIO in measure.metrics]
    (found,) = jobs.run_measures(context, fresh, measured)
    assert found["ceiling"]["perplexity_ratio"].value == pytest.approx(1, abs=0.15)


@pytest.mark.skipif(packaged_folder() is None, reason='pip install "paracosm[text]"')
def test_embedding_metrics_separate_held_out_from_off_topic_texts() -> None:
    vectors = embed(["the heart stopped", "cardiac arrest", "the ship sailed at dawn"], "minilm")
    assert vectors[0] @ vectors[1] > vectors[0] @ vectors[2] + 0.2
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-3)
    real, control, fresh = (_texts([text[:90] for text in notes(60, seed)]) for seed in (0, 1, 2))
    context = Context(NOTES, real, control, None, None, QUICK, 60)
    honest = embedding_metrics(context, fresh)
    away = embedding_metrics(
        context, _texts([f"ship {number} sailed at dawn for the islands" for number in range(60)])
    )
    assert honest["embedding_auc"].low < 0.6 < 0.95 < away["embedding_auc"].value
    for name, better in (("mauve", 1), ("frechet", -1), ("text_mmd", -1), ("vendi_ratio", 1)):
        assert better * (honest[name].value - away[name].value) > 0, name


def test_without_an_embedder_the_reason_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    context = Context(NOTES, _texts(["a"]), _texts(["b"]), None, None, QUICK, 1)
    monkeypatch.setattr("paracosm.eval.representations.text_embedder.PACKAGE", "not_installed_at_all")
    obstacle = embedder_obstacle(context)
    assert obstacle is not None
    assert obstacle.reason == 'no embedder is installed; install one with pip install "paracosm[text]"'
    assert embedder_obstacle(replace(context, schema=PATIENTS)) is not None
    with pytest.raises(ModelError, match=r"eval\.embedder: '/no/such/folder' cannot be loaded"):
        embed(["a"], "/no/such/folder")


def _hybrid(rows: int, seed: int) -> pd.DataFrame:
    table = patients(rows, seed)
    note = [
        f"{age} year old {sex}, stage {stage}"
        for age, sex, stage in zip(table["age"], table["sex"], table["stage"], strict=True)
    ]
    return table.assign(note=pd.Series(note, dtype="string"))


def test_texts_that_contradict_their_columns_score_lower() -> None:
    schema = Schema((*PATIENTS, Field(name="note", type="text", max_length=200)))
    train, control, fresh = (_hybrid(rows, seed) for rows, seed in ((300, 0), (150, 1), (150, 2)))
    context = Context(schema, train, control, None, None, QUICK, 150)
    found = {name: text_column_metrics(*pair) for name, pair in hybrid_candidates(context, fresh).items()}
    assert {"sex", "stage"} <= set(found["synthetic"]["column_from_text"].facts["columns"])
    assert found["synthetic"]["column_from_text"].value > found["floor"]["column_from_text"].high + 0.1
    assert found["synthetic"]["text_information"].value == pytest.approx(1, abs=0.25)
    assert found["floor"]["text_information"].value < 0.3
    assert found["synthetic"]["mentions"].value > 0.9 > found["floor"]["mentions"].value


def test_row_metrics_separate_held_out_narrow_and_shuffled_records() -> None:
    train, control, fresh = patients(250, 0), patients(200, 1), patients(200, 2)
    context = Context(PATIENTS, train, control, None, None, QUICK, 200)
    honest = row_metrics(context, fresh) | joint_metrics(context, fresh)
    one_kind = (
        fresh[fresh["stage"] == "none"].sample(200, replace=True, random_state=0).reset_index(drop=True)
    )
    narrow = row_metrics(context, one_kind)
    shuffled = joint_metrics(context, independent_marginals(train, PATIENTS.modelled, 200, 0))
    copied = row_metrics(context, train) | joint_metrics(context, train)
    assert honest["beta_recall"].value > narrow["beta_recall"].high
    assert honest["alpha_precision"].value > 0.85
    assert narrow["row_mmd"].low > 0.01 > honest["row_mmd"].low
    assert honest["triples"].low > shuffled["triples"].value
    assert copied["triples"].value > honest["triples"].high
    far = joint_metrics(context, fresh.assign(pressure=fresh["pressure"] + 100))
    assert far["wasserstein"].low > honest["wasserstein"].high


def test_utility_metrics_beyond_the_single_score() -> None:
    train, test, fresh = patients(220, 0), patients(160, 1), patients(200, 2)
    context = Context(PATIENTS, train, test, test, "ill", QUICK, 160)
    found = utility_beyond(context, fresh)
    assert found["utility_self"].value > 0.9
    assert found["augmentation_gain"].value > -0.02
    assert set(found["worst_group"].breakdown) <= {
        "sex: male",
        "sex: female",
        "stage: none",
        "stage: I",
        "stage: II",
        "stage: III",
    }
    flipped = fresh.assign(ill=~fresh["ill"])
    misled = utility_beyond(context, flipped)
    assert misled["augmentation_gain"].high < found["augmentation_gain"].value


@pytest.mark.skipif(packaged_folder() is None, reason="no embedder is installed")
def test_concurrent_embedding_gives_the_same_vectors() -> None:
    from concurrent.futures import ThreadPoolExecutor

    from paracosm.eval.representations import text_embedder

    sets = [notes(40, seed) for seed in range(4)]
    alone = [embed(each, "minilm") for each in sets]
    # Loading is where threads disturb each other most.
    text_embedder._loaded.cache_clear()
    with ThreadPoolExecutor(4) as pool:
        together = list(pool.map(lambda each: embed(each, "minilm"), sets))
    for one, other in zip(alone, together, strict=True):
        assert np.allclose(one, other, atol=1e-5)
