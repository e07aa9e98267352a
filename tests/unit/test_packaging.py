"""What pyproject.toml ships is what is on the disk."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
FOLDERS = {package: ROOT / folder for package, folder in SETUPTOOLS["package-dir"].items()}
NOT_SHIPPED = {"tests", "bench", "build", "dist", "runs"}


def test_the_packages_are_the_folders_on_disk() -> None:
    on_disk = {
        folder
        for folder in ROOT.iterdir()
        if folder.is_dir() and folder.name not in NOT_SHIPPED and any(folder.glob("*.py"))
    }
    assert set(FOLDERS.values()) == on_disk
    assert set(SETUPTOOLS["packages"]) == set(FOLDERS)


@pytest.mark.parametrize("package", FOLDERS)
def test_a_package_is_flat_and_has_an_init(package: str) -> None:
    assert (FOLDERS[package] / "__init__.py").is_file()
    assert [path for path in FOLDERS[package].glob("*/**/*.py") if "__pycache__" not in path.parts] == []


@pytest.mark.parametrize("package", FOLDERS)
def test_every_data_file_is_packaged(package: str) -> None:
    patterns = SETUPTOOLS["package-data"].get(package, [])
    data = [
        path for path in FOLDERS[package].iterdir() if path.is_file() and path.suffix not in {".py", ".pyc"}
    ]
    assert [path.name for path in data if not any(fnmatch(path.name, each) for each in patterns)] == []


def test_the_types_are_declared() -> None:
    assert (ROOT / "paracosm" / "py.typed").is_file()


def test_what_make_installs_is_pinned_exactly() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [pin for pin in pins if pin.count("==") != 1] == []
    assert "torch==2.13.0" in pins
    for name in ("base-model.txt", "sample-data.txt"):
        lines = [line for line in (ROOT / name).read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert all("==" in line and "--hash=sha256:" in line for line in lines)
