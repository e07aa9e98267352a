"""A step of long work whose amount is known: a progress line that displays can show as a bar."""


class Step(str):
    """A progress line that says how much of the work is done.

    Send one as often as you like: a terminal and a notebook show a bar with rate and time left, and a pipe gets a line now and
    then. As text it is complete without them.

    Attributes:
        task: what is done, such as `sampling`; a bar shows one task.
        done: the amount that is done.
        total: the whole amount; 0 where it is not known yet.
        unit: what is counted, in the plural.
        detail: more about the state, such as the loss.
        left: seconds that are left at most, where the sender knows better than the rate.
        margin: spaces before the text.
    """

    task: str
    done: float
    total: float
    unit: str
    detail: str
    left: float | None
    margin: int

    def __new__(
        cls,
        task: str,
        done: float,
        total: float,
        *,
        unit: str,
        detail: str = "",
        left: float | None = None,
        margin: int = 0,
    ) -> "Step":
        amount = f"{done:,.0f} of {total:,.0f} {unit}" if total else ""
        step = super().__new__(cls, " " * margin + " · ".join(filter(None, (task, amount, detail))))
        step.task, step.done, step.total, step.unit = task, done, total, unit
        step.detail, step.left, step.margin = detail, left, margin
        return step

    def with_margin(self, width: int) -> "Step":
        """Return the step with further spaces before its text."""
        return Step(
            self.task,
            self.done,
            self.total,
            unit=self.unit,
            detail=self.detail,
            left=self.left,
            margin=self.margin + width,
        )
