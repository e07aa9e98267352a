"""The list of commands, their help texts, and what importing the package leaves alone."""

import os
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.main import get_command

from paracosm.cli.app import app, main

ROOT = Path(__file__).parents[3]
LONGEST_SUMMARY = 60


def commands(command: Any, path: str = "paracosm") -> Iterator[tuple[str, Any]]:
    """Yield every command below `command` with its full name."""
    for name, child in getattr(command, "commands", {}).items():
        yield f"{path} {name}", child
        yield from commands(child, f"{path} {name}")


COMMANDS = dict(commands(get_command(app)))


def error_of(*arguments: str, capsys: pytest.CaptureFixture[str]) -> str:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert end.value.code == 2
    return capsys.readouterr().err


def test_commands_are_listed_in_panels_in_the_order_of_use(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["--help"])
    lines = capsys.readouterr().out.splitlines()
    panels = [line.removesuffix(":") for line in lines if line.endswith(":") and line[0] != " "]
    assert panels == ["Options", "Start", "Results", "One stage", "Data", "Publish", "Lists"]
    listed = [line.split()[0] for line in lines[lines.index("Start:") :] if line.startswith("  ")]
    assert listed[:4] == ["setup", "init", "validate", "run"]
    assert max(map(len, lines)) <= 80
    assert (
        listed.index("finetune") < listed.index("generate") < listed.index("eval") < listed.index("publish")
    )


@pytest.mark.parametrize("name", COMMANDS)
def test_a_summary_fits_the_list_of_commands(name: str) -> None:
    summary = COMMANDS[name].get_short_help_str(limit=1000)
    assert 0 < len(summary) < LONGEST_SUMMARY
    assert summary.endswith(".")
    assert not summary.endswith("...")


@pytest.mark.parametrize("name", COMMANDS)
def test_every_argument_and_option_has_a_help_text(name: str) -> None:
    assert [param.name for param in COMMANDS[name].params if not getattr(param, "help", None)] == []


def test_overrides_have_one_pair_of_brackets_in_the_usage() -> None:
    context = COMMANDS["paracosm run"].make_context("paracosm run", [], resilient_parsing=True)
    assert COMMANDS["paracosm run"].get_usage(context).endswith("[KEY=VALUE]...")


@pytest.mark.parametrize(
    ("arguments", "nearest"),
    [(["rnu"], "'run'"), (["evla"], "'eval'"), (["registry", "shwo"], "'show'")],
)
def test_an_unknown_command_names_the_nearest_one(
    arguments: list[str], nearest: str, capsys: pytest.CaptureFixture[str]
) -> None:
    error = error_of(*arguments, capsys=capsys)
    assert error.startswith(
        f"error: No such command {arguments[-1]!r}; did you mean {nearest}? (see: paracosm"
    )


@pytest.mark.parametrize("name", [name for name in COMMANDS if " registry" not in name])
def test_the_help_has_an_example_of_the_command(name: str) -> None:
    epilog = COMMANDS[name].epilog or ""
    assert epilog.startswith(f"Example: {name}")
    assert len(epilog) < 78
    words = shlex.split(epilog.removeprefix("Example: "))
    arguments = words[2 : words.index(">") if ">" in words else None]
    COMMANDS[name].make_context(name, arguments)


@pytest.mark.parametrize(("typed", "offered"), [("ev", "eval"), ("sh", "show")])
def test_the_shell_completes_commands(typed: str, offered: str) -> None:
    asked = {"_PARACOSM_COMPLETE": "complete_bash", "COMP_WORDS": f"paracosm {typed}", "COMP_CWORD": "1"}
    command = [sys.executable, "-m", "paracosm.cli.app"]
    done = subprocess.run(command, env=os.environ | asked, capture_output=True, text=True, check=False)
    assert done.stdout.split() == [offered]


def test_an_unknown_command_without_a_near_one_names_none(capsys: pytest.CaptureFixture[str]) -> None:
    assert error_of("xyz", capsys=capsys) == "error: No such command 'xyz' (see: paracosm --help)\n"


def test_metrics_are_listed_in_aligned_columns(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        main(["metrics"])
    lines = capsys.readouterr().out.splitlines()
    sections = {line.split()[1] for line in lines}
    (column,) = {line.index(f" {line.split()[1]} ") for line in lines}
    assert sections == {"fidelity", "utility", "privacy"}
    assert column >= len("augmentation_gain")


def test_the_page_of_help_texts_is_up_to_date() -> None:
    script = ROOT / "docs" / "cli_help.py"
    checked = subprocess.run([sys.executable, script, "--check"], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stderr) == (0, "")


def test_importing_the_package_changes_no_environment_variable() -> None:
    code = (
        "import os; before = dict(os.environ)\n"
        "import paracosm, paracosm.pipeline, paracosm.cli.app, paracosm.finetune.__main__, paracosm.generate.__main__\n"
        "assert dict(os.environ) == before"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_commands_let_openmp_threads_wait_passively_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("OMP_WAIT_POLICY", raising=False)
    with pytest.raises(SystemExit):
        main(["--version"])
    assert os.environ["OMP_WAIT_POLICY"] == "PASSIVE"
    monkeypatch.setenv("OMP_WAIT_POLICY", "ACTIVE")
    with pytest.raises(SystemExit):
        main(["--version"])
    assert os.environ["OMP_WAIT_POLICY"] == "ACTIVE"


@pytest.mark.parametrize("stage", ["finetune", "generate"])
def test_a_stage_sets_up_openmp_before_torch_is_imported(stage: str) -> None:
    code = f"import sys, paracosm.{stage}.__main__; assert 'torch' not in sys.modules"
    subprocess.run([sys.executable, "-c", code], check=True)
