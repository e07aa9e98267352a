"""What pyproject.toml ships is what is on the disk."""

import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SETUPTOOLS = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["setuptools"]
FOLDERS = {package: ROOT / folder for package, folder in SETUPTOOLS["package-dir"].items()}
MOST_MODULES = 12
PINS = ROOT / "cli" / "workspace"
NOT_SHIPPED = {"tests", "bench", "docs", "build", "dist", "runs"}


def _packages_on_disk() -> dict[str, Path]:
    """Return every folder of the product that holds modules, by its dotted name."""
    folders = [
        path.parent
        for room in FOLDERS.values()
        for path in room.rglob("__init__.py")
        if "__pycache__" not in path.parts
    ]
    names = {folder: ".".join(folder.relative_to(ROOT).parts) for folder in folders}
    return {name if name == "paracosm" else f"paracosm.{name}": folder for folder, name in names.items()}


PACKAGES = _packages_on_disk()


def test_every_room_on_disk_is_installed() -> None:
    on_disk = {
        folder
        for folder in ROOT.iterdir()
        if folder.is_dir() and folder.name not in NOT_SHIPPED and any(folder.glob("*.py"))
    }
    assert set(FOLDERS.values()) == on_disk


def test_every_package_on_disk_is_listed() -> None:
    assert sorted(SETUPTOOLS["packages"]) == sorted(PACKAGES)


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for room in FOLDERS.values() for path in room.rglob("*.py")}
    assert sorted(folders - set(PACKAGES.values())) == []


@pytest.mark.parametrize("package", PACKAGES)
def test_a_folder_holds_at_most_twelve_modules(package: str) -> None:
    modules = [path.name for path in PACKAGES[package].glob("*.py") if path.name != "__init__.py"]
    assert len(modules) <= MOST_MODULES, f"{package}: divide it into sub-packages"


@pytest.mark.parametrize("package", PACKAGES)
def test_every_data_file_is_packaged(package: str) -> None:
    patterns = SETUPTOOLS["package-data"].get(package, [])
    folder = PACKAGES[package]
    inner = [each for each in PACKAGES.values() if each != folder and each.is_relative_to(folder)]
    data = [
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file()
        and path.suffix not in {".py", ".pyc"}
        and not any(path.is_relative_to(each) for each in inner)
    ]
    assert [name for name in data if not any(fnmatch(name, each) for each in patterns)] == []


def test_the_types_are_declared() -> None:
    assert (ROOT / "paracosm" / "py.typed").is_file()


def test_what_make_installs_is_pinned_exactly() -> None:
    pins = [line for line in (ROOT / "constraints.txt").read_text().splitlines() if not line.startswith("#")]
    assert [pin for pin in pins if pin.count("==") != 1] == []
    assert "torch==2.13.0" in pins
    for name in ("base-model.txt", "sample-data.txt"):
        lines = [line for line in (PINS / name).read_text().splitlines() if not line.startswith("#")]
        assert lines
        assert all("==" in line and "--hash=sha256:" in line for line in lines)
