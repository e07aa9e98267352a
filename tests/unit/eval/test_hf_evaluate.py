"""Metrics as modules of Hugging Face's `evaluate`: the same results through its interface."""

import pytest

pytest.importorskip("evaluate", reason='pip install "paracosm[evaluate]"')

import example_tables

from paracosm.eval.hf_evaluate import TableFidelity, TextFidelity


def test_text_fidelity() -> None:
    real, fresh, other = example_tables.notes(40, 0), example_tables.notes(40, 1), example_tables.notes(40, 2)
    module = TextFidelity()
    found = module.compute(predictions=fresh, references=real, held_out=other)
    assert found is not None
    assert {"text_auc", "text_auc_low", "distinct_ratio_high", "perplexity_ratio"} <= set(found)
    assert found["text_auc_low"] < 0.6
    assert "Lopez-Paz" in module.citation
    odd = TextFidelity().compute(predictions=["word word word"] * 40, references=real, held_out=other)
    assert odd is not None
    assert odd["text_auc"] > 0.99
    assert odd["distinct_ratio"] < 0.1


def test_table_fidelity() -> None:
    table = example_tables.patients(160, 0)
    rows = [row for row in table.to_json(orient="records", lines=True).splitlines() if row]
    found = TableFidelity().compute(predictions=rows[:80], references=rows[80:])
    assert found is not None
    assert found["marginals"] > 0.8
    assert {"pairs", "triples", "c2st_auc", "alpha_precision", "wasserstein"} <= set(found)
    assert "text_auc" not in found
