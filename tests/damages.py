"""Kinds of damage to a file: torn, foreign, of another type, unreadable."""

import json
import random
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

NESTED = 100_000
HUGE = "9" * 5000


@dataclass(frozen=True)
class Damage:
    """One kind of damage.

    Attributes:
        name: in words.
        inflict: changes a file; returns whether the kind applies to it.
    """

    name: str
    inflict: Callable[[Path, random.Random], bool]


def _emptied(path: Path, _: random.Random) -> bool:
    path.write_bytes(b"")
    return True


def _halved(path: Path, _: random.Random) -> bool:
    content = path.read_bytes()
    path.write_bytes(content[: len(content) // 2])
    return len(content) > 1


def _last_byte_lost(path: Path, _: random.Random) -> bool:
    content = path.read_bytes()
    path.write_bytes(content[:-1])
    return len(content) > 1


def _foreign_bytes(path: Path, draw: random.Random) -> bool:
    path.write_bytes(draw.randbytes(max(64, path.stat().st_size)))
    return True


def _not_utf8(path: Path, _: random.Random) -> bool:
    path.write_bytes(b"\xff\xfe\x00" + path.read_bytes())
    return True


def _flipped(path: Path, draw: random.Random) -> bool:
    content = bytearray(path.read_bytes())
    for _ in range(3):
        content[draw.randrange(len(content))] ^= 1 << draw.randrange(8)
    path.write_bytes(content)
    return True


def _zeroed(path: Path, _: random.Random) -> bool:
    path.write_bytes(bytes(path.stat().st_size))
    return True


def _repeated(path: Path, _: random.Random) -> bool:
    path.write_bytes(path.read_bytes() * 2)
    return True


def _removed(path: Path, _: random.Random) -> bool:
    path.unlink()
    return True


def _folder(path: Path, _: random.Random) -> bool:
    path.unlink()
    path.mkdir()
    (path / "inside").write_text("x")
    return True


def _unreadable(path: Path, _: random.Random) -> bool:
    path.chmod(0)
    return True


def _link_loop(path: Path, _: random.Random) -> bool:
    path.unlink()
    path.symlink_to(path.name)
    return True


def _dangling_link(path: Path, _: random.Random) -> bool:
    path.unlink()
    path.symlink_to("nowhere")
    return True


def _of_another_file(path: Path, draw: random.Random) -> bool:
    others = sorted(each for each in path.parent.iterdir() if each.is_file() and each != path)
    if not others:
        return False
    path.write_bytes(draw.choice(others).read_bytes())
    return True


def _is_structured(path: Path) -> bool:
    return path.suffix in (".json", ".yaml")


def _replaced(change: Callable[[Any, random.Random], Any]) -> Callable[[Path, random.Random], bool]:
    """Return a damage to a JSON or YAML file: the content is read, changed and written."""

    def inflict(path: Path, draw: random.Random) -> bool:
        if not _is_structured(path):
            return False
        text = path.read_text()
        plain = json.loads(text) if path.suffix == ".json" else yaml.safe_load(text)
        changed = change(plain, draw)
        path.write_text(json.dumps(changed) if path.suffix == ".json" else yaml.safe_dump(changed))
        return True

    return inflict


def _one_value(value: Any) -> Callable[[Any, random.Random], Any]:
    """Return a change of one value, drawn among all of a document."""

    def change(plain: Any, draw: random.Random) -> Any:
        places: list[tuple[Any, Any]] = []
        waiting = [plain]
        while waiting:
            part = waiting.pop()
            items = (
                part.items() if isinstance(part, dict) else enumerate(part) if isinstance(part, list) else ()
            )
            for key, below in items:
                places.append((part, key))
                waiting.append(below)
        if not places:
            return value
        part, key = draw.choice(places)
        part[key] = value
        return plain

    return change


def _one_key_lost(plain: Any, draw: random.Random) -> Any:
    places: list[tuple[dict, str]] = []
    waiting = [plain]
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            places += [(part, key) for key in part]
            waiting += part.values()
        elif isinstance(part, list):
            waiting += part
    if places:
        part, key = draw.choice(places)
        del part[key]
    return plain


def _text(content: str) -> Callable[[Path, random.Random], bool]:
    """Return a damage that writes a text."""

    def inflict(path: Path, _: random.Random) -> bool:
        path.write_text(content)
        return _is_structured(path) or path.suffix == ".jsonl"

    return inflict


DAMAGES = (
    Damage("empty", _emptied),
    Damage("cut in half", _halved),
    Damage("last byte lost", _last_byte_lost),
    Damage("foreign bytes", _foreign_bytes),
    Damage("not UTF-8", _not_utf8),
    Damage("flipped bits", _flipped),
    Damage("zeros", _zeroed),
    Damage("twice", _repeated),
    Damage("removed", _removed),
    Damage("a folder", _folder),
    Damage("unreadable", _unreadable),
    Damage("link to itself", _link_loop),
    Damage("link to nothing", _dangling_link),
    Damage("another file", _of_another_file),
    Damage("a list", _text("[]")),
    Damage("an empty object", _text("{}")),
    Damage("null", _text("null")),
    Damage("deep nesting", _text("[" * NESTED)),
    Damage("huge number alone", _text(HUGE)),
    Damage("a value null", _replaced(_one_value(None))),
    Damage("a value list", _replaced(_one_value([[]]))),
    Damage("a value text", _replaced(_one_value("\x1b[31mx"))),
    Damage("a value NaN", _replaced(_one_value(float("nan")))),
    Damage("a value infinite", _replaced(_one_value(float("-inf")))),
    Damage("a value huge", _replaced(_one_value(10**400))),
    Damage("a value negative", _replaced(_one_value(-3))),
    Damage("a key lost", _replaced(_one_key_lost)),
)
"""Every kind of damage."""
