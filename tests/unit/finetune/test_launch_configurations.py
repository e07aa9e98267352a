"""The shipped accelerate configurations: their comments are valid commands, and accelerate reads them as intended."""

import os
import re
import shlex
from pathlib import Path

import pytest
import typer
from accelerate import FullyShardedDataParallelPlugin
from accelerate.commands.config.config_args import load_config_from_file
from accelerate.commands.launch import _validate_launch_command, launch_command_parser
from accelerate.utils import DistributedType
from accelerate.utils.dataclasses import DeepSpeedPlugin
from accelerate.utils.launch import prepare_deepspeed_cmd_env, prepare_multi_gpu_env

from paracosm.cli.app import app
from paracosm.finetune.distributed.launch import (
    Topology,
    _accelerate_options,
    find_setup,
    launch,
    setup_descriptions,
    setups,
)
from paracosm.foundation.errors import RecipeError, RunError
from paracosm.recipes.run.stage_main import stage_parser

KINDS = {
    "cpu": DistributedType.MULTI_GPU,
    "one-gpu": DistributedType.NO,
    "ddp": DistributedType.MULTI_GPU,
    "fsdp2": DistributedType.FSDP,
    "zero3": DistributedType.DEEPSPEED,
    "two-nodes": DistributedType.MULTI_GPU,
}


def commands(name: str) -> list[list[str]]:
    """Return the commands in the opening comment of a configuration, with continued lines joined."""
    head = re.findall(r"^#   (.*)$", setups()[name].read_text(encoding="utf-8"), flags=re.MULTILINE)
    joined = re.sub(r"\\\n\s*", "", "\n".join(head))
    return [shlex.split(line) for line in joined.splitlines()]


def parsed(name: str, *words: str):
    """Return the arguments of accelerate for a configuration and more options."""
    given = ["--config_file", str(setups()[name]), *words, "-m", "paracosm.finetune", "recipe.yaml"]
    return _validate_launch_command(launch_command_parser().parse_args(given))[0]


def test_every_kind_ships_with_a_description_of_one_line() -> None:
    assert set(setups()) == set(KINDS)
    for _, description in setup_descriptions():
        assert 10 < len(description) < 120
        assert description.endswith(".")


@pytest.mark.parametrize("name", KINDS)
def test_accelerate_reads_a_configuration(name: str) -> None:
    configuration = load_config_from_file(str(setups()[name]))
    assert configuration.distributed_type is KINDS[name]
    assert configuration.mixed_precision == "no"
    assert configuration.num_machines == (2 if name == "two-nodes" else 1)


@pytest.mark.parametrize("name", KINDS)
def test_the_commands_in_the_comments_are_valid(name: str) -> None:
    short, full = [], []
    for words in commands(name):
        (short if words[0] == "paracosm" else full).append(words)
    assert short
    assert full
    for words in short:
        assert words[2] == name
        typer.main.get_command(app).commands["launch"].make_context("launch", words[2:])
    for words in full:
        launcher = words[words.index("launch") + 1 :]
        assert launcher[:2] == ["--config_file", f"$(paracosm launch {name} --path)"]
        parsed = launch_command_parser().parse_args(["--config_file", str(setups()[name]), *launcher[2:]])
        assert parsed.module
        assert parsed.training_script == "paracosm.finetune"
        stage_parser("finetune").parse_intermixed_args(parsed.training_script_args)


def test_accelerate_builds_fsdp2_from_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    for variable, value in prepare_multi_gpu_env(parsed("fsdp2")).items():
        monkeypatch.setenv(variable, value)
    plugin = FullyShardedDataParallelPlugin()
    assert plugin.fsdp_version == 2
    assert plugin.reshard_after_forward is True
    assert "SHARDED" in str(plugin.state_dict_type)
    assert not plugin.cpu_ram_efficient_loading
    assert os.environ["FSDP_AUTO_WRAP_POLICY"] == "TRANSFORMER_BASED_WRAP"


def test_accelerate_builds_zero3_from_its_configuration(monkeypatch: pytest.MonkeyPatch) -> None:
    arguments = parsed("zero3")
    assert arguments.use_deepspeed
    arguments.deepspeed_fields_from_accelerate_config = ",".join(
        load_config_from_file(str(setups()["zero3"])).deepspeed_config
    )
    _, environment = prepare_deepspeed_cmd_env(arguments)
    for variable, value in environment.items():
        monkeypatch.setenv(variable, value)
    plugin = DeepSpeedPlugin()
    assert plugin.zero_stage == 3
    assert plugin.deepspeed_config["zero_optimization"]["stage"] == 3
    assert plugin.deepspeed_config["zero_optimization"]["offload_param"]["device"] == "none"
    assert not plugin.zero3_init_flag


def test_two_machines_have_the_address_of_the_first() -> None:
    options = _accelerate_options(setups()["two-nodes"], Topology(16, None, 1, "10.0.0.1:2950"))
    arguments = parsed("two-nodes", *options)
    environment = prepare_multi_gpu_env(arguments)
    assert (arguments.nnodes, arguments.nproc_per_node, arguments.node_rank) == ("2", "8", 1)
    assert (arguments.rdzv_backend, arguments.rdzv_endpoint) == ("static", "10.0.0.1:2950")
    assert environment["ACCELERATE_MIXED_PRECISION"] == "no"


def test_options_override_the_configuration() -> None:
    options = _accelerate_options(setups()["ddp"], Topology(processes=4))
    assert parsed("ddp", *options).num_processes == 4
    # A free port, so that two launches on one machine do not collide.
    assert options[options.index("--main_process_port") + 1] == "0"


@pytest.mark.parametrize(
    ("name", "message"),
    [("fdsp2", "did you mean 'fsdp2'?"), ("missing.yaml", "known: cpu, ddp, fsdp2")],
)
def test_an_unknown_configuration_is_an_error(name: str, message: str) -> None:
    with pytest.raises(RunError, match=re.escape(message)):
        find_setup(name)


def test_another_file_is_not_a_configuration(tmp_path: Path) -> None:
    (tmp_path / "mine.yaml").write_text("distributed_type: MULTI_GPU\nnum_proceses: 2\n")
    with pytest.raises(RunError, match=r"mine\.yaml: is not an accelerate configuration: .*num_proceses"):
        launch(find_setup(str(tmp_path / "mine.yaml")), "finetune", ["recipe.yaml"], Topology())


def test_an_address_needs_a_host() -> None:
    with pytest.raises(RunError, match="--first :x: must be HOST or HOST:PORT"):
        launch(setups()["two-nodes"], "finetune", ["recipe.yaml"], Topology(first=":x"))


def test_a_patience_must_be_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PARACOSM_PATIENCE", "soon")
    with pytest.raises(
        RecipeError, match="PARACOSM_PATIENCE: must be a number of seconds above 0; got 'soon'"
    ):
        launch(setups()["ddp"], "finetune", ["recipe.yaml"], Topology())
