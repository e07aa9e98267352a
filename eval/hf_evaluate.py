"""Fidelity metrics of texts and tables as modules of Hugging Face's `evaluate` (extra `evaluate`).

    from paracosm.eval.hf_evaluate import TextFidelity, TableFidelity

    TextFidelity().compute(predictions=synthetic_texts, references=real_texts, held_out=other_real_texts)
    TableFidelity().compute(predictions=synthetic_rows, references=real_rows, held_out=other_real_rows)

Rows are JSON objects as strings. A result holds the value of each metric, and its 95% interval under the suffixes `_low`
and `_high`.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import pandas as pd

from paracosm.eval.catalogue import FIDELITY
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Metric
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import to_typed

TEXT = Schema((Field(name="text", type="text", max_length=1_000_000),))


class TextFidelity(evaluate.Metric):
    """Fidelity of synthetic texts to real ones: wording, meaning and diversity."""

    def _info(self) -> evaluate.MetricInfo:
        return _info("text", [metric for metric in _metrics() if metric.name in _TEXT_NAMES])

    def _compute(  # type: ignore[override]  # evaluate declares no arguments
        self, predictions: list[str], references: list[str], held_out: Sequence[str] | None = None
    ) -> dict[str, float]:
        tables = [
            pd.DataFrame({"text": pd.array(side, dtype="string")}) for side in (predictions, references)
        ]
        other = pd.DataFrame({"text": pd.array(list(held_out or references), dtype="string")})
        return _results(TEXT, tables[0], tables[1], other, _TEXT_NAMES)


class TableFidelity(evaluate.Metric):
    """Fidelity of synthetic rows to real ones: columns, pairs, triples, whole rows, and a classifier two-sample test."""

    def _info(self) -> evaluate.MetricInfo:
        return _info("table", [metric for metric in _metrics() if metric.name not in _TEXT_NAMES])

    def _compute(  # type: ignore[override]  # evaluate declares no arguments
        self, predictions: list[str], references: list[str], held_out: Sequence[str] | None = None
    ) -> dict[str, float]:
        sides = [
            [json.loads(row) for row in side] for side in (predictions, references, held_out or references)
        ]
        raw = pd.DataFrame([row for side in sides for row in side], dtype=object)
        cells = raw.map(lambda cell: None if cell is None or cell != cell else str(cell)).astype("string")
        schema = Schema(infer(cells, Data(source="rows")).schema.modelled)
        typed, ends = to_typed(cells, schema), [0]
        for side in sides:
            ends.append(ends[-1] + len(side))
        synthetic, real, other = (
            typed.iloc[start:end].reset_index(drop=True) for start, end in itertools.pairwise(ends)
        )
        return _results(schema, synthetic, real, other, set(_NAMES) - _TEXT_NAMES)


def _metrics() -> list[Metric]:
    return [metric for measure in FIDELITY for metric in measure.metrics]


_NAMES = [metric.name for metric in _metrics()]
_TEXT_NAMES = {
    "text_auc",
    "perplexity_ratio",
    "distinct_ratio",
    "self_bleu_ratio",
    "topics",
    "embedding_auc",
    "mauve",
    "frechet",
    "text_mmd",
    "vendi_ratio",
}


def _info(kind: str, metrics: Sequence[Metric]) -> evaluate.MetricInfo:
    features: Any = datasets.Features(
        {"predictions": datasets.Value("string"), "references": datasets.Value("string")}
    )
    return evaluate.MetricInfo(
        description=f"Fidelity of synthetic {kind} records: {', '.join(metric.name for metric in metrics)}.",
        citation="; ".join(dict.fromkeys(metric.source for metric in metrics)),
        inputs_description="predictions: synthetic records; references: real records; held_out: further real records.",
        features=features,
    )


def _results(
    schema: Schema, synthetic: pd.DataFrame, real: pd.DataFrame, held_out: pd.DataFrame, wanted: set[str]
) -> dict[str, float]:
    """Return value and interval of the wanted metrics, as far as the tables allow them."""
    settings = Evaluate(repeats=1)
    context = Context(
        schema, real, held_out, None, None, settings, min(len(synthetic), len(real), settings.max_rows)
    )
    results: dict[str, float] = {}
    for measure in FIDELITY:
        if (
            wanted.isdisjoint(metric.name for metric in measure.metrics)
            or measure.obstacle(context) is not None
        ):
            continue
        for name, estimate in measure.function(context, synthetic).items():
            if name in wanted:
                results |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return results
