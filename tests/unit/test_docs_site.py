"""The site builds with every link resolved, names every page, loads nothing from elsewhere, and its generated pages are up to date."""

import re
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    # A copy, so that neither the site nor the builder's cache is written into the checkout.
    shutil.copytree(DOCS, folder / "docs")
    shutil.copy(ROOT / "mkdocs.yml", folder)
    built = subprocess.run(
        [sys.executable, "-m", "zensical", "build"], cwd=folder, capture_output=True, text=True, check=False
    )
    assert built.returncode == 0, built.stdout + built.stderr
    return folder / "site"


def test_every_page_is_in_the_navigation() -> None:
    text = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = {str(path.relative_to(DOCS)) for path in DOCS.rglob("*.md")}
    assert pages == set(re.findall(r": (\S+\.md)$", text, flags=re.MULTILINE))


def test_the_site_loads_nothing_from_elsewhere(site: Path) -> None:
    pages = list(site.rglob("*.html"))
    assert len(pages) > 25
    for page in pages:
        text = page.read_text(encoding="utf-8")
        assert not re.findall(
            r'<(?:script|img|iframe)[^>]+src="https?://|<link[^>]+stylesheet[^>]+href="https?://', text
        )


def test_pictures_of_pages_exist(site: Path) -> None:
    for page in site.rglob("*.html"):
        for source in re.findall(r'<img[^>]+src="([^":]+)"', page.read_text(encoding="utf-8")):
            assert (page.parent / source).is_file(), f"{page.name}: {source}"


def test_the_reference_pages_are_up_to_date() -> None:
    for name, text in runpy.run_path(str(DOCS / "reference_pages.py"))["pages"]().items():
        written = (DOCS / "reference" / name).read_text(encoding="utf-8")
        assert written == text, "run: python docs/reference_pages.py"
