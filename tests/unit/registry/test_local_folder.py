"""The store in a local folder: complete versions, unique numbers, and refusal of damaged or hostile versions."""

import hashlib
import json
import os
import stat
import zipfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import finished_run
import pytest
from safetensors.numpy import save_file

import paracosm.registry
from paracosm.foundation.errors import RegistryError
from paracosm.recipes.run.journal import versions
from paracosm.registry.stores.addresses import address
from paracosm.registry.stores.local_folder import LocalFolder, incoming, sweep
from paracosm.registry.versions.checks import check_version
from paracosm.registry.versions.manifest import MANIFEST, Override, Version, may_publish
from paracosm.registry.versions.release import Release

ABOUT = Version(
    name="heart",
    number=0,
    published="2026-01-01T00:00:00+00:00",
    verdict="PASS",
    profile="internal",
    limits={},
    override=None,
    base_model="org/base",
    paracosm="0",
    files={},
    folder=Path(),
)
Files = dict[str, Path | str]


def metrics(state: str = "PASS", **changes: Any) -> str:
    return json.dumps(finished_run.metrics_of(state) | changes)


def card(*tags: str) -> str:
    return f"---\ntags: [{', '.join(tags)}]\n---\n\n# Heart\n"


@pytest.fixture
def files(tmp_path: Path) -> Files:
    weights = tmp_path / "adapter_model.safetensors"
    save_file(finished_run.adapter_tensors(), weights)
    return {
        "adapter_model.safetensors": weights,
        "adapter_config.json": json.dumps(finished_run.ADAPTER_CONFIG),
        "codec.json": "{}",
        "base.json": "{}",
        "schema.json": "{}",
        "provenance.json": "{}",
        "metrics.json": metrics(),
        "README.md": card("gate-pass"),
    }


@pytest.fixture
def store(tmp_path: Path) -> LocalFolder:
    return LocalFolder(tmp_path / "store")


def add(store: LocalFolder, files: Files, about: Version = ABOUT) -> Version:
    return store.add(Release(files, about))


def pulled(store: LocalFolder, tmp_path: Path, name: str = "heart") -> Path:
    return paracosm.registry.pull(name=name, into=tmp_path / "here" / "heart", url=str(store.root))


def test_versions_are_numbered_and_keep_their_bytes(store: LocalFolder, files: Files) -> None:
    first = add(store, files)
    second = add(store, files | {"README.md": card("gate-pass", "again")})
    assert list(store.numbers("heart")) == [1, 2]
    assert (first.folder / "README.md").read_text() == card("gate-pass")
    assert (second.folder / "adapter_model.safetensors").read_bytes() == (
        first.folder / "adapter_model.safetensors"
    ).read_bytes()
    assert second.files == store.version("heart", 2).files
    check_version(store.version("heart", 2))


@pytest.mark.parametrize(
    ("reference", "number"), [("heart", 2), ("heart@v1", 1), ("heart@2", 2), ("heart@stable", 1)]
)
def test_a_reference_finds_its_version(store: LocalFolder, files: Files, reference: str, number: int) -> None:
    add(store, files)
    add(store, files)
    paracosm.registry.promote(name="heart@v2", alias="stable", url=str(store.root))
    paracosm.registry.promote(name="heart@v1", alias="stable", url=str(store.root))
    assert address(reference, url=str(store.root)).find().number == number


@pytest.mark.parametrize(
    ("reference", "message"),
    [
        ("hart", "has no 'hart'; did you mean 'heart'"),
        ("heart@v7", "heart has no version 'v7'; it has v1"),
        ("heart@", "the version after the @ is missing"),
        ("../heart", "is not a model name"),
        ("", "is not a model name"),
        ("hеart", "is not a model name"),
        ("heart\u202e", "is not a model name"),
    ],
)
def test_a_wrong_reference_gets_one_clear_line(
    store: LocalFolder, files: Files, reference: str, message: str
) -> None:
    add(store, files)
    with pytest.raises(RegistryError, match=message) as caught:
        address(reference, url=str(store.root)).find()
    assert "\n" not in str(caught.value)


