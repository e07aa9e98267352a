"""The report in a real browser: no console error, every section there, nothing fetched, hostile names harmless."""

import re
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import example_tables
import pytest

from paracosm.eval.evaluation import Evaluation, rule_on
from paracosm.eval.measure_tables import measure
from paracosm.eval.report.comparison import comparison_html
from paracosm.eval.report.html import report_html
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.release import Release
from paracosm.records.schema.schema import Schema

HOSTILE = '<script>document.title="taken"</script>"\'&'
SECRET = "zebra-4711"
HISTORY = [
    {
        "step": 10 * number,
        "epoch": number / 2,
        "train_bits": 40 - 3 * number,
        "control_bits": 30 + (number - 3) ** 2,
    }
    for number in range(7)
]


def _evaluation(**settings: Any) -> Evaluation:
    table, schema = example_tables.example("hybrid", 300, 0)
    renamed = {"stage": HOSTILE}
    fields = tuple(replace(each, name=renamed.get(each.name, each.name)) for each in schema)
    table = table.rename(columns=renamed)
    table.loc[3, HOSTILE] = SECRET
    parts = [
        table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 120), (120, 170), (170, 220), (220, 300))
    ]
    measurements = measure(
        train=parts[0],
        control=parts[1],
        test=parts[2],
        synthetic=parts[0] if settings.get("show_nearest") else parts[3],
        schema=Schema(fields),
        target="ill",
        settings=Evaluate(bootstrap=100, repeats=1, **settings),
    )
    return rule_on(measurements, Release(profile="partner"))


@pytest.fixture(scope="module")
def found() -> Evaluation:
    """Fresh real records, measured; one column's name is an attack and one training value is a secret."""
    return _evaluation()


@pytest.fixture(scope="module")
def page(found: Evaluation) -> str:
    """The report of `found`."""
    return report_html(found.file, name=HOSTILE, history=HISTORY)


def _open(browser: Any, page: str, folder: Path) -> None:
    (folder / "report.html").write_text(page, encoding="utf-8")
    browser.get((folder / "report.html").as_uri())


def test_every_section_is_there_and_the_console_is_silent(browser: Any, page: str, tmp_path: Path) -> None:
    _open(browser, page, tmp_path)
    for section in (
        "verdict",
        "gates",
        "fidelity",
        "utility",
        "privacy",
        "distributions",
        "correlations",
        "distances",
        "map",
        "training",
        "method",
    ):
        shown = browser.find_element("id", section)
        assert shown.is_displayed(), section
        assert shown.size["height"] > 20, section
    assert browser.title != "taken"
    assert browser.get_log("browser") == []
    assert browser.execute_script("return performance.getEntriesByType('resource').length") == 0


@pytest.mark.parametrize("width", [360, 1200])
def test_the_page_never_scrolls_sideways(browser: Any, page: str, tmp_path: Path, width: int) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    _open(browser, page, tmp_path)
    assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    # Every figure is whole, and its letters are as large as they were drawn.
    cut = """return [...document.querySelectorAll("svg.anchored, svg.matrix")].map(svg => svg.getBoundingClientRect())
        .filter(box => box.width > 0).map(box => [box.right, box.width])"""
    shown = browser.execute_script(cut)
    assert len(shown) > 10
    assert all(right <= width for right, _ in shown)
    letter = "return [...document.querySelectorAll('svg.anchored text')].map(each => each.getBoundingClientRect().height)"
    heights = [height for height in browser.execute_script(letter) if height]
    assert min(heights) > 9
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_dark_and_light_are_readable(browser: Any, page: str, tmp_path: Path) -> None:
    for scheme in ("dark", "light"):
        feature = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", feature)
        _open(browser, page, tmp_path)
        ink, paper = (
            sum(
                map(
                    int,
                    re.findall(
                        r"\d+", browser.execute_script(f"return getComputedStyle(document.body).{each}")
                    )[:3],
                )
            )
            for each in ("color", "backgroundColor")
        )
        assert (ink > paper + 400) if scheme == "dark" else (paper > ink + 400)
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"features": []})


def test_details_open_from_the_keyboard(browser: Any, page: str, tmp_path: Path) -> None:
    _open(browser, page, tmp_path)
    details = browser.find_element("css selector", "#fidelity details")
    assert details.get_attribute("open") is None
    details.find_element("css selector", "summary").send_keys("\ue007")
    assert details.get_attribute("open") is not None


def test_print_is_light_and_unfolds_all_details(browser: Any, page: str, tmp_path: Path) -> None:
    _open(browser, page, tmp_path)
    folded = browser.find_element("css selector", "#fidelity details table")
    assert not folded.is_displayed()
    browser.execute_cdp_cmd(
        "Emulation.setEmulatedMedia",
        {"media": "print", "features": [{"name": "prefers-color-scheme", "value": "dark"}]},
    )
    height = browser.execute_script("return arguments[0].getBoundingClientRect().height", folded)
    ink = browser.execute_script("return getComputedStyle(document.body).color")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "", "features": []})
    assert height > 20
    assert sum(map(int, re.findall(r"\d+", ink)[:3])) < 300


