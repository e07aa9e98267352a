"""A static site of a registry: an index, a page per card, and every version beside the one before; no network, no server."""

import json
import re
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from paracosm.eval.results.metric_entry import MeasuredMetric
from paracosm.foundation.credentials.redaction import without_credentials
from paracosm.foundation.errors import RegistryError
from paracosm.foundation.files import replacing
from paracosm.registry.site.history import histories
from paracosm.registry.site.safe_html import rendered_card
from paracosm.registry.stores.addresses import address
from paracosm.registry.stores.store import Address
from paracosm.registry.verbs import checked, every_version
from paracosm.registry.versions.checks import front_matter
from paracosm.registry.versions.details import Details, details
from paracosm.registry.versions.difference import Difference, MetricChange, difference, metric_text
from paracosm.registry.versions.manifest import PICTURE, REPORT, Version

MARKER = ".paracosm-pages"
TECHNICAL = ("paracosm", "synthetic-data", "lora", "full-finetune", "tabular", "text")
"""Tags that say nothing about the domain of the records."""


@dataclass(frozen=True)
class Entry:
    """One version on the site; `fault` says why a damaged one has no card."""

    name: str
    number: int
    details: Details | None
    fault: str = ""

    @property
    def version(self) -> Version | None:
        return self.details.version if self.details else None

    @property
    def reference(self) -> str:
        return f"{self.name}@v{self.number}"

    @property
    def page(self) -> str:
        return f"{self.name}-v{self.number}.html"

    @property
    def pictures(self) -> str:
        """Folder of the card's pictures and of the report, below the site."""
        return f"{self.name}-v{self.number}"

    @property
    def front(self) -> dict[str, Any]:
        return front_matter(self.details.card) if self.details else {}

    @property
    def title(self) -> str:
        found = re.search(r"^# (.+)$", self.details.card, re.MULTILINE) if self.details else None
        return found[1] if found else self.name

    @property
    def domains(self) -> list[str]:
        tags = self.front.get("tags", [])
        return [str(tag) for tag in tags if tag not in TECHNICAL and not str(tag).startswith("gate-")]

    @property
    def metrics(self) -> dict[str, float]:
        """Metric -> its value."""
        return {name: metric.value for name, metric in self._measured.items()}

    @property
    def titles(self) -> dict[str, str]:
        """Metric -> its title."""
        return {name: metric.title for name, metric in self._measured.items()}

    @property
    def _measured(self) -> dict[str, MeasuredMetric]:
        return self.details.metrics.measured if self.details else {}


def write_pages(*, out: Path, url: str | None = None) -> Path:
    """Write the site of a registry to the folder `out`; return its index.

    Every version is checked as `verify` does; a damaged one stands in the index with what is wrong, and without its card.

    Args:
        out: a folder that does not exist, is empty, or holds an earlier site.
        url: the registry; `./paracosm-registry` when absent.

    Raises:
        RegistryError: the registry cannot be read, `out` holds something else, or the extra `page` is absent.
    """
    if out.exists() and any(out.iterdir()) and not (out / MARKER).is_file():
        raise RegistryError(f"{out}: holds something else than pages of a registry; name another folder")
    at = address(None, url=url)
    # The way to a folder of this machine is of no use to who reads the site.
    place = (
        without_credentials(at.store.location)
        if "://" in at.store.location
        else Path(at.store.location).resolve().name
    )
    found = every_version(at)
    with replacing(out) as site:
        site.mkdir()
        (site / MARKER).touch()
        entries = [_entry(each, site) for each in found]
        changes = _changes(entries)
        courses = histories([entry.details for entry in entries if entry.details is not None])
        for entry in entries:
            history = courses[entry.name].page if entry.name in courses else None
            _write_card(site, entry, changes.get(entry.page), place, history)
        for change in changes.values():
            _write_difference(site, change)
        for each in courses.values():
            _write(site / each.page, "history_page.html.jinja", history=each, place=place)
        _write_index(site, entries, place)
    return out / "index.html"


def _entry(at: Address, site: Path) -> Entry:
    name, number = str(at.name), int(at.version or 0)
    try:
        with checked(at, key=None) as found:
            entry = Entry(name, number, details(found))
            for file in found.files:
                if file == REPORT or file.endswith(PICTURE):
                    (site / entry.pictures).mkdir(exist_ok=True)
                    shutil.copyfile(found.folder / file, site / entry.pictures / file)
            return entry
    except RegistryError as fault:
        return Entry(
            name,
            number,
            None,
            str(fault).replace(f"{at.store.location}/", "").removeprefix(f"{at.store.location}: "),
        )