def test_an_empty_folder_is_not_a_registry(store: LocalFolder) -> None:
    with pytest.raises(RegistryError, match="nothing was published there yet"):
        address("heart", url=str(store.root)).find()


def test_a_taken_number_is_skipped(store: LocalFolder, files: Files, monkeypatch: pytest.MonkeyPatch) -> None:
    add(store, files)
    monkeypatch.setattr("paracosm.registry.stores.local_folder._taken", lambda shelf: set())
    assert add(store, files).number == 2


@pytest.mark.parametrize("alias", ["v3", "3", "Stable", "", "../x", "stable\n", ".hidden"])
def test_an_alias_is_a_word(store: LocalFolder, files: Files, alias: str) -> None:
    add(store, files)
    with pytest.raises(RegistryError, match="is not an alias"):
        paracosm.registry.promote(name="heart", alias=alias, url=str(store.root))


def test_the_number_of_a_removed_version_is_not_used_again(
    store: LocalFolder, files: Files, tmp_path: Path
) -> None:
    url = str(store.root)
    add(store, files)
    folder = add(store, files).folder
    with pytest.raises(RegistryError, match=r"name the version to remove, as in heart@v3"):
        paracosm.registry.remove(name="heart", url=url)
    paracosm.registry.promote(name="heart@v2", alias="stable", url=url)
    with pytest.raises(RegistryError, match="is stable; promote another version first"):
        paracosm.registry.remove(name="heart@v2", url=url)
    paracosm.registry.promote(name="heart@v1", alias="stable", url=url)
    assert paracosm.registry.remove(name="heart@v2", url=url).number == 2
    assert not folder.exists()
    assert list(store.numbers("heart")) == [1]
    assert add(store, files).number == 3
    assert not list(store.root.rglob(".incoming-*"))


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
def test_a_refused_file_leaves_nothing_in_the_store(store: LocalFolder, files: Files, name: str) -> None:
    assert not may_publish(name)
    with pytest.raises(RegistryError):
        add(store, files | {name: "{}"})
    assert list((store.root / "heart").iterdir()) == []


def test_a_pickle_named_safetensors_is_refused(store: LocalFolder, files: Files) -> None:
    with pytest.raises(RegistryError, match="not a valid safetensors file"):
        add(store, files | {"adapter_model.safetensors": "\x80\x04pickle"})
    assert list((store.root / "heart").iterdir()) == []


def test_a_link_is_refused(store: LocalFolder, files: Files, tmp_path: Path) -> None:
    (tmp_path / "link.json").symlink_to("/etc/passwd")
    with pytest.raises(RegistryError, match="links are refused"):
        add(store, files | {"link.json": tmp_path / "link.json"})


@pytest.mark.parametrize("missing", ["codec.json", "README.md", "adapter_model.safetensors"])
def test_an_incomplete_version_is_refused(store: LocalFolder, files: Files, missing: str) -> None:
    with pytest.raises(RegistryError, match=f"lacks {missing}"):
        add(store, {name: content for name, content in files.items() if name != missing})


def test_pull_copies_the_same_bytes(store: LocalFolder, files: Files, tmp_path: Path) -> None:
    version = add(store, files)
    folder = pulled(store, tmp_path)
    assert {path.name: path.read_bytes() for path in folder.iterdir()} == {
        path.name: path.read_bytes() for path in version.folder.iterdir()
    }
    check_version(Version.load(folder))
    with pytest.raises(RegistryError, match="exists already"):
        pulled(store, tmp_path)


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


def republished(folder: Path, name: str, content: str, **changes: object) -> None:
    """Change a file as its publisher could: with a manifest that agrees."""
    (folder / name).write_text(content)
    manifest = json.loads((folder / MANIFEST).read_text())
    digest = hashlib.sha256(content.encode()).hexdigest()
    manifest["files"][name] = {"sha256": digest, "bytes": len(content.encode())}
    (folder / MANIFEST).write_text(json.dumps(manifest | changes))


