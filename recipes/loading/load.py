"""Recipes from YAML files and overrides, and back."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.loading.json_schema import is_section, node_at, recipe_schema
from paracosm.recipes.loading.overrides import Override, apply, read_overrides
from paracosm.recipes.loading.validation_errors import faults_of, in_one_line, misplaced_booleans, shown
from paracosm.recipes.loading.yaml_source import Document, dump_document, read_document
from paracosm.recipes.loading.yaml_source import Path as KeyPath
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.shipped import shipped

DATA_FILES = (".csv", ".tsv", ".jsonl", ".ndjson", ".parquet", ".gz")
MOST_BYTES = 10_000_000


def load_recipe(path: Path, overrides: Sequence[str] = ()) -> Recipe:
    """Load a recipe from a YAML file, or by the name of a shipped one.

    Args:
        path: the file, or a bare name that `shipped()` has.
        overrides: `dotted.key=value`, each over what the file says.

    Raises:
        RecipeError: in one line, what is wrong with the file or an override, where, and what is allowed.
    """
    file = find_recipe(path)
    document = read_document(_text(file), str(file))
    plain = document.value
    if plain is None:
        raise RecipeError(f"{file}: is empty; a recipe needs at least name and data.source")
    if not isinstance(plain, dict):
        raise RecipeError(f"{file}: must be a mapping of keys; got {shown(plain)}")
    return _checked(plain, read_overrides(overrides), str(file), document)


def recipe_of(plain: dict[str, Any], overrides: Sequence[str] = ()) -> Recipe:
    """Return the recipe that plain values and overrides make, without a file.

    Raises:
        RecipeError: in one line, what is wrong with an override and what is allowed.
    """
    return _checked(plain, read_overrides(overrides), "recipe", None)


def _checked(plain: dict[str, Any], over: Sequence[Override], name: str, document: Document | None) -> Recipe:
    for override in over:
        apply(override, plain)
    _leave_out_empty_sections(plain, ())
    recipe, faults = None, misplaced_booleans(plain)
    try:
        recipe = Recipe.model_validate(plain)
    except ValidationError as error:
        known = {fault.path for fault in faults}
        faults += [fault for fault in faults_of(error, plain) if fault.path not in known]
    if recipe is None or faults:
        raise RecipeError(
            in_one_line(faults, lambda key, has_line: _place(key, has_line, name, document, over))
        )
    return recipe


def find_recipe(path: Path) -> Path:
    """Return the file that `path` names: itself, or a shipped recipe for a bare name.

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
    except OSError as fault:
        raise RecipeError(f"{path}: cannot be read ({fault.strerror or fault})") from fault
    if path.suffix.lower() in DATA_FILES:
        raise RecipeError(f"{path}: is a data file, no recipe; `paracosm init {path}` writes a recipe for it")
    return path


def dump_recipe(recipe: Recipe) -> str:
    """Return the resolved recipe as YAML that loads back to an equal recipe."""
    plain = recipe.model_dump(mode="json")
    fields = plain["data"]["fields"]
    plain["data"]["fields"] = {
        name: {key: value for key, value in override.items() if value is not None}
        for name, override in fields.items()
    }
    return dump_document(plain)


def json_schema() -> dict[str, Any]:
    """Return the JSON Schema of a recipe, with which editors complete and check it."""
    opening = {"$schema": "https://json-schema.org/draft/2020-12/schema", "title": "Paracosm recipe"}
    return opening | {key: value for key, value in recipe_schema().items() if key != "title"}


def _text(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            raw = opened.read(MOST_BYTES + 1)
    except OSError as fault:
        raise RecipeError(f"{file}: cannot be read ({fault.strerror or fault})") from fault
    if len(raw) > MOST_BYTES:
        raise RecipeError(f"{file}: is larger than {MOST_BYTES // 1_000_000} MB, so it is no recipe")
    try:
        return raw.decode("utf-8-sig")
    except UnicodeDecodeError as fault:
        line = raw[: fault.start].count(b"\n") + 1
        raise RecipeError(
            f"{file}:{line}: is not UTF-8 (byte 0x{raw[fault.start]:02x} cannot be read); save it as UTF-8"
        ) from fault


def _leave_out_empty_sections(plain: dict[str, Any], path: KeyPath) -> None:
    """Drop sections with nothing under them: all their keys are commented out, so their defaults hold."""
    for key, value in list(plain.items()):
        node = node_at((*path, key))
        if value is None and node is not None and is_section(node):
            del plain[key]
        elif isinstance(value, dict) and node is not None:
            _leave_out_empty_sections(value, (*path, key))


def _place(
    key: KeyPath, has_line: bool, file: str, document: Document | None, overrides: Sequence[Override]
) -> tuple[float, str]:
    for override in reversed(overrides):
        shared = min(len(key), len(override.path))
        inside = len(key) >= len(override.path) or (
            has_line and (document is None or key not in document.lines)
        )
        # A rule on a whole section can be broken by any key of it that was overridden.
        if key[:shared] == override.path[:shared] and (inside or has_line):
            return -1.0, override.cited
    line = document.line(key) if has_line and document is not None else None
    return (float("inf"), file) if line is None else (float(line), f"{file}:{line}")


def _in_folder(folder: Path) -> str:
    found = sorted(each.name for each in folder.glob("*.yaml"))
    return f" in it, such as {folder / found[0]}" if found else ""


def _no_such_file(path: Path) -> str:
    folder = path.parent
    beside = (
        [each.name for each in folder.iterdir() if each.suffix in (".yaml", ".yml")]
        if folder.is_dir()
        else []
    )
    near = did_you_mean(path.name, [*beside, *shipped()]) or did_you_mean(
        path.name.removesuffix(".yaml"), shipped()
    )
    return f"{path}: there is no such recipe{near or '; `paracosm recipes` lists the shipped ones'}"
