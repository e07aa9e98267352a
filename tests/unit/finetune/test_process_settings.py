"""Importing and using the finetune room leaves the settings of the process as they were."""

import logging
import os
import subprocess
import sys
import warnings

import pytest
from datasets.utils import are_progress_bars_disabled
from transformers.utils import logging as transformers_logging

from paracosm.finetune.distributed.launch import Topology, launch, setups
from paracosm.finetune.models.library_logging import LOGGERS, quiet_libraries


def settings() -> tuple[object, ...]:
    levels = tuple(logging.getLogger(name).level for name in LOGGERS)
    bars = transformers_logging.is_progress_bar_enabled(), are_progress_bars_disabled()
    return transformers_logging.get_verbosity(), bars, levels, tuple(warnings.filters)


def test_quiet_libraries_restores_the_settings_after_the_last_use() -> None:
    before = settings()
    with quiet_libraries():
        inside = settings()
        with quiet_libraries():
            assert settings() == inside
        assert settings() == inside
        assert transformers_logging.get_verbosity() == logging.ERROR
        assert not transformers_logging.is_progress_bar_enabled()
    assert settings() == before != inside


def test_quiet_libraries_restores_the_settings_after_an_error() -> None:
    before = settings()
    with pytest.raises(ValueError, match="broken"), quiet_libraries():
        raise ValueError("broken")
    assert settings() == before


def test_a_launch_restores_logging_and_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    during: list[tuple[int, str | None]] = []

    def interrupted(_: object) -> None:
        during.append((logging.root.manager.disable, os.environ.get("ACCELERATE_USE_CPU")))
        raise KeyboardInterrupt

    monkeypatch.setattr("accelerate.commands.launch.launch_command", interrupted)
    before = logging.root.manager.disable, dict(os.environ)
    assert launch(setups()["cpu"], "finetune", ["recipe.yaml"], Topology(patience=5)) == 130
    assert during == [(logging.CRITICAL, "true")]
    assert (logging.root.manager.disable, dict(os.environ)) == before


def test_importing_packing_registers_no_attention() -> None:
    code = (
        "from transformers import AttentionInterface; from paracosm.finetune.objectives.packing import ATTENTION;"
        " assert ATTENTION not in AttentionInterface()"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
