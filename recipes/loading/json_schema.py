"""What a recipe's key may hold, in words, read from the recipe's JSON Schema."""

from functools import cache
from typing import Any

from paracosm.recipes.recipe import Recipe

Node = dict[str, Any]


@cache
def recipe_schema() -> Node:
    """Return the JSON Schema of a recipe, as pydantic states it."""
    return Recipe.model_json_schema()


def branches(node: Node) -> list[Node]:
    """Return the alternatives of a schema node, with references followed."""
    if "$ref" in node:
        return branches(recipe_schema()["$defs"][node["$ref"].rpartition("/")[2]])
    if "anyOf" in node:
        return [branch for each in node["anyOf"] for branch in branches(each)]
    return [node]


def node_at(path: tuple[str | int, ...]) -> Node | None:
    """Return the schema node of a path of keys and list places, or None when the recipe has no such key."""
    node: Node = recipe_schema()
    for part in path:
        children = [
            child for child in (_child(branch, part) for branch in branches(node)) if child is not None
        ]
        if not children:
            return None
        node = children[0]
    return node


def keys_at(path: tuple[str | int, ...]) -> list[str]:
    """Return the keys that the section at `path` takes (none when it takes any, or is no section)."""
    node = node_at(path)
    return [] if node is None else [key for branch in branches(node) for key in branch.get("properties", {})]


def is_section(node: Node) -> bool:
    """Return whether only a mapping may stand here."""
    return all(branch.get("type") == "object" for branch in branches(node))


def is_text(node: Node) -> bool:
    """Return whether only free text, or null, may stand here."""
    found = [branch for branch in branches(node) if branch.get("type") != "null"]
    return all(branch.get("type") == "string" and "enum" not in branch for branch in found)


def takes(node: Node, kind: str) -> bool:
    """Return whether a value of the JSON type `kind` may stand here."""
    return any(branch.get("type") == kind for branch in branches(node))


def choices(node: Node) -> list[str]:
    """Return the words from which a value must be chosen (none when it is free)."""
    return [word for branch in branches(node) for word in (*branch.get("enum", ()), *_constant(branch))]


def in_words(node: Node) -> str:
    """Return what is allowed, such as `an integer of at least 1, or null`."""
    told = list(dict.fromkeys(_branch_in_words(branch) for branch in branches(node)))
    if "a number" in told:
        told = [word for word in told if word != "an integer"]
    if told[-1:] == ["null"] and len(told) > 1:
        return f"{' or '.join(told[:-1])}, or null"
    return " or ".join(told)


def _child(branch: Node, part: str | int) -> Node | None:
    if isinstance(part, int):
        return branch.get("items")
    found = branch.get("properties", {}).get(part)
    if found is None and isinstance(branch.get("additionalProperties"), dict):
        return branch["additionalProperties"]
    return found


def _constant(branch: Node) -> tuple[str, ...]:
    return (branch["const"],) if "const" in branch else ()


def _branch_in_words(branch: Node) -> str:
    words = (*branch.get("enum", ()), *_constant(branch))
    if words:
        return ("one of " if len(words) > 1 else "") + ", ".join(map(repr, words))
    kind = branch.get("type")
    if kind in ("integer", "number"):
        return ("an integer" if kind == "integer" else "a number") + _range(branch)
    if kind == "string":
        return f"text that matches {branch['pattern']}" if "pattern" in branch else "text"
    if kind == "array":
        entries = in_words(branch["items"]) if "items" in branch else "values"
        return f"a list ({entries} in each place)" if entries != "text" else "a list of text"
    return {"boolean": "true or false", "object": "a mapping of keys", "null": "null"}.get(
        str(kind), "a value"
    )


def _range(branch: Node) -> str:
    bounds = (
        ("minimum", "of at least"),
        ("exclusiveMinimum", "above"),
        ("maximum", "at most"),
        ("exclusiveMaximum", "below"),
    )
    told = [f"{words} {branch[key]:g}" for key, words in bounds if key in branch]
    return f" {' and '.join(told)}" if told else ""
