"""Loading of recipes from YAML files and overrides, and writing them as YAML."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.loading.json_schema import is_section, node_at, recipe_schema
from paracosm.recipes.loading.overrides import Override, apply, read_overrides
from paracosm.recipes.loading.validation_errors import (
    ValidationProblem,
    misplaced_booleans,
    one_line,
    shown,
    validation_problems,
)
from paracosm.recipes.loading.yaml_source import Document, KeyPath, dump_document, read_document
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.shipped import shipped

DATA_FILES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".gz")
MOST_BYTES = 10_000_000
"""Size above which a file is not read: far more than any recipe needs."""


def load_recipe(path: Path, overrides: Sequence[str | Override] = ()) -> Recipe:
    """Load a recipe from a YAML file, or by the name of a shipped one.

    Args:
        path: the file, or the name of a shipped recipe.
        overrides: `dotted.key=value` each, or with values of Python, replacing values of the file.

    Raises:
        RecipeError: the file or an override is not valid; the message names the line, the key and what is allowed.
    """
    file = find_recipe(path)
    document = read_document(_text(file), str(file))
    plain = document.value
    if plain is None:
        raise RecipeError(f"{file}: is empty; a recipe needs at least name and data.source")
    if not isinstance(plain, dict):
        raise RecipeError(f"{file}: must be a mapping of keys; got {shown(plain)}")
    return _validated(plain, read_overrides(overrides), str(file), document)


def recipe_of(plain: dict[str, Any], overrides: Sequence[str | Override] = ()) -> Recipe:
    """Return the recipe of plain values and overrides, without a file.

    Raises:
        RecipeError: a value or an override is not valid; the message names the key and what is allowed.
    """
    return _validated(plain, read_overrides(overrides), "recipe", None)


def _validated(
    plain: dict[str, Any], overrides: Sequence[Override], file: str, document: Document | None
) -> Recipe:
    for override in overrides:
        apply(override, plain)
    _drop_empty_sections(plain, ())
    recipe, problems = None, misplaced_booleans(plain)
    try:
        recipe = Recipe.model_validate(plain)
    except ValidationError as error:
        reported = {problem.path for problem in problems}
        problems += [problem for problem in validation_problems(error, plain) if problem.path not in reported]
    if recipe is None or problems:
        raise RecipeError(one_line(problems, lambda problem: _locate(problem, file, document, overrides)))
    return recipe


def find_recipe(path: Path) -> Path:
    """Return the path of a recipe file; a bare name that is not a file means a shipped recipe.

    Raises:
        RecipeError: there is no such file, or it is a folder or a data file.
    """
    name = path.name.removesuffix(".yaml")
    try:
        if len(path.parts) == 1 and not path.is_file() and name in shipped():
            return shipped()[name]
        if path.is_dir():
            raise RecipeError(f"{path}: is a folder; name a recipe file{_in_folder(path)}")
        if not path.exists():
            raise RecipeError(_no_such_file(path))
    except OSError as error:
        raise RecipeError(f"{path}: cannot be read ({error.strerror or error})") from error
    if path.suffix.lower() in DATA_FILES:
        raise RecipeError(
            f"{path}: is a data file, not a recipe; `paracosm init {path}` writes a recipe for it"
        )
    return path


def dump_recipe(recipe: Recipe) -> str:
    """Return a recipe as YAML with all defaults written out; loading it gives an equal recipe."""
    plain = recipe.model_dump(mode="json")
    fields = plain["data"]["fields"]
    plain["data"]["fields"] = {
        name: {key: value for key, value in override.items() if value is not None}
        for name, override in fields.items()
    }
    return dump_document(plain)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe, which editors use for completion and checks."""
    opening = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Paracosm recipe"}
    return opening | {key: value for key, value in recipe_schema().items() if key != "title"}


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as error:
        raise RecipeError(f"{file}: cannot be read ({error.strerror or error})") from error
    if len(raw) > MOST_BYTES:
        raise RecipeError(f"{file}: is larger than {MOST_BYTES // 1_000_000} MB, so it is not a recipe")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = raw[: error.start].count(b"\n") + 1
        raise RecipeError(
            f"{file}:{line}: is not UTF-8 (byte 0x{raw[error.start]:02x} cannot be read); save it as UTF-8"
        ) from error


def _drop_empty_sections(plain: dict[str, Any], path: KeyPath) -> None:
    """Remove sections without a value, in place: all their keys are commented out, so the defaults apply."""
    for key, value in list(plain.items()):
        node = node_at((*path, key))
        if value is None and node is not None and is_section(node):
            del plain[key]
        elif isinstance(value, dict) and node is not None:
            _drop_empty_sections(value, (*path, key))


def _locate(
    problem: ValidationProblem, file: str, document: Document | None, overrides: Sequence[Override]
) -> tuple[float, str]:
    """Return a sort key and the start of the message: an override, a line of the file, or the file."""
    key = problem.path
    for override in reversed(overrides):
        shared = min(len(key), len(override.path))
        at_or_below = len(key) >= len(override.path)
        # A check on a whole section can fail because of any overridden key of it.
        if key[:shared] == override.path[:shared] and (at_or_below or problem.has_line):
            return -1.0, override.label
    line = document.line(key) if problem.has_line and document is not None else None
    return (float("inf"), file) if line is None else (float(line), f"{file}:{line}")


def _in_folder(folder: Path) -> str:
    names = sorted(path.name for path in folder.glob("*.yaml"))
    return f" in it, such as {folder / names[0]}" if names else ""


def _no_such_file(path: Path) -> str:
    folder = path.parent
    beside = (
        [other.name for other in folder.iterdir() if other.suffix in (".yaml", ".yml")]
        if folder.is_dir()
        else []
    )
    near = did_you_mean(path.name, [*beside, *shipped()]) or did_you_mean(
        path.name.removesuffix(".yaml"), shipped()
    )
    return f"{path}: there is no such recipe{near or '; `paracosm recipes` lists the shipped ones'}"
