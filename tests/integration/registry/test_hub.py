"""The store on the Hugging Face Hub, against a local server that implements the protocol of the Hub."""

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from finished_run import finished_run, recipe_of
from hub_server import TOKEN, HubServer, Refused, running_hub
from huggingface_hub import DatasetCard, HfApi, ModelCard, constants

import paracosm.registry
from paracosm.foundation.errors import RegistryError

URL = "hf://acme/ward-notes"


@pytest.fixture
def hub(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[HubServer]:
    with running_hub() as server:
        monkeypatch.setattr(constants, "ENDPOINT", server.endpoint)
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(
            constants._HF_DEFAULT_ENDPOINT, server.endpoint
        )
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        # Uploads would otherwise go through the Hub's chunk storage, which has no public protocol to stand in for.
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(tmp_path / "no-token"))
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        yield server


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("hub") / "run", recipe_of()).root


def test_a_version_is_one_commit_and_one_tag_in_private_repositories(
    hub: HubServer, run: Path, tmp_path: Path
) -> None:
    version = paracosm.registry.publish(run=run, url=URL)
    assert (version.reference, version.where) == ("ward-notes@v1", f"{URL}@v1")
    for kind in ("model", "dataset"):
        repository = hub.repositories[kind, "acme/ward-notes"]
        assert repository.private
        assert list(repository.commits) == [next(iter(repository.commits)), repository.tags["v1"]]
    assert paracosm.registry.publish(run=run, url=URL).number == 2
    assert [version.reference for version in paracosm.registry.list_versions(url="hf://acme")] == [
        "ward-notes@v1",
        "ward-notes@v2",
    ]
    assert paracosm.registry.verify(name=f"{URL}@v1").files == version.files
    folder = paracosm.registry.pull(name=URL, into=tmp_path / "here")
    assert (folder / "adapter_model.safetensors").read_bytes() == (
        run / "adapter" / "adapter_model.safetensors"
    ).read_bytes()
    assert paracosm.registry.show(name=URL).card == (folder / "README.md").read_text(encoding="utf-8")
    assert f"paracosm pull {URL} --into ward-notes" in (folder / "README.md").read_text(encoding="utf-8")


def test_the_hubs_own_client_finds_cards_and_records(hub: HubServer, run: Path) -> None:
    paracosm.registry.publish(run=run, url=URL)
    api = HfApi(endpoint=hub.endpoint)
    assert [model.id for model in api.list_models(author="acme", filter="gate-pass")] == ["acme/ward-notes"]
    card = ModelCard.load(api.hf_hub_download("acme/ward-notes", "README.md", revision="v1"))
    assert card.data.to_dict()["library_name"] == "peft"
    records = DatasetCard.load(api.hf_hub_download("acme/ward-notes", "README.md", repo_type="dataset"))
    assert f"[model card]({hub.endpoint}/acme/ward-notes)" in records.text
    pictures = {name for name in api.list_repo_files("acme/ward-notes", repo_type="dataset") if "png" in name}
    assert {f"]({name})" in records.text for name in pictures} == {True}


def test_promote_moves_a_tag_and_remove_keeps_the_number_taken(hub: HubServer, run: Path) -> None:
    for _ in range(2):
        paracosm.registry.publish(run=run, url=URL)
    for number in (1, 2):
        paracosm.registry.promote(name=f"{URL}@v{number}", alias="stable")
        assert paracosm.registry.verify(name=f"{URL}@stable").number == number
    with pytest.raises(RegistryError, match="is stable; promote another version first"):
        paracosm.registry.remove(name=f"{URL}@v2")
    paracosm.registry.promote(name=f"{URL}@v1", alias="stable")
    paracosm.registry.remove(name=f"{URL}@v2")
    newest = hub.repositories["model", "acme/ward-notes"]
    assert list(newest.commits[newest.head]) == [".gitattributes"]
    assert [version.number for version in paracosm.registry.list_versions(url=URL)] == [1]
    assert paracosm.registry.publish(run=run, url=URL).number == 3


