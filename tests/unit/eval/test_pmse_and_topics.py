"""pMSE over its mean under permuted labels, and the mix of topics."""

from itertools import pairwise

import numpy as np
import pandas as pd
import pytest
from example_tables import example

from paracosm.eval.fidelity.pmse import pmse_ratio, propensity
from paracosm.eval.fidelity.text.topics import topics
from paracosm.eval.measuring.anchors import fidelity_candidates
from paracosm.eval.measuring.context import Context
from paracosm.recipes.sections.evaluate import Evaluate

QUICK = Evaluate(bootstrap=100, repeats=2)


def _context(kind: str, rows: int = 900) -> tuple[Context, pd.DataFrame]:
    table, schema = example(kind, rows, 0)
    ends = [0, *(int(rows * share) for share in (0.4, 0.55, 0.7, 1.0))]
    train, control, test, fresh = (table.iloc[a:b].reset_index(drop=True) for a, b in pairwise(ends))
    return Context(schema, train, control, test, None, QUICK, len(fresh)), fresh


def test_the_closed_form_is_the_mean_over_permutations() -> None:
    random = np.random.default_rng(0)
    kinds, labels = random.integers(0, 7, 90), np.repeat([True, False], [60, 30])
    ratios = []
    for _ in range(3000):
        shuffled = random.permutation(labels)
        counts = [np.bincount(kinds[shuffled == side], minlength=7)[None, :] for side in (True, False)]
        ratios.append(float(pmse_ratio(*counts)[0]))
    assert np.mean(ratios) == pytest.approx(1.0, abs=0.04)
    apart = np.array([[60, 0]]), np.array([[0, 30]])
    assert pmse_ratio(*apart)[0] == pytest.approx(89.0), "the largest value that 90 records can give"


def test_pmse_separates_shuffled_columns_from_held_out_records() -> None:
    context, fresh = _context("structured")
    found = {
        name: propensity(context, table)["pmse_ratio"]
        for name, table in fidelity_candidates(context, fresh).items()
    }
    assert found["synthetic"].low < 1 < found["synthetic"].high
    assert found["floor"].low > 1.2
    assert found["worst"].low < 1 < found["worst"].high


def test_topics_detect_a_different_mixture() -> None:
    context, fresh = _context("text")
    leaning = fresh[fresh["note"].str.contains("metformin")].reset_index(drop=True)
    found = {name: topics(context, table)["topics"] for name, table in (("fresh", fresh), ("off", leaning))}
    assert found["fresh"].value > found["off"].value + 0.1
    assert found["off"].facts["share"] != found["off"].facts["share_of_real"]
    assert topics(context, context.train)["topics"].value > 0.99


def test_words_of_few_records_do_not_name_a_topic() -> None:
    context, _ = _context("text")
    context.train.loc[:14, "note"] = "smithson smithson smithson smithson"
    found = topics(context, context.train[:15])["topics"].facts
    assert (found["share"], found["furthest_off"]) == (1.0, "nothing in particular")


@pytest.mark.parametrize("text", ["", "?", "aspirin"])
def test_texts_without_topics_give_no_metric(text: str) -> None:
    context, fresh = _context("text")
    context.train["note"] = pd.Series([text] * len(context.train), dtype="string")
    assert topics(context, fresh) == {}