def entry(folder: Path, **changes: object) -> None:
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["codec.json"] |= changes
    (folder / MANIFEST).write_text(json.dumps(manifest))


def twice(folder: Path) -> None:
    text = (folder / MANIFEST).read_text()
    (folder / MANIFEST).write_text(text.replace('"verdict"', '"verdict": "FAIL", "verdict"', 1))


def device(path: Path) -> None:
    path.unlink()
    try:
        os.mknod(path, 0o600 | stat.S_IFCHR, os.makedev(1, 5))
    except PermissionError:
        pytest.skip("only root makes device files")


def archive(folder: Path) -> None:
    with zipfile.ZipFile(folder / "weights.safetensors", "w", zipfile.ZIP_DEFLATED) as bomb:
        bomb.writestr("zeros", b"\0" * 50_000_000)
    content = (folder / "weights.safetensors").read_bytes()
    manifest = json.loads((folder / MANIFEST).read_text())
    manifest["files"]["weights.safetensors"] = {
        "sha256": hashlib.sha256(content).hexdigest(),
        "bytes": len(content),
    }
    (folder / MANIFEST).write_text(json.dumps(manifest))


def better(figures: dict[str, Any]) -> dict[str, Any]:
    """Say PASS in every word, with the figures of a copy."""
    gates = [gate | {"state": "PASS"} for gate in figures["gates"]]
    return figures | {"verdict": "PASS", "gates": gates}


FAILED = finished_run.metrics_of("FAIL")
LENIENT = {"exact_copies": 0.9}

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
    "another layout": lambda folder: rewritten(folder, layout=99),
    "an unknown key": lambda folder: rewritten(folder, run_me="rm"),
    "files as a list": lambda folder: rewritten(folder, files=["codec.json"]),
    "no JSON": lambda folder: (folder / MANIFEST).write_text("{"),
    "a deep JSON": lambda folder: (folder / MANIFEST).write_text("[" * 100_000),
    "no manifest": lambda folder: (folder / MANIFEST).unlink(),
    "a linked manifest": lambda folder: linked(folder / MANIFEST),
    "a device": lambda folder: device(folder / "codec.json"),
    "a linked folder": lambda folder: (folder / "dataset").symlink_to("/etc"),
    "a way out through the data set": lambda folder: renamed_entry(folder, "dataset/../../../escaped.json"),
    "a way out in Windows' words": lambda folder: renamed_entry(folder, "..\\..\\escaped.json"),
    "a name with a null": lambda folder: renamed_entry(folder, "codec.json\0.txt"),
    "a name that looks like another": lambda folder: renamed_entry(folder, "соdec.json"),
    "a name that reads backwards": lambda folder: renamed_entry(folder, "codec\u202enosj.json"),
    "two names that are one on some disks": lambda folder: renamed_entry(folder, "SCHEMA.json"),
    "a program": lambda folder: renamed_entry(folder, "setup.py"),
    "records elsewhere": lambda folder: renamed_entry(folder, "train.parquet"),
    "a negative size": lambda folder: entry(folder, bytes=-1),
    "a size that is no number": lambda folder: entry(folder, bytes=True),
    "more than any disk holds": lambda folder: entry(folder, bytes=10**18),
    "a digest of another kind": lambda folder: entry(folder, sha256="d41d8cd98f00b204e9800998ecf8427e"),
    "an entry with more to it": lambda folder: entry(folder, run="rm"),
    "a key that stands there twice": twice,
    "a huge manifest": lambda folder: (folder / MANIFEST).write_text(" " * (5 * 2**20) + "{}"),
    "a hundred thousand files": lambda folder: rewritten(
        folder, files={f"{number}.json": {"sha256": "0" * 64, "bytes": 1} for number in range(20_000)}
    ),
    "control characters for the terminal": lambda folder: rewritten(folder, base_model="\x1b[2J"),
    "an archive in the clothes of safetensors": archive,
    "a pickle that its manifest vouches for": lambda folder: republished(
        folder, "adapter_model.safetensors", "cos\nsystem\n(S'touch escaped'\ntR."
    ),
    "a better word in the metrics": lambda folder: republished(
        folder, "metrics.json", json.dumps(better(FAILED))
    ),
    "limits of its own that its metrics do not have": lambda folder: republished(
        folder, "metrics.json", json.dumps(FAILED | {"verdict": "FAIL"}), verdict="FAIL", limits=LENIENT
    ),
    "an unknown profile": lambda folder: rewritten(folder, profile="lenient"),
    "figures that are no numbers": lambda folder: republished(
        folder, "metrics.json", metrics().replace("0.5321", '"good"', 1)
    ),
    "a card that says less": lambda folder: republished(folder, "README.md", "# All is well\n"),
    "a signature of the manifest's own": lambda folder: renamed_entry(folder, "model.sig"),
}