def test_a_version_that_is_not_public_is_not_published_to_a_public_repository(
    hub: HubServer, run: Path, tmp_path: Path
) -> None:
    with pytest.raises(RegistryError, match=r"--public needs a run with release\.profile 'public'"):
        paracosm.registry.publish(run=run, url=URL, public=True)
    assert not hub.repositories
    hub.add_model("acme/ward-notes", {"README.md": b"---\n{}\n---\n"})
    with pytest.raises(RegistryError, match="its model repository is public; change that on the Hub"):
        paracosm.registry.publish(run=run, url=URL)


@pytest.mark.parametrize(
    ("token", "message"),
    [
        (None, "there is no such repository; if it is private, log in first: hf auth login, or set HF_TOKEN"),
        ("hf_wrong", "there is no such repository|has no 'ward-notes'"),
    ],
)
def test_without_the_right_token_no_repository_is_visible(
    hub: HubServer, run: Path, monkeypatch: pytest.MonkeyPatch, token: str | None, message: str
) -> None:
    paracosm.registry.publish(run=run, url=URL)
    monkeypatch.delenv("HF_TOKEN")
    if token:
        monkeypatch.setenv("HF_TOKEN", token)
    with pytest.raises(RegistryError, match=message):
        paracosm.registry.verify(name=URL)
    with pytest.raises(RegistryError, match="the Hub answered 401: Invalid username or password"):
        paracosm.registry.publish(run=run, url=URL)


