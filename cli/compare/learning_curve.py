"""The learning curve of a comparison: each strategy on fewer training records, with the same control and test records."""

from collections.abc import Sequence
from dataclasses import dataclass

from paracosm.cli.compare.compared_run import ComparedRun
from paracosm.cli.compare.recommendation import recommend
from paracosm.eval.measuring.number_format import bracketed, figure

METRICS = ("c2st_auc", "pairs", "utility_skill", "data_mia_auc")
"""What the curve shows."""
ABSENT = "-"


@dataclass(frozen=True)
class LearningCurve:
    """Runs of each strategy on several numbers of training records; the largest number is that of the comparison itself."""

    runs: Sequence[ComparedRun]

    @property
    def sizes(self) -> list[int]:
        """Numbers of training records, ascending."""
        return sorted({run.train_rows for run in self.runs})

    @property
    def sentences(self) -> list[str]:
        """One sentence on each number of training records: which strategies are within the interval of the best."""
        return [
            f"{size:,} training records: {recommend([run for run in self.runs if run.train_rows == size]).sentence}"
            for size in self.sizes
        ]

    def rows(self) -> list[list[str]]:
        """Return the rows of the table: quantity, strategy, and one cell for each number of training records."""
        names = list(dict.fromkeys(run.strategy for run in self.runs))
        rows = []
        for quantity in (*METRICS, "bits"):
            for name in names:
                cells = [self._cell(quantity, name, size) for size in self.sizes]
                if set(cells) != {ABSENT}:
                    rows.append([quantity, name, *cells])
        return rows

    def markdown(self) -> str:
        """Return the curve as a table with its sentences."""
        header = ["", "", *(f"{size:,} rows" for size in self.sizes)]
        table = [header, ["---"] * len(header), *self.rows()]
        lines = [f"| {' | '.join(cells)} |" for cells in table]
        sentences = [f"- {sentence}" for sentence in self.sentences]
        return "## Fewer training records\n\n" + "\n".join(lines) + "\n\n" + "\n".join(sentences)

    def _cell(self, quantity: str, name: str, size: int) -> str:
        run = next((each for each in self.runs if (each.strategy, each.train_rows) == (name, size)), None)
        if run is None:
            return ABSENT
        if quantity == "bits":
            return ABSENT if run.bits is None else f"{run.bits:,.2f}"
        metric = run.metrics.get(quantity)
        if metric is None:
            return ABSENT
        return f"{figure(metric.value, metric.unit)} {bracketed(*metric.interval, metric.unit)}"
