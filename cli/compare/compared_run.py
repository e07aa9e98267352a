"""What a comparison takes from a finished run: its verdicts, its metrics, and what its stages cost."""

from dataclasses import dataclass
from typing import Any

from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.eval.results.gate_result import Verdict
from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.eval.results.question_verdict import QuestionVerdict


@dataclass(frozen=True)
class Cost:
    """What a strategy costs on the machine of the run.

    Attributes:
        preparation: seconds of training or fitting, the stage `finetune`.
        generation: seconds of the stage `generate`.
        records: number of records generated.
        peak_memory: largest resident size of the process in these two stages, in bytes.
    """

    preparation: float
    generation: float
    records: int
    peak_memory: int

    tokens: int | None = None
    """Tokens that language models read and wrote for the records; None where no model was asked."""
    price: float | None = None
    """What a server asks for them, in its currency; None where nothing was paid."""

    @property
    def seconds(self) -> float:
        """Seconds of preparation and generation."""
        return self.preparation + self.generation

    @property
    def seconds_per_1000(self) -> float | None:
        """Seconds of generation for 1,000 records; None where none were made."""
        return self.per_1000(self.generation)

    def per_1000(self, amount: float | None) -> float | None:
        """Return an amount for 1,000 records; None where there is none."""
        return 1000 * amount / self.records if self.records and amount is not None else None


@dataclass(frozen=True)
class Handling:
    """What a strategy does with the user's records, and what it asks of the user.

    Attributes:
        first_try: share of attempts that gave a valid record that keeps all conditions and rules; None where it was not counted.
        rows_shown: real records that a prompt shows to a model. Records that a model is trained on, or statistics are fitted to, are
            not counted.
        rows_left: whether such records left this machine.
        written_by_hand: settings of the recipe that are not the default, without its name and source.
    """

    first_try: float | None
    rows_shown: int
    rows_left: bool
    written_by_hand: int


@dataclass(frozen=True)
class ComparedRun:
    """A finished run of one strategy.

    Attributes:
        strategy: its name in the comparison.
        verdict: on the release.
        questions: the verdict on each question.
        metrics: what was measured, by name.
        bits: control loss, in bits per held-out record; None where it was not measured.
        splits: SHA-256 of every split.
        cost: of the strategy's own stages.
        handling: of the user's records.
        train_rows: number of training records.
    """

    strategy: str
    verdict: Verdict
    questions: tuple[QuestionVerdict, ...]
    metrics: dict[str, MeasuredMetric]
    bits: float | None
    splits: dict[str, str]
    cost: Cost
    handling: Handling
    train_rows: int = 0

    @classmethod
    def of(
        cls, strategy: str, stages: dict[str, Any], evaluation: EvaluationFile, written_by_hand: int = 0
    ) -> "ComparedRun":
        """Return what a comparison needs of a run.

        Args:
            strategy: its name in the comparison.
            stages: the records of the finished stages in `run.json`.
            evaluation: its `metrics.json`.
            written_by_hand: settings of its recipe that are not the default.
        """
        prepared, generated = stages["finetune"], stages["generate"]
        facts = generated["facts"]
        prompting = facts.get("prompting", {})
        steps = prompting.get("steps", [])
        return cls(
            strategy=strategy,
            verdict=evaluation.verdict,
            questions=tuple(evaluation.verdicts),
            metrics=evaluation.measured,
            bits=prepared["facts"].get("best_control_bits"),
            splits=stages["records"]["facts"]["sha256"],
            cost=Cost(
                preparation=prepared["wall_seconds"],
                generation=generated["wall_seconds"],
                records=generated["facts"]["records"],
                peak_memory=max(prepared["peak_memory_bytes"], generated["peak_memory_bytes"]),
                tokens=_tokens(facts, prepared["facts"], steps),
                price=sum(step["cost"] for step in steps if "cost" in step) or None,
            ),
            handling=Handling(
                first_try=_first_try(facts, steps),
                rows_shown=prompting.get("real_rows_shown", 0),
                rows_left=prompting.get("real_rows_left_the_machine", False),
                written_by_hand=written_by_hand,
            ),
            train_rows=stages["records"]["facts"].get("rows", {}).get("train", 0),
        )

    @property
    def fidelity_fails(self) -> bool:
        """Whether fidelity has the verdict FAIL."""
        return self._fails("fidelity")

    @property
    def records_fail(self) -> bool:
        """Whether privacy of the records counts for the release and has the verdict FAIL."""
        return self._fails("records")

    @property
    def model_fails(self) -> bool:
        """Whether privacy of what draws the records, an adapter or fitted statistics, counts for the release and has the verdict FAIL."""
        return self._fails("adapter")

    def _fails(self, question: str) -> bool:
        return any(
            each.state == "FAIL" and each.counts for each in self.questions if each.question == question
        )


def _tokens(facts: dict[str, Any], prepared: dict[str, Any], steps: list[dict[str, Any]]) -> int | None:
    """Return the tokens of all calls of a model: those that prompts count, or about those of a record by an adapter."""
    if steps:
        return sum(step.get("input_tokens", 0) + step.get("output_tokens", 0) for step in steps)
    of_record = prepared.get("tokens_per_record")
    return None if of_record is None else round(of_record * facts["records"])


def _first_try(facts: dict[str, Any], steps: list[dict[str, Any]]) -> float | None:
    """Return the share of attempts that were accepted; of prompts, that of the step that fails most often."""
    shares = [step["first_try_share"] for step in steps if step.get("first_try_share") is not None]
    if shares:
        return min(shares)
    return facts["records"] / facts["attempts"] if facts.get("attempts") else None