def test_a_hub_that_cannot_be_reached_is_named(monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(RegistryError, match=r"the Hub at http://127\.0\.0\.1:9 cannot be reached"):
        paracosm.registry.publish(run=run, url=URL)


def test_the_token_is_in_no_file_and_no_output(hub: HubServer, run: Path, tmp_path: Path) -> None:
    environment = environment_of(hub, tmp_path)
    output = ""
    for words in (
        ["publish", str(run), URL],
        ["registry", "list", URL],
        ["registry", "verify", f"{URL}@v7"],
        ["pull", URL, "--into", "here"],
        ["publish", str(run), "hf://acme/Upper"],
    ):
        done = subprocess.run(
            [sys.executable, "-m", "paracosm.cli.app", *words],
            cwd=tmp_path, env=environment, capture_output=True, text=True,
        )  # fmt: skip
        output += done.stdout + done.stderr
    assert "ward-notes@v1" in output
    assert "ward-notes has no version 'v7'" in output
    assert "Traceback" not in output
    assert TOKEN not in output
    for folder in (tmp_path, run):
        for path in filter(Path.is_file, folder.rglob("*")):
            assert TOKEN.encode() not in path.read_bytes(), path
    assert not any(TOKEN.encode() in content for content in hub.blobs.values())


def test_the_token_is_not_sent_to_the_host_of_a_redirect(hub: HubServer, run: Path, tmp_path: Path) -> None:
    paracosm.registry.publish(run=run, url=URL)
    # The stand-in answers 400 to a token at the host that it redirects large files to.
    paracosm.registry.pull(name=URL, into=tmp_path / "here")
    assert any(path.startswith("/cdn/") for _, path in hub.requests)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("codec.json", b"[]", "differs from its manifest"),
        ("adapter_model.safetensors", b"\0" * 10_000_000, "sends more than the"),
        ("adapter_model.safetensors", b"", "differs from its manifest"),
        ("manifest.json", b" " * 5_000_000, "sends more than the"),
        ("manifest.json", b"{}", "is not a manifest"),
        ("manifest.json", b"\xff\xfe", "is not UTF-8 text"),
    ],
)
def test_false_content_from_the_hub_is_refused(
    hub: HubServer, run: Path, tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    paracosm.registry.publish(run=run, url=URL)
    hub.tamper = lambda path, real: content if path == name else real
    with pytest.raises(RegistryError, match=message):
        paracosm.registry.pull(name=URL, into=tmp_path / "here")
    assert list(tmp_path.iterdir()) == []


def test_a_repository_of_another_version_is_refused(hub: HubServer, run: Path, tmp_path: Path) -> None:
    for _ in range(2):
        paracosm.registry.publish(run=run, url=URL)
    tags = hub.repositories["model", "acme/ward-notes"].tags
    tags["v1"] = tags["v2"]
    with pytest.raises(RegistryError, match=r"ward-notes@v1: its manifest is that of ward-notes@v2"):
        paracosm.registry.pull(name=f"{URL}@v1", into=tmp_path / "here")


def environment_of(hub: HubServer, tmp_path: Path) -> dict[str, str]:
    return os.environ | {
        "HF_ENDPOINT": hub.endpoint, "HF_TOKEN": TOKEN, "HF_HUB_DISABLE_XET": "1", "HF_HOME": str(tmp_path / "hf"),
    }  # fmt: skip


PUBLISH = "import sys; from pathlib import Path; import paracosm.registry; print(paracosm.registry.publish(run=Path(sys.argv[1]), url=sys.argv[2]).number)"


def publisher(hub: HubServer, run: Path, tmp_path: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PUBLISH, str(run), URL],
        env=environment_of(hub, tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip


def test_concurrent_publishers_get_different_versions(hub: HubServer, run: Path, tmp_path: Path) -> None:
    publishers = [publisher(hub, run, tmp_path) for _ in range(4)]
    numbers = [int(process.communicate(timeout=120)[0]) for process in publishers]
    assert sorted(numbers) == [1, 2, 3, 4]
    versions = paracosm.registry.list_versions(url=URL)
    assert [version.number for version in versions] == [1, 2, 3, 4]
    for number in (1, 4):
        paracosm.registry.verify(name=f"{URL}@v{number}")


def test_a_publisher_whose_number_was_taken_uses_the_next_number(hub: HubServer, run: Path) -> None:
    paracosm.registry.publish(run=run, url=URL)
    rival = {"left": 2}

    def overtake(method: str, path: str) -> None:
        # Somebody commits just before our commit, and takes the tag just before our tag.
        repository = hub.repositories["model", "acme/ward-notes"]
        if rival["left"] == 2 and path == "/api/models/acme/ward-notes/commit/main":
            rival["left"] = 1
            repository.commit(dict(repository.commits[repository.head]))
        elif rival["left"] == 1 and "/api/models/acme/ward-notes/tag/" in path:
            rival["left"] = 0
            repository.tags["v2"] = repository.tags["v1"]

    hub.before = overtake
    assert paracosm.registry.publish(run=run, url=URL).number == 3
    assert rival["left"] == 0
    assert paracosm.registry.verify(name=f"{URL}@v3").number == 3


@pytest.mark.parametrize("step", ["/preupload/", "/lfs/", "/commit/", "/models/acme/ward-notes/tag/"])
def test_a_killed_publisher_leaves_no_incomplete_version(
    hub: HubServer, run: Path, tmp_path: Path, step: str
) -> None:
    paracosm.registry.publish(run=run, url=URL)
    before = paracosm.registry.list_versions(url=URL)
    reached: list[str] = []

    def stall(method: str, path: str) -> None:
        if step in path and method in ("POST", "PUT") and not reached:
            reached.append(path)
            while victim.poll() is None:
                time.sleep(0.01)
            raise Refused(500, "nobody is there any more")

    other = finished_run(tmp_path / "other", recipe_of(description="Another sentence.")).root
    hub.before = stall
    victim = publisher(hub, other, tmp_path)
    while not reached and victim.poll() is None:
        time.sleep(0.01)
    os.kill(victim.pid, signal.SIGKILL)
    victim.communicate()
    assert reached
    assert paracosm.registry.list_versions(url=URL) == before
    assert paracosm.registry.verify(name=URL).number == 1
    assert paracosm.registry.publish(run=other, url=URL).number == 2
    assert json.loads((other / "run.json").read_text())["stages"]["card"]["status"] == "done"


def test_the_hub_is_asked_for_nothing_else_than_the_model(hub: HubServer, run: Path, tmp_path: Path) -> None:
    paracosm.registry.publish(run=run, url=URL)
    hub.requests.clear()
    subprocess.run(
        [sys.executable, "-m", "paracosm.cli.app", "pull", URL, "--into", "here"],
        cwd=tmp_path, env=environment_of(hub, tmp_path), check=True, capture_output=True,
    )  # fmt: skip
    assert hub.requests
    assert [path for _, path in hub.requests if "acme/ward-notes" not in path and "/cdn/" not in path] == []