@pytest.mark.parametrize("harm", HOSTILE)
def test_a_hostile_version_is_refused_in_one_line_and_writes_nothing(
    store: LocalFolder, files: Files, tmp_path: Path, harm: str
) -> None:
    folder = add(store, files).folder
    HOSTILE[harm](folder)
    before = {path for path in tmp_path.rglob("*") if (tmp_path / "store") not in path.parents}
    with pytest.raises(RegistryError) as caught:
        pulled(store, tmp_path)
    assert str(caught.value).isprintable()
    assert not (tmp_path / "here").exists() or list((tmp_path / "here").iterdir()) == []
    after = {path for path in tmp_path.rglob("*") if (tmp_path / "store") not in path.parents}
    assert after - before <= {tmp_path / "here"}


def test_a_damaged_version_does_not_affect_another(store: LocalFolder, files: Files, tmp_path: Path) -> None:
    (add(store, files).folder / MANIFEST).write_text("{")
    add(store, files)
    assert pulled(store, tmp_path, "heart@v2").is_dir()
    with pytest.raises(RegistryError, match=r"v1/manifest\.json: is not a manifest"):
        paracosm.registry.list_versions(url=str(store.root))


def test_a_removed_gate_is_detected(store: LocalFolder, files: Files, tmp_path: Path) -> None:
    failed = finished_run.metrics_of("FAIL")
    for key in ("gates", "not_ruling"):
        failed[key] = [gate for gate in failed[key] if gate["gate"] != "exact_copies"]
    about = replace(ABOUT, paracosm=versions()["paracosm"])
    with pytest.raises(RegistryError, match="claims the verdict PASS, but its metrics give FAIL"):
        add(store, files | {"metrics.json": json.dumps(failed)}, about)


def test_a_limit_of_the_recipe_counts_when_the_verdict_is_recomputed(
    store: LocalFolder, files: Files
) -> None:
    figures = finished_run.metrics_of("FAIL")
    figures["gates"] = [gate | {"state": "PASS"} for gate in figures["gates"]]
    for each in figures["verdicts"]:
        each["state"] = each["state"].replace("FAIL", "PASS")
    lenient = replace(ABOUT, limits={"exact_copies": 0.5})
    version = add(store, files | {"metrics.json": json.dumps(figures)}, lenient)
    check_version(version)
    rewritten(version.folder, limits={})
    with pytest.raises(RegistryError, match="claims the verdict PASS, but its metrics give FAIL"):
        check_version(Version.load(version.folder))


@pytest.mark.parametrize(
    ("page", "fault"),
    [
        ("<p>fine</p><script>alert(1)</script>", "the element <script>"),
        ("<p onclick=alert(1)>", "the handler onclick"),
        ('<img src="https://example.org/x.png">', "an address in src"),
        ('<a href="javascript:alert(1)">', "an address in href"),
        ('<meta http-equiv="refresh" content="0;url=https://example.org">', "a redirection"),
        ("<style>p { background: url(https://example.org) }</style>", "in a style"),
    ],
)
def test_a_report_runs_and_loads_nothing(store: LocalFolder, files: Files, page: str, fault: str) -> None:
    add(store, files | {"report.html": "<p>fine</p>"})
    with pytest.raises(RegistryError, match="a report must neither run nor load anything") as refused:
        add(store, files | {"report.html": page})
    assert fault in str(refused.value)


