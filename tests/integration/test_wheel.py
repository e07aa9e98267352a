"""The wheel and the source archive hold the whole product, and the wheel works away from the checkout."""

import os
import shutil
import subprocess
import sys
import tarfile
import tomllib
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"][
    "setuptools"
]["package-dir"]


def _run(*command: str, folder: Path, **variables: str) -> str:
    done = subprocess.run(
        command,
        cwd=folder,
        env=os.environ | variables,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-2000:] + done.stderr[-2000:]
    return done.stdout


def _shipped() -> dict[str, str]:
    """Return each file of the product: its path in the wheel and its path in the checkout."""
    return {
        f"{package.replace('.', '/')}/{path.relative_to(ROOT / folder)}": f"{folder}/{path.relative_to(ROOT / folder)}"
        for package, folder in FOLDERS.items()
        for path in (ROOT / folder).rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    }


@pytest.fixture(scope="module")
def archives(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build from a copy, so that the checkout stays as it is; the wheel is made from the source archive."""
    copy = tmp_path_factory.mktemp("source") / "paracosm"
    copy.mkdir()
    for name in (*FOLDERS.values(), "tests"):
        shutil.copytree(ROOT / name, copy / name, ignore=shutil.ignore_patterns("__pycache__"))
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, copy)
    out = tmp_path_factory.mktemp("archives")
    _run(sys.executable, "-m", "build", "--no-isolation", "--outdir", str(out), ".", folder=copy)
    return out


def test_the_wheel_holds_every_file_and_nothing_else(archives: Path) -> None:
    (wheel,) = archives.glob("*.whl")
    with zipfile.ZipFile(wheel) as opened:
        names = {name for name in opened.namelist() if ".dist-info/" not in name}
    assert names == set(_shipped())


def test_the_source_archive_holds_every_file(archives: Path) -> None:
    (archive,) = archives.glob("*.tar.gz")
    with tarfile.open(archive) as opened:
        names = {name.partition("/")[2] for name in opened.getnames()}
    assert set(_shipped().values()) - names == set()


def test_the_wheel_imports_from_another_folder(archives: Path, tmp_path: Path) -> None:
    (wheel,) = archives.glob("*.whl")
    target = tmp_path / "target"
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--no-deps", "--no-index")
    _run(*pip, "--target", str(target), str(wheel), folder=tmp_path)
    script = "import paracosm.recipes.recipe as module; print(module.__file__)"
    found = _run(sys.executable, "-c", script, folder=tmp_path, PYTHONPATH=str(target))
    assert found.strip() == str(target / "paracosm" / "recipes" / "recipe.py")
