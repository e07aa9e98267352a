"""The store on a real MLflow server: numbers, aliases, tags, card, metrics, artifacts, and killed publishers."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from finished_run import finished_run, recipe_of
from mlflow import MlflowClient
from mlflow_server import running_mlflow

import paracosm.registry
from paracosm.foundation.errors import RegistryError
from paracosm.registry.stores.mlflow_server import FOLDER, MARK

QUICK = {"MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0", "MLFLOW_DISABLE_TELEMETRY": "true"}


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return finished_run(tmp_path_factory.mktemp("run") / "run", recipe_of()).root


def test_publish_list_promote_pull_remove(address: str, run: Path, tmp_path: Path) -> None:
    url = f"mlflow://{address}/notes"
    version = paracosm.registry.publish(run=run, url=url)
    assert (version.reference, version.where) == ("notes@v1", f"{url}@v1")
    assert paracosm.registry.publish(run=run, url=url).number == 2
    for number in (1, 2, 1):
        paracosm.registry.promote(name=f"{url}@v{number}", alias="stable")
        assert paracosm.registry.verify(name=f"{url}@stable").number == number
    assert {version.reference: version.aliases for version in paracosm.registry.list_versions(url=url)} == {
        "notes@v1": ("stable",),
        "notes@v2": (),
    }
    folder = paracosm.registry.pull(name=url, into=tmp_path / "here")
    assert (folder / "dataset" / "records.parquet").read_bytes() == (
        run / "card" / "dataset" / "records.parquet"
    ).read_bytes()
    assert f"paracosm pull {url} --into notes" in (folder / "README.md").read_text(encoding="utf-8")
    with pytest.raises(RegistryError, match="is stable; promote another version first"):
        paracosm.registry.remove(name=f"{url}@v1")
    paracosm.registry.remove(name=f"{url}@v2")
    assert paracosm.registry.publish(run=run, url=url).number == 3
    with pytest.raises(RegistryError, match=r"notes has no version 'v2'; it has v1, v3, stable"):
        paracosm.registry.verify(name=f"{url}@v2")


def test_mlflows_own_pages_show_card_metrics_and_verdict(address: str, tmp_path: Path) -> None:
    failed = finished_run(tmp_path / "failed", recipe_of(), "FAIL").root
    url = f"mlflow://{address}/leaking"
    with pytest.raises(RegistryError, match="not published: the verdict is FAIL"):
        paracosm.registry.publish(run=failed, url=url)
    paracosm.registry.publish(run=failed, url=url, override="for the red team", by="R. Evans")
    client = MlflowClient(f"http://{address}", f"http://{address}")
    version = client.get_model_version("leaking", "1")
    assert version.tags["paracosm.verdict"] == "FAIL"
    assert version.tags["paracosm.reason"] == "for the red team"
    assert "Published against its verdict (FAIL)" in version.description[:400]
    assert len(version.description) <= 5000
    logged = client.get_run(version.run_id).data
    assert logged.metrics["c2st_auc"] == 0.5321
    assert (logged.metrics["c2st_auc.low"], logged.metrics["c2st_auc.ceiling"]) == (0.49, 0.501)
    assert logged.params["finetune.epochs"] == "8"
    assert {file.path for file in client.list_artifacts(version.run_id, FOLDER)} >= {
        f"{FOLDER}/README.md",
        f"{FOLDER}/manifest.json",
        f"{FOLDER}/dataset",
    }


def test_a_model_that_paracosm_did_not_create_is_not_changed(address: str, run: Path) -> None:
    MlflowClient(f"http://{address}", f"http://{address}").create_registered_model("foreign")
    with pytest.raises(RegistryError, match="exists already, and was not created by Paracosm"):
        paracosm.registry.publish(run=run, url=f"mlflow://{address}/foreign")
    with pytest.raises(RegistryError, match="has no 'foreign'"):
        paracosm.registry.verify(name=f"mlflow://{address}/foreign")


def test_the_manifest_states_the_number_that_mlflow_assigned(
    address: str, run: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    url = f"mlflow://{address}/raced"
    paracosm.registry.publish(run=run, url=url)
    monkeypatch.setattr("paracosm.registry.stores.mlflow_server.TrackingServer._rows", lambda *_: [])
    assert paracosm.registry.publish(run=run, url=url).number == 2
    monkeypatch.undo()
    assert paracosm.registry.verify(name=f"{url}@v2").reference == "raced@v2"


def test_a_changed_artifact_is_detected(address: str, run: Path, tmp_path: Path) -> None:
    url = f"mlflow://{address}/changed"
    paracosm.registry.publish(run=run, url=url)
    client = MlflowClient(f"http://{address}", f"http://{address}")
    run_id = client.get_model_version("changed", "1").run_id
    for name, content, message in (
        ("codec.json", "[]", "differs from its manifest"),
        ("codec.json", " " * 10_000, "sends more than the"),
        ("manifest.json", "{}", "its manifest is not the one that was published"),
    ):
        (tmp_path / name).write_text(content)
        client.log_artifact(run_id, str(tmp_path / name), FOLDER)
        with pytest.raises(RegistryError, match=message):
            paracosm.registry.pull(name=url, into=tmp_path / "here")
        assert not (tmp_path / "here").exists()


def test_the_version_of_a_killed_publisher_is_not_listed(address: str, run: Path) -> None:
    url = f"mlflow://{address}/killed"
    paracosm.registry.publish(run=run, url=url)
    code = (
        "import os, sys, signal, pathlib, mlflow, paracosm.registry\n"
        "real = mlflow.MlflowClient.set_model_version_tag\n"
        "def last(self, name, version, key, value):\n"
        f"    if key == {MARK!r}: os.kill(os.getpid(), signal.SIGKILL)\n"
        "    real(self, name, version, key, value)\n"
        "mlflow.MlflowClient.set_model_version_tag = last\n"
        "paracosm.registry.publish(run=pathlib.Path(sys.argv[1]), url=sys.argv[2])\n"
    )
    done = subprocess.run([sys.executable, "-c", code, str(run), url], env=os.environ | QUICK)
    assert done.returncode == -signal.SIGKILL
    client = MlflowClient(f"http://{address}", f"http://{address}")
    assert [model.version for model in client.search_model_versions("name='killed'")] != ["1"]
    assert [version.number for version in paracosm.registry.list_versions(url=url)] == [1]
    assert paracosm.registry.publish(run=run, url=url).number == 3
    assert [version.number for version in paracosm.registry.list_versions(url=url)] == [1, 3]


def test_concurrent_publishers_get_different_versions(address: str, run: Path) -> None:
    url = f"mlflow://{address}/crowd"
    code = "import sys, pathlib, paracosm.registry; print(paracosm.registry.publish(run=pathlib.Path(sys.argv[1]), url=sys.argv[2]).number)"
    publishers = [
        subprocess.Popen([sys.executable, "-c", code, str(run), url], stdout=subprocess.PIPE, text=True)
        for _ in range(3)
    ]
    assert sorted(int(process.communicate(timeout=180)[0]) for process in publishers) == [1, 2, 3]
    assert paracosm.registry.verify(name=f"{url}@v3").number == 3


def test_an_unreachable_server_is_named(monkeypatch: pytest.MonkeyPatch, run: Path) -> None:
    for key, value in QUICK.items():
        monkeypatch.setenv(key, value)
    began = time.monotonic()
    with pytest.raises(RegistryError, match=r"mlflow://127\.0\.0\.1:9: cannot be reached") as caught:
        paracosm.registry.publish(run=run, url="mlflow://127.0.0.1:9/x")
    assert str(caught.value).isprintable()
    assert time.monotonic() - began < 60
