"""Model of the verdict on one question in `metrics.json`: fidelity, usefulness, privacy of the records, of the adapter."""

from typing import Literal

from pydantic import Field

from paracosm.eval.measuring.gate import Question
from paracosm.eval.results.model import ResultModel

QuestionState = Literal["PASS", "FAIL", "INCONCLUSIVE", "NOT MEASURED"]


class QuestionVerdict(ResultModel):
    """Worst state of the gates of one question, with one sentence for people."""

    question: Question
    title: str
    state: QuestionState
    counts: bool
    """Whether the verdict of the release depends on it: the adapter does not count where records alone are released."""
    sentence: str
    """What was found, and what is excluded with 95% confidence."""
    found: list[str] = Field(default_factory=list)
    """What was counted in the release, one sentence each, whatever the state."""
    advice: list[str]
    """What to do where the state is not PASS, one sentence each."""
    gates: list[str]
    """Names of the gates that decide it."""