def test_verdicts_by_question_follow_from_the_gates(store: LocalFolder, files: Files) -> None:
    figures = finished_run.metrics_of()
    figures["verdicts"][3]["state"] = "PASS"
    with pytest.raises(RegistryError, match="verdicts by question that its gates do not give"):
        add(store, files | {"metrics.json": json.dumps(figures)})


def test_a_version_of_records_alone_holds_no_part_of_the_model(store: LocalFolder, files: Files) -> None:
    alone = files | {"metrics.json": json.dumps(finished_run.metrics_of(what="records"))}
    with pytest.raises(RegistryError, match=r"lacks dataset/records\.parquet"):
        add(store, alone, replace(ABOUT, what="records"))
    with pytest.raises(RegistryError, match="claims to release both, but its metrics rule on records"):
        add(store, alone)


def test_a_file_that_the_manifest_does_not_list_is_reported(store: LocalFolder, files: Files) -> None:
    version = add(store, files)
    (version.folder / "extra.py").write_text("")
    with pytest.raises(RegistryError, match=r"holds extra\.py, which its manifest does not list"):
        check_version(version)


def test_a_version_with_a_failed_verdict_needs_an_override(store: LocalFolder, files: Files) -> None:
    failed = files | {"metrics.json": metrics("FAIL"), "README.md": card("gate-fail", "gate-overridden")}
    with pytest.raises(RegistryError, match="claims the verdict PASS, but its gates give FAIL"):
        add(store, failed)
    with pytest.raises(RegistryError, match="verdict FAIL and no override"):
        add(store, failed, replace(ABOUT, verdict="FAIL"))
    overridden = replace(ABOUT, verdict="FAIL", override=Override("a test", "me"))
    with pytest.raises(RegistryError, match="is not tagged gate-fail and gate-overridden"):
        add(store, failed | {"README.md": card("gate-fail")}, overridden)
    assert add(store, failed, overridden).number == 1


def test_files_of_a_killed_publisher_are_deleted_a_day_later(store: LocalFolder, files: Files) -> None:
    shelf = add(store, files).folder.parent
    for age, name in ((3600, ".incoming-young"), (2 * 86400, ".incoming-old")):
        (shelf / name).mkdir()
        then = (shelf / name).stat().st_mtime - age
        os.utime(shelf / name, (then, then))
    add(store, files)
    assert sorted(path.name for path in shelf.iterdir()) == [".incoming-young", "v1", "v2"]
    assert list(store.numbers("heart")) == [1, 2]


@pytest.mark.parametrize("days", [-400, -2, 2, 400])
def test_a_publisher_at_work_is_left_alone_whatever_the_clock_says(days: int, tmp_path: Path) -> None:
    with incoming(tmp_path) as folder:
        then = folder.stat().st_mtime + days * 86400
        os.utime(folder, (then, then))
        sweep(tmp_path)
        assert folder.is_dir()
        left = tmp_path / ".incoming-left"
        left.mkdir()
        os.utime(left, (then, then))
        sweep(tmp_path)
        assert not left.exists()
    assert list(tmp_path.iterdir()) == []


def test_a_store_that_cannot_be_written_is_reported(tmp_path: Path, files: Files) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(RegistryError, match="Not a directory"):
        add(LocalFolder(tmp_path / "file"), files)