def test_the_file_is_self_contained(page: str) -> None:
    class Balanced(HTMLParser):
        stack: list[str] = []  # noqa: RUF012
        void = frozenset({"meta", "link", "br"})

        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            if tag not in self.void:
                self.stack.append(tag)

        def handle_endtag(self, tag: str) -> None:
            assert self.stack.pop() == tag

    checker = Balanced()
    checker.feed(page)
    assert checker.stack == []
    assert not re.search(r"""(?:src|href)=["']?(?:https?:)?//|@import|url\(""", page)
    assert "<script" not in page


def test_every_metric_and_gate_is_on_the_page(found: Evaluation, page: str) -> None:
    for result in found.results:
        assert f"Name: {result.metric.name}." in page
    for gate in found.gates:
        assert gate.title in page
    assert (
        page.index('id="verdict"')
        < page.index('id="fidelity"')
        < page.index('id="utility"')
        < page.index('id="privacy"')
    )
    assert "that is memorisation" in page


def test_attacks_have_log_axes_and_other_metrics_stay_folded(browser: Any, page: str, tmp_path: Path) -> None:
    _open(browser, page, tmp_path)
    assert not browser.find_element("css selector", "#privacy .roc").is_displayed()
    further = browser.find_element("css selector", "#fidelity details.further")
    assert not further.find_element("css selector", "article").is_displayed()
    browser.execute_script("document.querySelectorAll('details').forEach(each => each.open = true)")
    curve = browser.find_element("css selector", "#privacy .roc path.synthetic")
    assert curve.is_displayed()
    assert curve.size["width"] > 100
    shown = browser.find_element("css selector", "#privacy details.unmeasured").text
    assert "no model is available" in shown
    for width in (360, 1200):
        browser.execute_cdp_cmd(
            "Emulation.setDeviceMetricsOverride",
            {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
        )
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_several_sets_are_compared_on_one_page(
    browser: Any, found: Evaluation, page: str, tmp_path: Path
) -> None:
    (tmp_path / "one").mkdir()
    (tmp_path / "one" / "report.html").write_text(page, encoding="utf-8")
    sets = {"one": found.file, HOSTILE: found.file.model_copy(update={"verdict": "FAIL"})}
    _open(browser, comparison_html(sets, {"one": "one/report.html", HOSTILE: "other/report.html"}), tmp_path)
    assert browser.title == "2 sets of synthetic records"
    assert browser.get_log("browser") == []
    assert len(browser.find_elements("css selector", "#verdict .verdict")) == 2
    assert browser.find_element("css selector", "#verdict .fail b").text == "FAIL"
    rows = browser.find_elements("css selector", "#figures tbody tr:not(.section)")
    assert len(rows) == len(found.results)
    browser.find_element("link text", "one").click()
    assert browser.find_element("id", "gates").is_displayed()


def test_a_training_ended_by_the_time_limit_is_not_called_overfitted(found: Evaluation) -> None:
    timed = report_html(found.file, name="timed", history=HISTORY, minutes=9.5)
    assert "that is memorisation; training stopped after 9.5 minutes, at its time limit." in timed
    falling = report_html(found.file, name="timed", history=HISTORY[:2], minutes=9)
    assert (
        "still falling when training ended after 9 minutes, at its time limit: there was no memorisation"
        in falling
    )
    assert "more time might give a better fit" in falling


def test_training_values_are_shown_only_on_demand(page: str) -> None:
    note = example_tables.notes(300, 0)[0]
    assert SECRET not in page
    assert note not in page
    shown = _evaluation(show_nearest=True)
    opened = report_html(shown.file, name="copy", nearest=shown.measurements.nearest)
    assert "This shows training records" in opened
    assert any(pair.fields[-1].train.split(".")[0] in opened for pair in shown.measurements.nearest)


def test_unmeasured_metrics_show_their_reason(found: Evaluation) -> None:
    table, schema = example_tables.example("text", 120, 0)
    parts = [table.iloc[a:b].reset_index(drop=True) for a, b in ((0, 60), (60, 80), (80, 120))]
    bare = measure(
        train=parts[0],
        control=parts[1],
        synthetic=parts[2],
        schema=schema,
        settings=Evaluate(bootstrap=100, repeats=1),
    )
    page = report_html(rule_on(bare).file, name="notes")
    assert "no target column was named" in page
    assert "pairs need two columns that are not text" in page
    assert 'id="training"' not in page
    assert 'id="correlations"' not in page
