"""Look-ups in the JSON Schema of a recipe: which keys exist, and a description of their allowed values for errors."""

from functools import cache
from typing import Any

from paracosm.recipes.loading.yaml_source import KeyPath
from paracosm.recipes.recipe import Recipe

SchemaNode = dict[str, Any]


@cache
def recipe_schema() -> SchemaNode:
    """Return the JSON Schema of a recipe that pydantic generates."""
    return Recipe.model_json_schema()


def branches(node: SchemaNode) -> list[SchemaNode]:
    """Return the alternatives of a schema node, with references resolved."""
    if "$ref" in node:
        return branches(recipe_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    if "anyOf" in node:
        return [branch for alternative in node["anyOf"] for branch in branches(alternative)]
    return [node]


def node_at(path: KeyPath) -> SchemaNode | None:
    """Return the schema node of a path of keys and list indices, or None if the recipe has no such key."""
    node: SchemaNode = recipe_schema()
    for part in path:
        children = [
            child for child in (_child(branch, part) for branch in branches(node)) if child is not None
        ]
        if not children:
            return None
        node = children[0]
    return node


def keys_at(path: KeyPath) -> list[str]:
    """Return the keys of the section at `path`; empty if any key is allowed or it is not a section."""
    node = node_at(path)
    return [] if node is None else [key for branch in branches(node) for key in branch.get("properties", {})]


def is_section(node: SchemaNode) -> bool:
    """Return whether the value must be a mapping."""
    return all(branch.get("type") == "object" for branch in branches(node))


def is_text(node: SchemaNode) -> bool:
    """Return whether the value must be free text or null."""
    not_null = [branch for branch in branches(node) if branch.get("type") != "null"]
    return all(branch.get("type") == "string" and "enum" not in branch for branch in not_null)


def allows_type(node: SchemaNode, json_type: str) -> bool:
    """Return whether a value of this JSON type is allowed."""
    return any(branch.get("type") == json_type for branch in branches(node))


def enumerated_values(node: SchemaNode) -> list[str]:
    """Return the values to choose from; empty if the value is free."""
    return [word for branch in branches(node) for word in _enumerated(branch)]


def describe(node: SchemaNode) -> str:
    """Return a description of the allowed values, such as `an integer of at least 1, or null`."""
    parts = list(dict.fromkeys(_describe_branch(branch) for branch in branches(node)))
    if "a number" in parts:
        parts = [part for part in parts if part != "an integer"]
    if parts[-1:] == ["null"] and len(parts) > 1:
        return f"{' or '.join(parts[:-1])}, or null"
    return " or ".join(parts)


def _child(branch: SchemaNode, part: str | int) -> SchemaNode | None:
    if isinstance(part, int):
        return branch.get("items")
    child = branch.get("properties", {}).get(part)
    if child is None and isinstance(branch.get("additionalProperties"), dict):
        return branch["additionalProperties"]
    return child


def _enumerated(branch: SchemaNode) -> tuple[str, ...]:
    constant = (branch["const"],) if "const" in branch else ()
    return (*branch.get("enum", ()), *constant)


def _describe_branch(branch: SchemaNode) -> str:
    if words := _enumerated(branch):
        return ("one of " if len(words) > 1 else "") + ", ".join(map(repr, words))
    json_type = branch.get("type")
    if json_type in ("integer", "number"):
        return ("an integer" if json_type == "integer" else "a number") + _describe_range(branch)
    if json_type == "string":
        return f"text that matches {branch['pattern']}" if "pattern" in branch else "text"
    if json_type == "array":
        entries = describe(branch["items"]) if "items" in branch else "values"
        return "a list of text" if entries == "text" else f"a list, each entry {entries}"
    return {"boolean": "true or false", "object": "a mapping of keys", "null": "null"}.get(
        str(json_type), "a value"
    )


def _describe_range(branch: SchemaNode) -> str:
    bounds = (
        ("minimum", "of at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    )
    parts = [f"{words} {branch[key]:g}" for key, words in bounds if key in branch]
    return f" {' and '.join(parts)}" if parts else ""
