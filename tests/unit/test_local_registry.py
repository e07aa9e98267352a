"""The registry in a folder: whole or not there, numbered without collisions, and nothing unsound comes out of it."""

import json
import os
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from paracosm.recipes.errors import RegistryError
from paracosm.registry.local_folder import LocalFolder
from paracosm.registry.manifest import MANIFEST, Version, check_version, may_publish

METRICS = json.dumps({"gates": [{"metric": "dcr_share", "state": "PASS"}]})
ABOUT = Version(
    name="heart",
    number=0,
    published="2026-01-01T00:00:00+00:00",
    verdict="PASS",
    override=None,
    base_model="org/base",
    paracosm="0",
    files={},
    folder=Path(),
)


@pytest.fixture
def files(tmp_path: Path) -> dict[str, Path | str]:
    weights = tmp_path / "adapter_model.safetensors"
    save_file({"lora_A": np.ones((2, 3), np.float32)}, weights)
    return {
        "adapter_model.safetensors": weights,
        "adapter_config.json": "{}",
        "codec.json": "{}",
        "base.json": "{}",
        "schema.json": "{}",
        "metrics.json": METRICS,
        "README.md": "# Heart\n",
    }


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "store")


def test_versions_are_numbered_and_keep_their_bytes(store: LocalFolder, files: dict[str, Path | str]) -> None:
    first = store.add(files, ABOUT)
    second = store.add(files | {"README.md": "# Heart, again\n"}, ABOUT)
    assert [version.reference for version in store.versions("heart")] == ["heart@v1", "heart@v2"]
    assert (first.folder / "README.md").read_text() == "# Heart\n"
    assert (second.folder / "adapter_model.safetensors").read_bytes() == (
        first.folder / "adapter_model.safetensors"
    ).read_bytes()
    assert second.files == store.find("heart@v2").files
    check_version(store.find("heart"))


@pytest.mark.parametrize(("reference", "number"), [("heart", 2), ("heart@v1", 1), ("heart@2", 2)])
def test_a_reference_finds_its_version(
    store: LocalFolder, files: dict[str, Path | str], reference: str, number: int
) -> None:
    store.add(files, ABOUT)
    store.add(files, ABOUT)
    assert store.find(reference).number == number


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("hart", "has no 'hart'; did you mean 'heart'"),
        ("heart@v7", "heart has no version 'v7'; it has v1"),
        ("../heart", "is no name of a model"),
        ("", "is no name of a model"),
    ],
)
def test_a_wrong_reference_gets_one_clear_line(
    store: LocalFolder, files: dict[str, Path | str], reference: str, message: str
) -> None:
    store.add(files, ABOUT)
    with pytest.raises(RegistryError, match=message) as caught:
        store.find(reference)
    assert "\n" not in str(caught.value)


def test_an_empty_place_is_no_registry(store: LocalFolder) -> None:
    with pytest.raises(RegistryError, match="nothing was published there yet"):
        store.find("heart")


