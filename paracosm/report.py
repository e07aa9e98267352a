"""`paracosm.Report`: an evaluation with its verdict, its metrics by name, its gates, and its page."""

import math
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from html import escape
from os import PathLike
from pathlib import Path
from typing import TYPE_CHECKING, Self

from paracosm.eval.results.evaluation_file import EvaluationFile, read_evaluation
from paracosm.eval.results.metric_entry import MeasuredMetric, UnmeasuredMetric
from paracosm.foundation.files import write_text
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.run.directory import Run

if TYPE_CHECKING:
    import pandas as pd

    from paracosm.eval.evaluation import Evaluation

WIDTH = 100
COLOURS = {"PASS": "#1a7f37", "FAIL": "#cf222e", "INCONCLUSIVE": "#9a6700"}


class Value(float):
    """The value of a metric, with what it is read against. It is NaN where the metric was not measured.

    Attributes:
        interval: its 95% interval.
        anchors: `ceiling`, `floor` and `worst`, as far as they were measured.
        reading: the result, or the reason why there is none, in one sentence.
    """

    interval: tuple[float, float]
    anchors: dict[str, float]
    reading: str

    @classmethod
    def of(cls, metric: MeasuredMetric | UnmeasuredMetric) -> Self:
        """Return the value of an entry of `metrics.json`."""
        if isinstance(metric, UnmeasuredMetric):
            value = cls(math.nan)
            value.interval, value.anchors, value.reading = (
                (math.nan, math.nan),
                {},
                metric.reason_not_measured,
            )
            return value
        value = cls(metric.value)
        value.interval, value.reading = metric.interval, metric.reading
        value.anchors = {name: anchor.value for name, anchor in metric.anchors.items()}
        return value

    def __repr__(self) -> str:
        if math.isnan(self):
            return f"not measured: {self.reading}"
        anchors = "".join(f", {name} {value:.4g}" for name, value in self.anchors.items())
        return f"{float(self):.4g} [{self.interval[0]:.4g}, {self.interval[1]:.4g}]{anchors}"


@dataclass(frozen=True, repr=False, eq=False)
class Report:
    """The result of an evaluation.

    Attributes:
        file: the content of `metrics.json`.
        html: the report's page, one file that needs no network.
    """

    file: EvaluationFile
    html: str

    @classmethod
    def of_run(cls, run: Run) -> Self:
        """Return the report of a run whose eval stage is done."""
        return cls(read_evaluation(run.metrics), run.report.read_text(encoding="utf-8"))

    @classmethod
    def of_evaluation(cls, evaluation: "Evaluation", name: str) -> Self:
        """Return the report of an evaluation in memory."""
        from paracosm.eval.catalogue import anchor_labels
        from paracosm.eval.report.html import report_html

        page = report_html(
            evaluation.file, name=name, nearest=evaluation.measurements.nearest, labels=anchor_labels()
        )
        return cls(evaluation.file, page)

    @property
    def verdict(self) -> str:
        """PASS, FAIL or INCONCLUSIVE: the worst state of the gates."""
        return self.file.verdict

    @property
    def notes(self) -> list[str]:
        """What a reader must know beside the numbers."""
        return list(self.file.notes)

    @cached_property
    def _values(self) -> dict[str, Value]:
        return {metric.name: Value.of(metric) for metric in self.file.metrics}

    def __getitem__(self, metric: str) -> Value:
        """Return the value of a metric; `list(report)` names them, and `paracosm metrics` explains them."""
        if metric not in self._values:
            raise KeyError(f"no metric {metric!r}{did_you_mean(metric, self._values)}")
        return self._values[metric]

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def __len__(self) -> int:
        return len(self._values)

    def _ipython_key_completions_(self) -> list[str]:
        return list(self._values)

    def to_frame(self) -> "pd.DataFrame":
        """Return a table of all metrics: section, title, value, interval, anchors, state of the gate, and the sentence."""
        import pandas as pd

        states = {gate.metric: gate.state for gate in self.file.every_gate}
        rows = []
        for metric in self.file.metrics:
            value = self._values[metric.name]
            anchors = {name: value.anchors.get(name, math.nan) for name in ("ceiling", "floor", "worst")}
            rows.append(
                {
                    "metric": metric.name,
                    "section": metric.section,
                    "title": metric.title,
                    "value": float(value),
                    "low": value.interval[0],
                    "high": value.interval[1],
                    **anchors,
                    "gate": states.get(metric.name, ""),
                    "reading": value.reading,
                }
            )
        return pd.DataFrame(rows).set_index("metric")

    def gates(self) -> "pd.DataFrame":
        """Return a table of all gates: state, metric, limit and reason."""
        import pandas as pd

        rows = [
            {
                "gate": gate.gate,
                "state": gate.state,
                "metric": gate.metric,
                "limit": f"{gate.side} {gate.threshold:g}",
                "reason": gate.reason,
            }
            for gate in self.file.every_gate
        ]
        return pd.DataFrame(rows, columns=["gate", "state", "metric", "limit", "reason"]).set_index("gate")

    def save(self, folder: PathLike[str] | str) -> Path:
        """Write `metrics.json` and `report.html` into a folder; return the path of the page."""
        page = Path(folder) / "report.html"
        write_text(Path(folder) / "metrics.json", self.file.to_json())
        write_text(page, self.html)
        return page

    def __str__(self) -> str:
        """Return what `paracosm eval` prints."""
        from io import StringIO

        from rich.console import Console

        from paracosm.eval.report.terminal import summary

        text = StringIO()
        Console(file=text, width=WIDTH, force_jupyter=False, no_color=True).print(summary(self.file))
        return text.getvalue().rstrip()

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {state}" for state, count in self._states().items())
        sizes = ", ".join(f"{rows:,} {name}" for name, rows in self.file.sizes.items())
        return (
            f"verdict {self.verdict}, profile {self.file.profile} (gates: {counts})\n"
            f"records {sizes}\n"
            "next    print(report)  report.to_frame()  report.gates()  report.save(FOLDER)"
        )

    def _states(self) -> dict[str, int]:
        states = [gate.state for gate in self.file.gates]
        return {state: states.count(state) for state in dict.fromkeys(states)}

    def _repr_html_(self) -> str:
        """Return the verdict on each question, what to do, and the gates, folded away."""
        questions = "".join(
            _row(question.state, question.title, " ".join([question.sentence, *question.found]))
            for question in self.file.verdicts
        )
        gates = "".join(
            _row(gate.state, gate.title, gate.reason) for gate in self.file.gates if gate.state in COLOURS
        )
        sizes = ", ".join(f"{count:,} {escape(name)}" for name, count in self.file.sizes.items())
        advice = f"<p>{escape(self.file.summary)}</p>" if self.file.summary else ""
        return (
            f"<p><b style='color:{COLOURS[self.verdict]}'>{self.verdict}</b> under the profile"
            f" <code>{escape(self.file.profile)}</code>; records: {sizes}</p>"
            f"<table>{questions}</table>{advice}"
            f"<details><summary>{len(self.file.gates)} gates</summary><table>{gates}</table></details>"
            "<p><code>report.to_frame()</code> has every metric, <code>report.save(FOLDER)</code> writes the whole report.</p>"
        )


def _row(state: str, title: str, why: str) -> str:
    left = "<td style='text-align:left;vertical-align:top'>"
    colour = COLOURS.get(state, "inherit")
    return f"<tr>{left}<b style='color:{colour}'>{escape(state)}</b></td>{left}{escape(title)}</td>{left}{escape(why)}</td></tr>"
