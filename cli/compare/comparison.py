"""The comparison of finished runs: checked to be comparable, as JSON, and as rows of a table."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from paracosm.cli.compare.compared_run import ComparedRun, Cost
from paracosm.cli.compare.learning_curve import LearningCurve
from paracosm.cli.compare.recommendation import RULE, Recommendation, recommend
from paracosm.eval.measuring.number_format import bracketed, figure
from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.foundation.errors import RunError

SCHEMA_VERSION = 1
METRICS = {
    "fidelity": ("c2st_auc", "pairs", "marginals"),
    "usefulness": ("utility_skill",),
    "leakage": ("data_mia_auc", "exact_copies", "near_copies", "dcr_share", "adapter_mia_auc"),
}
"""Group -> the metrics that a comparison shows."""
ABSENT = "-"


@dataclass(frozen=True)
class Row:
    """One quantity in every strategy, as text; the cells stand in the order of the runs."""

    group: str
    title: str
    cells: tuple[str, ...]


@dataclass(frozen=True)
class Comparison:
    """Runs of one recipe under several strategies, on the same records and with the same evaluation.

    Attributes:
        recipe: name of the recipe.
        runs: one per strategy.
        left_out: strategy -> why it has no run.
        recommendation: by the rule of `recommend`.
        curve: the same on fewer training records, where asked for.
    """

    recipe: str
    runs: tuple[ComparedRun, ...]
    left_out: dict[str, str]
    recommendation: Recommendation
    curve: LearningCurve | None = None

    @classmethod
    def of(
        cls,
        recipe: str,
        runs: Sequence[ComparedRun],
        left_out: Mapping[str, str],
        smaller: Sequence[ComparedRun] = (),
    ) -> "Comparison":
        """Compare at least one run.

        Raises:
            RunError: two runs have other splits, or another number of records.
        """
        for run in runs[1:]:
            _check_comparable(runs[0], run)
        for run in smaller:
            _check_comparable(runs[0], run, ("control", "test"))
        curve = LearningCurve((*smaller, *runs)) if smaller else None
        return cls(recipe, tuple(runs), dict(left_out), recommend(runs), curve)

    def plain(self) -> dict[str, Any]:
        """Return the content of `comparison.json`."""
        return {
            "schema_version": SCHEMA_VERSION,
            "recipe": self.recipe,
            "splits": self.runs[0].splits,
            "strategies": {run.strategy: _plain_run(run) for run in self.runs},
            "left_out": self.left_out,
            "recommendation": asdict(self.recommendation) | {"rule": RULE},
            **(
                {}
                if self.curve is None
                else {
                    "learning_curve": [
                        _plain_run(run) | {"strategy": run.strategy} for run in self.curve.runs
                    ]
                }
            ),
        }

    def rows(self) -> list[Row]:
        """Return the rows of the table; a metric that was measured on no run has none."""
        rows = [_row("verdict", "release", [run.verdict for run in self.runs])]
        for question in self.runs[0].questions:
            states = [
                next((each.state for each in run.questions if each.question == question.question), ABSENT)
                for run in self.runs
            ]
            rows.append(_row("verdict", question.title, states))
        for group, names in METRICS.items():
            for name in names:
                cells = [_cell(run.metrics.get(name)) for run in self.runs]
                if set(cells) != {ABSENT}:
                    rows.append(_row(group, name, cells))
        costs, handlings = [run.cost for run in self.runs], [run.handling for run in self.runs]
        return [
            *rows,
            _row("likelihood", "bits per held-out record", [_number(run.bits, 2) for run in self.runs]),
            _row("cost", "preparation, s", [_number(cost.preparation, 2) for cost in costs]),
            _row("cost", "generation, s", [_number(cost.generation, 2) for cost in costs]),
            _row("cost", "s per 1,000 records", [_number(cost.seconds_per_1000, 2) for cost in costs]),
            _row("cost", "peak memory, MB", [f"{cost.peak_memory / 1e6:,.0f}" for cost in costs]),
            *_of_models(costs),
            _row("handling", "valid at first try", [_share(each.first_try) for each in handlings]),
            _row("handling", "real rows in prompts", [f"{each.rows_shown:,}" for each in handlings]),
            _row(
                "handling", "they left the machine", ["yes" if each.rows_left else "no" for each in handlings]
            ),
            _row("handling", "settings by hand", [str(each.written_by_hand) for each in handlings]),
        ]

    def markdown(self) -> str:
        """Return the content of `comparison.md`."""
        header = ["", "", *(run.strategy for run in self.runs)]
        table = [header, ["---"] * len(header)]
        group = ""
        for row in self.rows():
            table.append(["" if row.group == group else row.group, row.title, *row.cells])
            group = row.group
        lines = [f"| {' | '.join(cells)} |" for cells in table]
        left_out = [f"- left out: {name}: {reason}" for name, reason in self.left_out.items()]
        parts = [
            f"# {self.recipe}: strategies compared",
            "\n".join(lines),
            f"Brackets hold 95% intervals. {ABSENT}: not measured.",
            *(["\n".join(left_out)] if left_out else []),
            f"**Recommendation**: {self.recommendation.sentence}.",
            f"Rule: {RULE}",
            *([] if self.curve is None else [self.curve.markdown()]),
        ]
        return "\n\n".join(parts) + "\n"


def _of_models(costs: Sequence[Cost]) -> list[Row]:
    """Return the rows on tokens and prices, where any strategy has some."""
    rows = []
    if any(cost.tokens is not None for cost in costs):
        tokens = [_number(cost.per_1000(cost.tokens), 0) for cost in costs]
        rows.append(_row("cost", "tokens per 1,000 records", tokens))
    if any(cost.price is not None for cost in costs):
        rows.append(
            _row("cost", "price per 1,000 records", [_number(cost.per_1000(cost.price), 4) for cost in costs])
        )
    return rows


def _share(value: float | None) -> str:
    return ABSENT if value is None else f"{value:.1%}"


def _row(group: str, title: str, cells: Sequence[str]) -> Row:
    return Row(group, title, tuple(cells))


def _check_comparable(
    first: ComparedRun, other: ComparedRun, splits: Sequence[str] = ("train", "control", "test")
) -> None:
    if differing := [name for name in splits if other.splits.get(name) != first.splits.get(name)]:
        raise RunError(
            f"{first.strategy} and {other.strategy}: have different records in {', '.join(differing)};"
            " the source changed between the runs: name another folder with --out"
        )
    if first.cost.records != other.cost.records:
        raise RunError(
            f"{first.strategy} and {other.strategy}: have {first.cost.records:,} and {other.cost.records:,} synthetic records;"
            " name another folder with --out"
        )


def _plain_run(run: ComparedRun) -> dict[str, Any]:
    return {
        "verdict": run.verdict,
        "questions": {each.question: each.state for each in run.questions},
        "metrics": {
            name: _plain_metric(run.metrics.get(name)) for names in METRICS.values() for name in names
        },
        "bits_per_held_out_record": run.bits,
        "records": run.cost.records,
        "preparation_seconds": run.cost.preparation,
        "generation_seconds": run.cost.generation,
        "seconds_per_1000_records": run.cost.seconds_per_1000,
        "peak_memory_bytes": run.cost.peak_memory,
        "tokens_per_1000_records": run.cost.per_1000(run.cost.tokens),
        "price_per_1000_records": run.cost.per_1000(run.cost.price),
        "handling": asdict(run.handling),
        "train_rows": run.train_rows,
    }


def _plain_metric(metric: MeasuredMetric | None) -> dict[str, Any] | None:
    if metric is None:
        return None
    anchors = {name: anchor.value for name, anchor in metric.anchors.items()}
    return {"value": metric.value, "interval": list(metric.interval), "goal": str(metric.goal)} | anchors


def _cell(metric: MeasuredMetric | None) -> str:
    if metric is None:
        return ABSENT
    return f"{figure(metric.value, metric.unit)} {bracketed(*metric.interval, metric.unit)}"


def _number(value: float | None, decimals: int) -> str:
    return ABSENT if value is None else f"{value:,.{decimals}f}"