def test_a_taken_number_is_passed_over(
    store: LocalFolder, files: dict[str, Path | str], monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add(files, ABOUT)
    monkeypatch.setattr(LocalFolder, "_numbers", lambda *_: [])
    assert store.add(files, ABOUT).number == 2


@pytest.mark.parametrize(
    "name",
    [
        "train.parquet",
        "training_args.bin",
        "optimizer.pt",
        "weights.pkl",
        "../x.json",
        "a/b.json",
        ".hidden.json",
        MANIFEST,
        "run.py",
    ],
)
def test_what_is_never_published_leaves_nothing_behind(
    store: LocalFolder, files: dict[str, Path | str], name: str
) -> None:
    assert not may_publish(name)
    with pytest.raises(RegistryError):
        store.add(files | {name: "{}"}, ABOUT)
    assert list((store.root / "heart").iterdir()) == []


def test_a_pickle_in_the_clothes_of_safetensors_is_refused(
    store: LocalFolder, files: dict[str, Path | str]
) -> None:
    with pytest.raises(RegistryError, match="no sound safetensors file"):
        store.add(files | {"adapter_model.safetensors": "\x80\x04pickle"}, ABOUT)
    assert list((store.root / "heart").iterdir()) == []


def test_a_link_is_refused(store: LocalFolder, files: dict[str, Path | str], tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    with pytest.raises(RegistryError, match="links are refused"):
        store.add(files | {"link.json": tmp_path / "link.json"}, ABOUT)


@pytest.mark.parametrize("missing", ["codec.json", "README.md", "adapter_model.safetensors"])
def test_an_incomplete_version_is_refused(
    store: LocalFolder, files: dict[str, Path | str], missing: str
) -> None:
    with pytest.raises(RegistryError, match=f"lacks {missing}"):
        store.add({name: content for name, content in files.items() if name != missing}, ABOUT)


def test_pull_brings_the_same_bytes(store: LocalFolder, files: dict[str, Path | str], tmp_path: Path) -> None:
    version = store.add(files, ABOUT)
    pulled = store.copy(version, tmp_path / "here" / "heart")
    assert {path.name: path.read_bytes() for path in pulled.iterdir()} == {
        path.name: path.read_bytes() for path in version.folder.iterdir()
    }
    check_version(Version.load(pulled))
    with pytest.raises(RegistryError, match="is there already"):
        store.copy(version, pulled)


def rewritten(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))


def renamed_entry(folder: Path, name: str) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"][name] = manifest["files"].pop("codec.json")
    (folder / MANIFEST).write_text(json.dumps(manifest))


def linked(path: Path) -> None:
    secret = path.with_name("moved.json")
    path.rename(secret)
    path.symlink_to(secret.rename(path.parent.parent / "secret.json"))


HOSTILE: dict[str, Callable[[Path], object]] = {
    "a changed byte": lambda folder: (folder / "codec.json").write_text("[]"),
    "a truncated file": lambda folder: os.truncate(folder / "adapter_model.safetensors", 20),
    "an oversized file": lambda folder: os.truncate(folder / "adapter_model.safetensors", 2**30),
    "a missing file": lambda folder: (folder / "codec.json").unlink(),
    "a link": lambda folder: linked(folder / "codec.json"),
    "a pipe": lambda folder: ((folder / "codec.json").unlink(), os.mkfifo(folder / "codec.json")),
    "a folder": lambda folder: ((folder / "codec.json").unlink(), (folder / "codec.json").mkdir()),
    "a way out": lambda folder: renamed_entry(folder, "../../../escaped.json"),
    "an absolute way out": lambda folder: renamed_entry(folder, "/tmp/escaped.json"),
    "a pickle": lambda folder: renamed_entry(folder, "codec.pkl"),
    "a better verdict": lambda folder: rewritten(folder, verdict="FAIL"),
    "an unknown verdict": lambda folder: rewritten(folder, verdict="SUPERB"),
    "another name": lambda folder: rewritten(folder, name="liver"),
    "another number": lambda folder: rewritten(folder, number=9),
    "another layout": lambda folder: rewritten(folder, layout=2),
    "an unknown key": lambda folder: rewritten(folder, run_me="rm"),
    "files as a list": lambda folder: rewritten(folder, files=["codec.json"]),
    "no JSON": lambda folder: (folder / MANIFEST).write_text("{"),
    "a deep JSON": lambda folder: (folder / MANIFEST).write_text("[" * 100_000),
    "no manifest": lambda folder: (folder / MANIFEST).unlink(),
    "a linked manifest": lambda folder: linked(folder / MANIFEST),
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_nothing_comes_out_of_a_hostile_registry(
    store: LocalFolder, files: dict[str, Path | str], tmp_path: Path, harm: str
) -> None:
    folder = store.add(files, ABOUT).folder
    HOSTILE[harm](folder)
    with pytest.raises(RegistryError) as caught:
        store.copy(store.find("heart"), tmp_path / "here" / "heart")
    assert "\n" not in str(caught.value)
    assert not (tmp_path / "here").exists() or list((tmp_path / "here").iterdir()) == []
    assert not list(tmp_path.rglob("escaped*"))


def test_a_file_that_the_manifest_does_not_name_is_reported(
    store: LocalFolder, files: dict[str, Path | str]
) -> None:
    version = store.add(files, ABOUT)
    (version.folder / "extra.py").write_text("")
    with pytest.raises(RegistryError, match=r"holds extra\.py, which its manifest does not name"):
        check_version(version)


def test_a_failed_verdict_needs_an_override_inside_the_version(
    store: LocalFolder, files: dict[str, Path | str]
) -> None:
    failed = files | {"metrics.json": METRICS.replace("PASS", "FAIL")}
    with pytest.raises(RegistryError, match="claims the verdict PASS, but its gates amount to FAIL"):
        store.add(failed, ABOUT)
    with pytest.raises(RegistryError, match="verdict FAIL and no override"):
        store.add(failed, replace(ABOUT, verdict="FAIL"))
    assert (
        store.add(failed, replace(ABOUT, verdict="FAIL", override={"reason": "a test", "by": "me"})).number
        == 1
    )


def test_what_a_killed_publisher_left_is_swept_a_day_later(
    store: LocalFolder, files: dict[str, Path | str]
) -> None:
    shelf = store.add(files, ABOUT).folder.parent
    for age, name in ((3600, ".incoming-young"), (2 * 86400, ".incoming-old")):
        (shelf / name).mkdir()
        then = (shelf / name).stat().st_mtime - age
        os.utime(shelf / name, (then, then))
    store.add(files, ABOUT)
    assert sorted(path.name for path in shelf.iterdir()) == [".incoming-young", "v1", "v2"]
    assert [version.number for version in store.versions("heart")] == [1, 2]


def test_a_store_that_cannot_be_written_says_so(tmp_path: Path, files: dict[str, Path | str]) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match="Not a directory"):
        LocalFolder(tmp_path / "file").add(files, ABOUT)
