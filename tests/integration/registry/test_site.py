"""The web site of a registry in a real browser: search, sorting, cards and comparisons, without network or foreign scripts."""

import json
from pathlib import Path
from typing import Any

import pytest
from finished_run import MARK, finished_run, recipe_of

import paracosm.registry
from paracosm.foundation.errors import RegistryError
from paracosm.registry.site.pages import write_pages
from paracosm.registry.site.safe_html import rendered_card

ATTACK = '<script>document.title="taken"</script><img src=x onerror="document.title=`taken`">'


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A site of three names: two versions that differ, one with a hostile title, and one that is damaged."""
    folder = tmp_path_factory.mktemp("site")
    url = str(folder / "store")
    first = finished_run(folder / "first", recipe_of())
    paracosm.registry.publish(run=first, url=url)
    second = finished_run(folder / "second", recipe_of(finetune={"epochs": 4}), "FAIL")
    paracosm.registry.publish(run=second, url=url, override=f"red team {ATTACK}", by="R. Evans")
    paracosm.registry.promote(name="ward-notes@v1", alias="stable", url=url)
    card = {"title": f"Loans {ATTACK}", "tags": ["finance"], "intended_use": f"# Not a title\n{ATTACK}"}
    loans = finished_run(folder / "loans", recipe_of(name="loans", card=card), "INCONCLUSIVE")
    paracosm.registry.publish(run=loans, url=url, override="a test")
    broken = finished_run(folder / "broken", recipe_of(name="broken"))
    (paracosm.registry.publish(run=broken, url=url).folder / "codec.json").write_text("[]")
    return write_pages(url=url, out=folder / "pages").parent


def opened(browser: Any, page: Path) -> Any:
    browser.get(page.as_uri())
    return browser


def shown(browser: Any) -> list[str]:
    rows = browser.find_elements("css selector", "#versions tbody tr")
    return [row.get_attribute("data-name") for row in rows if row.is_displayed()]


def chosen(browser: Any, control: str, value: str) -> None:
    browser.execute_script(
        "const it = document.getElementById(arguments[0]); it.value = arguments[1]; it.dispatchEvent(new Event('input'))",
        control,
        value,
    )


def test_the_index_searches_filters_and_sorts(browser: Any, site: Path) -> None:
    opened(browser, site / "index.html")
    assert sorted(shown(browser)) == ["broken@v1", "loans@v1", "ward-notes@v1", "ward-notes@v2"]
    chosen(browser, "search", "ward medical")
    assert set(shown(browser)) == {"ward-notes@v1", "ward-notes@v2"}
    assert browser.find_element("id", "count").text == "2"
    chosen(browser, "search", "")
    for state, names in (
        ("FAIL", ["ward-notes@v2"]),
        ("damaged", ["broken@v1"]),
        ("PASS", ["ward-notes@v1"]),
        ("", None),
    ):
        chosen(browser, "gate", state)
        assert names is None or shown(browser) == names
    chosen(browser, "domain", "finance")
    assert shown(browser) == ["loans@v1"]
    chosen(browser, "domain", "")
    browser.find_element("id", "latest").click()
    assert set(shown(browser)) == {"broken@v1", "loans@v1", "ward-notes@v2"}
    browser.find_element("id", "latest").click()
    chosen(browser, "metric", "exact_copies")
    browser.find_element("css selector", "button[data-key=metric]").click()
    assert shown(browser)[:3] == ["ward-notes@v2", "loans@v1", "ward-notes@v1"]
    browser.find_element("css selector", "button[data-key=metric]").click()
    assert shown(browser)[0] == "ward-notes@v1"
    assert browser.find_element("css selector", "tr[data-name='ward-notes@v2'] .value").text == "0.25"
    browser.find_element("css selector", "button[data-key=name]").click()
    assert shown(browser) == ["broken@v1", "loans@v1", "ward-notes@v1", "ward-notes@v2"]


def test_the_index_links_to_cards_and_cards_to_comparisons(browser: Any, site: Path) -> None:
    opened(browser, site / "index.html")
    browser.find_element("link text", "ward-notes@v2").click()
    assert browser.find_element("tag name", "h1").text == "Synthetic ward notes"
    assert browser.find_element("css selector", "strong.FAIL").text == "published against its verdict"
    assert browser.find_element("css selector", "strong.FAIL").location["y"] < 300
    assert "Published against its verdict (FAIL)" in browser.find_element("tag name", "blockquote").text
    pictures = browser.find_elements("tag name", "img")
    assert len(pictures) == 3
    assert all(
        browser.execute_script("return arguments[0].naturalWidth > 0", picture) for picture in pictures
    )
    browser.find_element("partial link text", "changes since ward-notes@v1").click()
    drawings = browser.find_elements("css selector", "svg.change")
    assert len(drawings) == 7
    assert "Exact copies · worse" in browser.find_element("tag name", "main").text
    assert "settings.finetune.epochs" in browser.find_element("tag name", "main").text
    browser.find_element("link text", "ward-notes@v2").click()
    browser.find_element("css selector", "nav a").click()
    assert browser.current_url.endswith("index.html")


def test_the_history_shows_each_metric_over_all_versions_and_what_became_worse(
    browser: Any, site: Path
) -> None:
    opened(browser, site / "loans-v1.html")
    assert not browser.find_elements("link text", "all versions")
    opened(browser, site / "ward-notes-v1.html")
    browser.find_element("link text", "all versions").click()
    assert browser.find_element("tag name", "h1").text == "ward-notes"
    newest, oldest = browser.find_elements("css selector", "table tr")[1:]
    assert newest.text.startswith("ward-notes@v2")
    assert [badge.text for badge in newest.find_elements("css selector", ".badge")] == ["FAIL", "FAIL"]
    assert "Exact copies" in newest.find_elements("tag name", "td")[4].text
    assert [badge.text for badge in oldest.find_elements("css selector", ".badge")] == ["PASS"]
    assert browser.find_element("css selector", "section h3").text == "Exact copies · worse"
    drawings = browser.find_elements("css selector", "svg.change")
    assert len(drawings) == 7
    assert all(len(drawing.find_elements("css selector", "circle")) == 2 for drawing in drawings)


@pytest.mark.parametrize("width", [360, 1200])
def test_every_page_fits_its_screen_logs_nothing_and_fetches_nothing(
    browser: Any, site: Path, width: int
) -> None:
    browser.execute_cdp_cmd(
        "Emulation.setDeviceMetricsOverride",
        {"width": width, "height": 800, "deviceScaleFactor": 1, "mobile": width < 500},
    )
    for page in sorted(site.glob("*.html")):
        opened(browser, page)
        assert browser.execute_script("return document.documentElement.scrollWidth") <= width, page
        assert browser.get_log("browser") == []
        assert browser.title != "taken"
        fetched = browser.execute_script("return performance.getEntriesByType('resource').map(e => e.name)")
        assert [url for url in fetched if not url.startswith(("file:", "data:"))] == []
    browser.execute_cdp_cmd("Emulation.clearDeviceMetricsOverride", {})


def test_an_earlier_site_is_replaced_and_no_other_folder(site: Path, tmp_path: Path) -> None:
    url = str(site.parent / "store")
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine" / "thesis.txt").write_text("ten years")
    with pytest.raises(RegistryError, match="holds something else than pages of a registry"):
        write_pages(url=url, out=tmp_path / "mine")
    assert (tmp_path / "mine" / "thesis.txt").read_text() == "ten years"
    write_pages(url=url, out=tmp_path / "pages")
    (tmp_path / "pages" / "old.html").write_text("")
    write_pages(url=url, out=tmp_path / "pages")
    assert {path.name for path in (tmp_path / "pages").iterdir()} == {path.name for path in site.iterdir()}


def test_a_damaged_version_is_listed_with_its_error_and_without_a_card(site: Path) -> None:
    index = (site / "index.html").read_text(encoding="utf-8")
    assert "codec.json: differs from its manifest" in index
    assert not (site / "broken-v1.html").exists()
    assert str(site.parent) not in index
    for page in site.glob("*.html"):
        # Cards show synthetic records.
        assert MARK not in page.read_text(encoding="utf-8").replace(f"{MARK} synthetic", "")
    figures = index.split('id="figures">')[1].split("</script>")[0]
    assert json.loads(figures)["ward-notes-v2.html"]["exact_copies"] == 0.25


@pytest.mark.parametrize(
    "attack",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "![x](https://tracker.example/pixel.png)",
        "![x](../../../../etc/passwd)",
        "[x](javascript:alert(1))",
        "[x](file:///etc/passwd)",
        "<a href='data:text/html,x'>x</a>",
        "<iframe src=https://x.example></iframe>",
        "<style>body{display:none}</style>",
        "<svg><script>alert(1)</script></svg>",
        "<details ontoggle=alert(1) open>x</details>",
        "<form action=https://x.example><input></form>",
        "<meta http-equiv=refresh content='0;url=https://x.example'>",
        "<p style='position:fixed'>x</p>",
        "<math><mtext></p><style><img src=x onerror=alert(1)></style>",
    ],
)
def test_a_hostile_card_is_harmless(attack: str) -> None:
    html = rendered_card(f"---\n{{}}\n---\n\n# Card\n\n{attack}\n", pictures={"a.png": "x/a.png"}).lower()
    # Markdown leaves a link that it refuses as the words that were written, which do nothing.
    html = html.replace("[x](javascript:alert(1))", "").replace("[x](file:///etc/passwd)", "")
    for word in (
        "<script", "onerror", "ontoggle", "javascript:", "tracker", "passwd", "data:text", "<iframe", "<style",
        "<form", "<meta", "style=", "<svg", "<input",
    ):  # fmt: skip
        assert word not in html
    assert "<h1>card</h1>" in html


def test_a_sanitised_card_keeps_headings_pictures_tables_and_links() -> None:
    text = "---\n{}\n---\n\n## Use it\n\n![a](a.png)\n\n<details><summary>s</summary>\n\n| a | b |\n| --- | --- |\n| 1 | 2 |\n\n</details>\n\n[x](https://example.org) [y](#use-it)\n"
    html = rendered_card(text, pictures={"a.png": "v1/a.png"})
    for part in ('<h2 id="use-it">', 'src="v1/a.png"', "<summary>s</summary>", "<td>2</td>"):
        assert part in html
    assert '<a href="https://example.org" rel="noopener noreferrer">' in html
    assert '<a href="#use-it"' in html