def _changes(entries: list[Entry]) -> dict[str, Difference]:
    """Return, by a version's page, what changed since the version before it."""
    found, before = {}, None
    for entry in entries:
        if before and entry.details and before.details and before.name == entry.name:
            found[entry.page] = difference(before.details, entry.details)
        before = entry if entry.details else before
    return found


def change_page(found: Difference) -> str:
    """Return the name of the page that shows a difference."""
    old, new = found.old.version, found.new.version
    return f"{new.name}-v{old.number}-v{new.number}.html"


def _write_card(site: Path, entry: Entry, change: Difference | None, place: str, history: str | None) -> None:
    if entry.details is None:
        return
    pictures = sorted(path.name for path in (site / entry.pictures).glob("*.png"))
    body = rendered_card(entry.details.card, pictures={name: f"{entry.pictures}/{name}" for name in pictures})
    _write(
        site / entry.page,
        "card_page.html.jinja",
        entry=entry,
        body=body,
        change=change_page(change) if change else None,
        before=change.old.version.reference if change else None,
        history=history,
        report=f"{entry.pictures}/{REPORT}" if (site / entry.pictures / REPORT).is_file() else None,
        place=place,
    )


def _write_difference(site: Path, found: Difference) -> None:
    rows = [(each, _drawn(each)) for each in found.metrics]
    _write(site / change_page(found), "difference_page.html.jinja", found=found, rows=rows)


def _write_index(site: Path, entries: list[Entry], place: str) -> None:
    titles: dict[str, str] = {}
    for entry in entries:
        titles |= entry.titles
    latest = {entry.name: entry.number for entry in entries}
    _write(
        site / "index.html",
        "index_page.html.jinja",
        entries=list(reversed(entries)),
        titles=titles,
        latest=latest,
        domains=sorted({domain for entry in entries for domain in entry.domains}),
        figures={entry.page: entry.metrics for entry in entries},
        place=place,
    )


def _drawn(change: MetricChange) -> Any:
    """Draw a metric of two versions on one axis, between the anchors of the newer one."""
    from paracosm.eval.measuring.number_format import figure
    from paracosm.eval.report.svg import dot, line, scale_around, svg, words

    sides = [(name, metric) for name, metric in (("old", change.old), ("new", change.new)) if metric]
    newest = change.metric
    anchors = {name: anchor.value for name, anchor in newest.anchors.items()}
    bounds = [bound for _, metric in sides for bound in metric.interval]
    scale = scale_around([*bounds, *anchors.values()], 20, 620)
    parts = [line(scale.start, 58, scale.end, 58, "track")]
    for tick in scale.ticks(6):
        parts += [
            line(scale(tick), 56, scale(tick), 60, "track"),
            words(scale(tick), 76, figure(tick, newest.unit), "tick"),
        ]
    for name, value in anchors.items():
        parts.append(line(scale(value), 8, scale(value), 58, f"anchor {name}"))
    for height, (name, metric) in zip((22, 42), sides if len(sides) == 2 else sides * 2, strict=True):
        low, high = metric.interval
        parts.append(line(scale(low), height, scale(high), height, f"interval {name}"))
        hint = f"{name} version: {figure(metric.value, newest.unit)}"
        parts.append(dot(scale(metric.value), height, 6, f"mark {name}", hint))
    label = ", ".join(f"{name} {figure(metric.value, newest.unit)}" for name, metric in sides)
    return svg(640, 84, f"{change.title}: {label}", parts, "change")


def _write(path: Path, template: str, **values: Any) -> None:
    from jinja2 import Environment, PackageLoader, StrictUndefined

    world = Environment(
        loader=PackageLoader("paracosm.registry.site"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    world.filters |= {
        "json": _embedded,
        "metric_text": lambda metric: metric_text(metric, absent="not measured"),
    }
    path.write_text(world.get_template(template).render(values), encoding="utf-8")


def _embedded(value: Any) -> Any:
    """Return JSON that may stand inside a script element."""
    from markupsafe import Markup

    text = json.dumps(value, ensure_ascii=True)
    return Markup(text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026"))
