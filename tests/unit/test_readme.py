"""What README.md and the pages that a newcomer reads next tell them to type, read and open is there."""

import importlib.util
import re
import shlex
from pathlib import Path

import pytest
import typer

from paracosm.cli.app import app
from paracosm.eval.catalogue import metrics
from paracosm.eval.gates.catalogue import GATES
from paracosm.recipes.loading.load import json_schema, load_recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage_main import stage_parser

ROOT = Path(__file__).parents[2]
PAGES = ("README.md", *(f"docs/{name}.md" for name in ("install", "guide", "python", "how-it-works")))
README = "\n".join((ROOT / name).read_text(encoding="utf-8") for name in PAGES)
BLOCKS = re.findall(r"^```(\w*)\n(.*?)^```$", README, flags=re.DOTALL | re.MULTILINE)
PROSE = re.sub(r"^```.*?^```$", "", README, flags=re.DOTALL | re.MULTILINE)
INLINE = re.findall(r"`([^`\n]+)`", PROSE)
SHELL = [
    shlex.split(line, comments=True)
    for language, block in BLOCKS
    if language == "sh"
    for line in block.splitlines()
]
COMMANDS = [words for words in SHELL if words[0] == "paracosm"]
MENTIONED = [words.split() for words in INLINE if words.startswith("paracosm ")]
LAUNCHES = [words[words.index("-m") + 1 :] for words in SHELL if words[0] == "accelerate"]
RECIPES = [block for language, block in BLOCKS if language == "yaml"]
TREES = [block for language, block in BLOCKS if language == ""]
RUN_TREE = next(block for block in TREES if block.startswith("runs/"))
LAYOUT = next(block for block in TREES if block.startswith("foundation/"))

MADE = ("runs", "comparisons", "evaluations", "paracosm-registry", "build", "dist")
"""Folders that commands make in a checkout."""


def leaf(words: list[str]) -> tuple[typer.main.TyperCommand, list[str]]:
    """Return the command that `words` name after `paracosm`, and its arguments."""
    command, rest = typer.main.get_command(app), words[1:]
    while hasattr(command, "commands") and not rest[0].startswith("-"):
        assert rest[0] in command.commands, f"no command {' '.join(words)!r}"
        command, rest = command.commands[rest[0]], rest[1:]
    return command, rest


def test_every_kind_of_block_was_found() -> None:
    assert COMMANDS
    assert MENTIONED
    assert LAUNCHES
    assert RECIPES
    assert len(TREES) == 2


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_a_command_parses(words: list[str]) -> None:
    command, arguments = leaf(words)
    command.make_context(" ".join(words[:2]), list(arguments))


def test_a_command_with_an_unknown_option_does_not_parse() -> None:
    command, _ = leaf(["paracosm", "run"])
    with pytest.raises(Exception, match="--nothing"):
        command.make_context("run", ["recipe.yaml", "--nothing"])


@pytest.mark.parametrize("words", MENTIONED, ids=" ".join)
def test_a_command_in_the_text_exists(words: list[str]) -> None:
    command, rest = leaf(words)
    options = {name for parameter in command.params for name in parameter.opts}
    assert [word for word in rest if word.startswith("-") and word not in options] == []


@pytest.mark.parametrize("words", LAUNCHES, ids=" ".join)
def test_a_launch_parses(words: list[str]) -> None:
    assert importlib.util.find_spec(f"{words[0]}.__main__")
    stage_parser(words[0]).parse_intermixed_args(words[1:])


def test_overrides_name_keys_of_a_recipe() -> None:
    overrides = [word for words in COMMANDS for word in words if re.fullmatch(r"[a-z_.]+=\S+", word)]
    assert overrides
    load_recipe(Path("healthcare-heart"), overrides)


def test_make_targets_exist() -> None:
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    named = {words[1] for words in SHELL if words[0] == "make"}
    named |= {words.split()[1] for words in INLINE if words.startswith("make ")}
    assert {"demo", "test"} <= named
    assert {each for each in named if not re.search(rf"^{each}:", makefile, flags=re.MULTILINE)} == set()


def test_the_recipe_shown_is_the_one_that_ships(tmp_path: Path) -> None:
    (text,) = RECIPES
    (tmp_path / "shown.yaml").write_text(text, encoding="utf-8")
    shown, ships = load_recipe(tmp_path / "shown.yaml"), load_recipe(Path("healthcare-heart"))
    assert shown.model_dump(exclude={"card"}) == ships.model_dump(exclude={"card"})
    said = shown.card.model_dump(exclude_unset=True)
    assert said.items() <= ships.card.model_dump(exclude_unset=True).items()


def test_recipe_keys_exist() -> None:
    schema = json_schema()
    sections = {
        name: schema["$defs"][node["$ref"].rsplit("/", 1)[1]]["properties"]
        for name, node in schema["properties"].items()
        if "$ref" in node
    }
    named = [words.split(".") for words in INLINE if re.fullmatch(rf"({'|'.join(sections)})\.[a-z_]+", words)]
    assert named
    assert [".".join((section, key)) for section, key in named if key not in sections[section]] == []


def test_repository_paths_exist() -> None:
    folders = "|".join(
        path.name
        for path in ROOT.iterdir()
        if path.is_dir() and path.name not in MADE and path.name[0] != "."
    )
    paths = {words for words in INLINE if re.fullmatch(rf"({folders})/[\w./-]+|[\w-]+\.(txt|toml)", words)}
    for name in PAGES:
        text = (ROOT / name).read_text(encoding="utf-8")
        links = {link for link in re.findall(r"\]\(([^)#]+)\)", text) if "://" not in link}
        paths |= {str((ROOT / name).parent.joinpath(link).resolve().relative_to(ROOT)) for link in links}
    paths |= {line.split()[0] for line in LAYOUT.splitlines()}
    assert "docs/evaluation.md" in paths
    assert {path for path in paths if not (ROOT / path).exists()} == set()


def test_the_run_directory_is_as_drawn() -> None:
    head, *lines = RUN_TREE.splitlines()
    run = Run(Path(head.split()[0]))
    owned = {value for name in dir(Run) if isinstance(value := getattr(run, name), Path)}
    owned |= {run.journal.path, run.shard(0), *(run.split(name) for name in ("train", "control", "test"))}
    assert [line for line in lines if run.root / line.split()[0] not in owned] == []


def test_every_metric_and_gate_is_described() -> None:
    text = (ROOT / "docs" / "evaluation.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\w+)` \|", text, flags=re.MULTILINE)
    assert rows == [metric.name for metric in metrics()]
    assert {gate.name for gate in GATES} <= set(re.findall(r"`(\w+)`", text))
    for gate in GATES:
        limits = " / ".join(f"{limit:g}" for limit in (gate.internal, gate.partner, gate.public))
        shown = limits if len({gate.internal, gate.partner, gate.public}) > 1 else f"{gate.internal:g}"
        assert re.search(rf"`{gate.name}`[^|]*{re.escape(gate.side)} {re.escape(shown)}", text), gate.name
