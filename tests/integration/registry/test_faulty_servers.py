"""Servers that refuse, keep silent or talk nonsense: one short line with the store's address, and exit code 2."""

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from faulty_server import FAULTS, faulty_server, self_signed
from huggingface_hub import close_session, constants

from paracosm.cli.app import main
from paracosm.records.sources import hub as source_hub
from paracosm.registry.stores import bounded, hub_client, mlflow_answers, mlflow_server

LONGEST = 400
"""Characters of the line, of which the address takes up to 40."""
VERBS = (
    ("pull", "{}/notes", "--into", "here"),
    ("registry", "list", "{}"),
    ("registry", "verify", "{}/notes@v1"),
)


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[None]:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HF_TOKEN", "hf_secret")
    monkeypatch.setattr(hub_client, "PATIENCE", 1.0)
    monkeypatch.setattr(mlflow_answers, "PATIENCE", 1.0)
    close_session()
    yield
    close_session()


@contextmanager
def store(kind: str, address: str, monkeypatch: pytest.MonkeyPatch, scheme: str = "http") -> Iterator[str]:
    """Yield the URL of a store at an address."""
    mlflow_server._ANSWERED.clear()
    monkeypatch.setattr(constants, "ENDPOINT", f"{scheme}://{address}")
    yield "hf://acme" if kind == "hub" else f"mlflow{'+https' * (scheme == 'https')}://{address}"


def line_of(words: tuple[str, ...], url: str, capsys: pytest.CaptureFixture[str]) -> str:
    """Run a command that must fail; return its only line."""
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main([word.format(url) for word in words])
    out, err = capsys.readouterr()
    assert end.value.code == 2, err[-3000:]
    assert out == ""
    (line,) = err.splitlines()
    assert line.startswith(f"error: {url}")
    assert len(line) <= LONGEST, line
    assert line.isprintable()
    assert "hf_secret" not in line
    assert "<html" not in line
    assert list(Path().iterdir()) == []
    return line


@pytest.mark.parametrize("kind", ["hub", "mlflow"])
@pytest.mark.parametrize("fault", FAULTS)
def test_a_wrong_answer_is_one_short_line(
    kind: str, fault: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    if fault.startswith("drips"):
        monkeypatch.setattr(bounded, "LOOK_UP", 2.0)
    with faulty_server(FAULTS[fault]) as address, store(kind, address, monkeypatch) as url:
        for words in VERBS:
            if (kind, fault, words[:2]) == ("hub", "list", ("registry", "list")):
                continue  # the answer of a Hub without models
            line = line_of(words, url, capsys)
            if fault.startswith("page ") and fault != "page 200":
                assert f"answered {fault.removeprefix('page ')}" in line


@pytest.mark.parametrize("kind", ["hub", "mlflow"])
def test_nobody_there_is_one_short_line(
    kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for address in ("127.0.0.1:9", "nowhere.invalid:80"):
        with store(kind, address, monkeypatch) as url:
            for words in VERBS:
                assert "cannot be reached" in line_of(words, url, capsys)


@pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")
@pytest.mark.parametrize("kind", ["hub", "mlflow"])
def test_tls_that_cannot_be_trusted_is_one_short_line(
    kind: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    certificate = self_signed(tmp_path_factory.mktemp("tls"))
    with (
        faulty_server(FAULTS["list"], certificate) as address,
        store(kind, address, monkeypatch, "https") as url,
    ):
        for words in VERBS:
            assert "certificate" in line_of(words, url, capsys)
    with faulty_server(FAULTS["list"]) as address, store(kind, address, monkeypatch, "https") as url:
        for words in VERBS:
            assert "TLS" in (line := line_of(words, url, capsys)) or "SSL" in line


@pytest.mark.parametrize(
    "url",
    [
        "hf://", "hf:///", "hf://acme", "hf://acme/", "hf://acme/No Name", "hf://../x", "hf://acme/..", "hf://user:word@acme/notes",
        "mlflow://", "mlflow:///x", "mlflow://127.0.0.1:9", "mlflow://127.0.0.1:port/notes", "mlflow://127.0.0.1:99999/notes",
        "mlflow://[::1/notes", "mlflow://127.0.0.1:9/No Name", "mlflow+ftp://127.0.0.1/notes", "mlflow://a b/notes",
        "mlflow://127.0.0.1:9/notes@v0", "mlflow://\x1b[31m/notes",
    ],
)  # fmt: skip
def test_a_bad_name_is_one_short_line(
    url: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(constants, "ENDPOINT", "http://127.0.0.1:9")
    capsys.readouterr()
    with pytest.raises(SystemExit) as end:
        main(["pull", url, "--into", "here"])
    (line,) = capsys.readouterr().err.splitlines()
    assert end.value.code == 2
    assert line.startswith("error: ")
    assert len(line) <= LONGEST
    assert line.isprintable()
    assert os.listdir() == []


@pytest.mark.parametrize("fault", FAULTS)
def test_a_source_on_a_faulty_hub_is_one_short_line(
    fault: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    monkeypatch.setattr(source_hub, "PATIENCE", 1.0)
    monkeypatch.setattr(source_hub, "LONGEST_ANSWER", 2.0)
    recipe = tmp_path_factory.mktemp("recipe") / "r.yaml"
    recipe.write_text('name: t\ndata: {source: "hf://acme/notes"}\n')
    with faulty_server(FAULTS[fault]) as address, store("hub", address, monkeypatch):
        line = line_of(("validate", str(recipe)), "hf://acme/notes", capsys)
    if fault.startswith("page ") and fault != "page 200":
        assert f"answered {fault.removeprefix('page ')}" in line