CODE: dict[str, tuple[str, str | bytes, str]] = {
    "a tokenizer with code": (
        "tokenizer_config.json",
        '{"auto_map": {"AutoTokenizer": ["evil.T", null]}}',
        "asks to load code with the model ('auto_map')",
    ),
    "nested code": (
        "config.json",
        '{"text_config": {"auto_map": {"AutoConfig": "evil.C"}}}',
        "asks to load code with the model ('auto_map')",
    ),
    "code of a processor": (
        "processor_config.json",
        '{"auto_map": {"AutoProcessor": "org/repo--evil.P"}}',
        "asks to load code with the model ('auto_map')",
    ),
    "a kernel of the Hub": (
        "config.json",
        '{"_attn_implementation": "evil/kernel"}',
        "asks to load code with the model ('_attn_implementation')",
    ),
    "a shell script": ("merges.txt", "#!/bin/sh\ntouch escaped\n", "is a script"),
    "a program": ("tokenizer.model", b"\x7fELF\x02\x01\x01", "is a program"),
    "a pickle": ("vocab.txt", b"\x80\x04\x95\x0f\0\0", "is a pickle"),
    "an archive": ("tokenizer.model", b"PK\x03\x04data", "is an archive or a pickle"),
    "a decoy": ("decoy.safetensors", "", "which is not part of its model"),
    "a regular expression": (
        "adapter_config.json",
        json.dumps(finished_run.ADAPTER_CONFIG | {"target_modules": "(a+)+$"}),
        "'target_modules' must be a list of layer names",
    ),
    "a module to import": (
        "adapter_config.json",
        json.dumps(finished_run.ADAPTER_CONFIG | {"megatron_config": {"a": 1}, "megatron_core": "evil"}),
        "'megatron_config' has a value",
    ),
    "another rank": (
        "adapter_config.json",
        json.dumps(finished_run.ADAPTER_CONFIG | {"r": 8}),
        "does not have the rank 8",
    ),
    "another number of weights": (
        "provenance.json",
        '{"training": {"trained_weights": 7}}',
        "training reported 7",
    ),
}


def file_of(tmp_path: Path, name: str, content: str | bytes) -> Path:
    path = tmp_path / "given" / name
    path.parent.mkdir(exist_ok=True)
    if name == "decoy.safetensors":
        save_file(finished_run.adapter_tensors(), path)
    else:
        path.write_bytes(content if isinstance(content, bytes) else content.encode())
    return path


@pytest.mark.parametrize("kind", CODE)
def test_code_and_adapters_that_are_not_applied_are_refused_everywhere(
    store: LocalFolder, files: Files, tmp_path: Path, kind: str
) -> None:
    name, content, message = CODE[kind]
    given = file_of(tmp_path, name, content)
    with pytest.raises(RegistryError) as error:
        add(store, files | {name: given})
    assert message in str(error.value)
    refused_after_publication(store, add(store, files), tmp_path, {name: given.read_bytes()}, message)


@pytest.mark.parametrize(
    ("value", "message"), [(float("nan"), "holds NaN or infinite"), (float("inf"), "holds NaN or infinite")]
)
def test_an_adapter_without_finite_values_is_refused_everywhere(
    store: LocalFolder, files: Files, tmp_path: Path, value: float, message: str
) -> None:
    spoiled = tmp_path / "spoiled.safetensors"
    save_file(finished_run.adapter_tensors(value), spoiled)
    with pytest.raises(RegistryError, match=message):
        add(store, files | {"adapter_model.safetensors": spoiled})
    changed = {"adapter_model.safetensors": spoiled.read_bytes()}
    refused_after_publication(store, add(store, files), tmp_path, changed, message)


def refused_after_publication(
    store: LocalFolder, version: Version, tmp_path: Path, changed: dict[str, bytes], message: str
) -> None:
    """Put files into a published version, with their digests in its manifest, and expect verify and pull to refuse it."""
    manifest = json.loads((version.folder / MANIFEST).read_text())
    for name, content in changed.items():
        (version.folder / name).write_bytes(content)
        digest = hashlib.sha256(content).hexdigest()
        manifest["files"][name] = {"sha256": digest, "bytes": len(content)}
    (version.folder / MANIFEST).write_text(json.dumps(manifest))
    with pytest.raises(RegistryError) as verified:
        paracosm.registry.verify(name="heart", url=str(store.root))
    with pytest.raises(RegistryError) as copied:
        pulled(store, tmp_path)
    for error in (verified, copied):
        text = str(error.value)
        assert message in text
        assert next(iter(changed)) in text or "adapter_model.safetensors" in text
        assert "\n" not in text
    assert not (tmp_path / "here" / "heart").exists()
