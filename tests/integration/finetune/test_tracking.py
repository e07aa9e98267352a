"""`track`: curve, settings, metrics, report and card on a real MLflow server, in wandb's offline files and in TensorBoard's."""

import json
import socket
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from mlflow_server import free_port, running_mlflow

import paracosm
from paracosm.finetune.tracking.servers import check_tracker
from paracosm.foundation.errors import RunError
from paracosm.foundation.progress import silent

TINY: dict[str, Any] = {
    "name": "tracked",
    "model": {"layers": 1},
    "finetune": {"epochs": 2, "evaluations_per_epoch": 1, "patience": None},
    "generate": {"records": 60},
}


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.DataFrame(
        {"age": [30 + row % 40 for row in range(400)], "ward": [f"W{row * 7 % 5}" for row in range(400)]}
    )


@pytest.fixture(scope="module")
def address(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with running_mlflow(tmp_path_factory.mktemp("mlflow")) as address:
        yield address


def test_mlflow_shows_curve_settings_metrics_and_card(
    address: str, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{address}")
    run = paracosm.run(TINY | {"track": "mlflow"}, data=table, run=tmp_path / "run", progress=silent)
    client = MlflowClient(f"http://{address}")
    sent = json.loads(run.tracking.read_text())
    logged = client.get_run(sent["id"])
    curve = [json.loads(line) for line in run.history.read_text().splitlines()]
    points = client.get_metric_history(sent["id"], "control_bits")
    assert [(point.step, point.value) for point in points] == [(p["step"], p["control_bits"]) for p in curve]
    assert logged.info.run_name == "tracked"
    assert logged.info.status == "FINISHED"
    assert logged.data.params["finetune.epochs"] == "2"
    assert logged.data.metrics["marginals"] == pytest.approx(
        next(m["value"] for m in json.loads(run.metrics.read_text())["metrics"] if m["name"] == "marginals")
    )
    assert logged.data.tags["paracosm.verdict"] in {"PASS", "FAIL", "INCONCLUSIVE"}
    stored = {file.path for file in client.list_artifacts(sent["id"])}
    assert {"README.md", "report.html", "provenance.json"} <= stored
    assert not any("parquet" in name or "dataset" in name for name in stored)
    assert "data.source" not in logged.data.params
    # The same command again sends nothing twice.
    paracosm.run(TINY | {"track": "mlflow"}, data=table, run=tmp_path / "run", progress=silent)
    assert len(client.get_metric_history(sent["id"], "control_bits")) == len(curve)


def test_a_tracker_that_is_added_later_gets_everything(
    address: str, table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mlflow import MlflowClient

    run = paracosm.run(TINY, data=table, run=tmp_path / "run", progress=silent)
    assert not run.tracking.exists()
    trained = run.journal.stage("finetune")
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://{address}")
    paracosm.run(TINY | {"track": "mlflow"}, data=table, run=tmp_path / "run", progress=silent)
    assert run.journal.stage("finetune") == trained
    sent = json.loads(run.tracking.read_text())
    assert MlflowClient(f"http://{address}").get_metric_history(sent["id"], "control_bits")


def test_wandb_offline_and_tensorboard(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WANDB_MODE", "offline")
    run = paracosm.run(TINY | {"track": "wandb"}, data=table, run=tmp_path / "run", progress=silent)
    # One file for the training and one for the results; `wandb sync` joins them by the id of the run.
    content = b"".join(path.read_bytes() for path in run.root.glob("wandb/offline-run-*/*.wandb"))
    assert b"control_bits" in content
    assert b"finetune.epochs" in content
    assert b"paracosm-registry" not in content
    paracosm.run(TINY | {"track": "tensorboard"}, data=table, run=run.root, progress=silent)
    from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

    events = EventAccumulator(str(run.root / "tensorboard" / "tracked"))
    events.Reload()
    curve = [json.loads(line) for line in run.history.read_text().splitlines()]
    assert [event.step for event in events.Scalars("control_bits")] == [point["step"] for point in curve]
    assert "marginals" in events.Tags()["scalars"]


def test_a_server_that_does_not_answer_is_one_line_within_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    port = free_port()
    monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://ann:secret@127.0.0.1:{port}")
    with pytest.raises(
        RunError,
        match=r"^track: no mlflow server answers at \S+ \(MLFLOW_TRACKING_URI\): Connection refused$",
    ) as caught:
        check_tracker("mlflow")
    assert "secret" not in str(caught.value)
    monkeypatch.delenv("WANDB_MODE", raising=False)
    monkeypatch.delenv("WANDB_API_KEY", raising=False)
    monkeypatch.setenv("NETRC", "/dev/null")
    monkeypatch.setenv("WANDB_BASE_URL", "http://127.0.0.1:1")
    with pytest.raises(RunError, match="set WANDB_API_KEY in the environment, or WANDB_MODE=offline"):
        check_tracker("wandb")


def test_a_server_that_fails_during_training_does_not_end_it(
    table: pd.DataFrame, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines: list[str] = []
    with socket.create_server(("127.0.0.1", 0)) as server:
        # It accepts connections, and closes each without an answer.
        def hang_up() -> None:
            while True:
                try:
                    connection, _ = server.accept()
                except OSError:
                    return
                connection.close()

        threading.Thread(target=hang_up, daemon=True).start()
        monkeypatch.setenv("MLFLOW_TRACKING_URI", f"http://127.0.0.1:{server.getsockname()[1]}")
        run = paracosm.run(
            TINY | {"track": "mlflow"}, data=table, run=tmp_path / "run", progress=lines.append
        )
    assert run.card.is_file()
    assert sum("warning: track: mlflow" in line for line in lines) in {1, 2}
