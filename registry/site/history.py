"""The history of a model: every metric over its versions, and whether each version is worse than the one before."""

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from paracosm.eval.measuring.number_format import figure
from paracosm.eval.report.svg import Scale, dot, line, path, scale_around, svg, words
from paracosm.eval.results.change import Changes, changes_between
from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.registry.versions.details import Details

WIDTH, HEIGHT, LEFT, BOTTOM = 640, 120, 70, 96


@dataclass(frozen=True)
class Step:
    """A version, and what changed since the one before; None for the first."""

    details: Details
    changes: Changes | None


@dataclass(frozen=True)
class Course:
    """One metric over the versions.

    Attributes:
        title: of the metric.
        state: of its last change: `worse`, `better` or `same`; empty where the last two versions do not both have it.
        drawing: values with their intervals, as SVG.
    """

    title: str
    state: str
    drawing: Markup


@dataclass(frozen=True)
class History:
    """The versions of one name, oldest first, at least two."""

    name: str
    steps: Sequence[Step]

    @property
    def page(self) -> str:
        """Name of the page."""
        return f"{self.name}-history.html"

    @property
    def courses(self) -> list[Course]:
        """The course of each metric that any version measured; those whose last change is for the worse first."""
        last = self.steps[-1].changes
        states = {} if last is None else {change.after.name: change.state for change in last.metrics}
        measured = [step.details.metrics.measured for step in self.steps]
        names = dict.fromkeys(name for each in reversed(measured) for name in each)
        references = [f"v{step.details.version.number}" for step in self.steps]
        courses = []
        for name in names:
            metrics = [each.get(name) for each in measured]
            title = next(metric.title for metric in reversed(metrics) if metric is not None)
            courses.append(Course(title, states.get(name, ""), _drawn(title, metrics, references)))
        return sorted(courses, key=lambda course: course.state != "worse")


def histories(found: Sequence[Details]) -> dict[str, History]:
    """Return the history of each name with at least two versions.

    Args:
        found: checked versions; those of one name stand together, oldest first.
    """
    steps: dict[str, list[Step]] = {}
    for details in found:
        before = steps.setdefault(details.version.name, [])
        changes = changes_between(before[-1].details.metrics, details.metrics) if before else None
        before.append(Step(details, changes))
    return {name: History(name, of_name) for name, of_name in steps.items() if len(of_name) > 1}


def _drawn(title: str, metrics: Sequence[MeasuredMetric | None], references: Sequence[str]) -> Markup:
    """Draw a metric from version to version, with its intervals and the anchors of the newest version that has it."""
    present = [metric for metric in metrics if metric is not None]
    anchors = {name: anchor.value for name, anchor in present[-1].anchors.items()}
    bounds = [bound for metric in present for bound in metric.interval]
    # Upwards on the picture is downwards in pixels.
    upwards = scale_around([*bounds, *anchors.values()], BOTTOM, 10)
    along = Scale(0, max(len(metrics) - 1, 1), LEFT + 30, WIDTH - 30)
    unit = present[-1].unit
    parts = [
        words(LEFT - 6, upwards(tick) + 4, figure(tick, unit), "tick", "end") for tick in upwards.ticks(3)
    ]
    parts += [
        line(LEFT, upwards(value), WIDTH, upwards(value), f"anchor {name}") for name, value in anchors.items()
    ]
    points = []
    for at, (metric, reference) in enumerate(zip(metrics, references, strict=True)):
        x = along(at)
        parts.append(words(x, HEIGHT - 6, reference, "tick"))
        if metric is not None:
            low, high = metric.interval
            points.append((x, upwards(metric.value)))
            parts.append(line(x, upwards(low), x, upwards(high), "interval new"))
    parts.append(path(points, "course"))
    values = [metric for metric in metrics if metric is not None]
    parts += [
        dot(point[0], point[1], 5, "mark new", figure(metric.value, unit))
        for point, metric in zip(points, values, strict=True)
    ]
    label = ", ".join(
        f"{reference} {'not measured' if metric is None else figure(metric.value, unit)}"
        for metric, reference in zip(metrics, references, strict=True)
    )
    return svg(WIDTH, HEIGHT, f"{title}: {label}", parts, "change")
