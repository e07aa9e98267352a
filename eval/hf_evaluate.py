"""The metrics of texts and tables as modules of Hugging Face's `evaluate` (extra `evaluate`).

    from paracosm.eval.hf_evaluate import TextFidelity, TableFidelity

    TextFidelity().compute(predictions=synthetic_texts, references=real_texts, held_out=other_real_texts)
    TableFidelity().compute(predictions=synthetic_rows, references=real_rows, held_out=other_real_rows)

Rows are JSON objects as strings. A result holds each metric's value and, with `_low` and `_high`, its 95% interval.
"""

import itertools
import json
from collections.abc import Sequence
from typing import Any

import datasets
import evaluate
import pandas as pd

from paracosm.eval.fidelity.measures import FIDELITY
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import Metric
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.inference.infer_schema import infer
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import to_typed

TEXT = Schema((Field(name="text", type="text", max_length=1_000_000),))


class TextFidelity(evaluate.Metric):
    """Fidelity of texts: wording, meaning and variety, against real texts."""

    def _info(self) -> evaluate.MetricInfo:
        return _info("text", [metric for metric in _metrics() if metric.name in _TEXT_NAMES])

    def _compute(  # type: ignore[override]  # evaluate declares no arguments
        self, predictions: list[str], references: list[str], held_out: Sequence[str] | None = None
    ) -> dict[str, float]:
        tables = [
            pd.DataFrame({"text": pd.array(side, dtype="string")}) for side in (predictions, references)
        ]
        other = pd.DataFrame({"text": pd.array(list(held_out or references), dtype="string")})
        return _figures(TEXT, tables[0], tables[1], other, _TEXT_NAMES)


class TableFidelity(evaluate.Metric):
    """Fidelity of rows: columns alone, in pairs and triples, whole rows, and telling them apart."""

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
        ours, real, other = (
            typed.iloc[start:end].reset_index(drop=True) for start, end in itertools.pairwise(ends)
        )
        return _figures(schema, ours, real, other, set(_NAMES) - _TEXT_NAMES)


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
        inputs_description="Synthetic records as predictions, real ones as references; others, held_out, for the wording.",
        features=features,
    )


def _figures(
    schema: Schema, ours: pd.DataFrame, real: pd.DataFrame, held_out: pd.DataFrame, wanted: set[str]
) -> dict[str, float]:
    settings = Evaluate(repeats=1)
    context = Context(
        schema, real, held_out, None, None, settings, min(len(ours), len(real), settings.max_rows)
    )
    found: dict[str, float] = {}
    for measure in FIDELITY:
        if (
            wanted.isdisjoint(metric.name for metric in measure.metrics)
            or measure.obstacle(context) is not None
        ):
            continue
        for name, estimate in measure.function(context, ours).items():
            if name in wanted:
                found |= {name: estimate.value, f"{name}_low": estimate.low, f"{name}_high": estimate.high}
    return found
