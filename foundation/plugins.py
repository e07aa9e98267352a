"""Plug-ins: objects that other installed packages add through an entry-point group."""

from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import EntryPoint, entry_points
from typing import Generic, TypeVar

from paracosm.foundation.errors import PluginError

T = TypeVar("T")


@dataclass(frozen=True)
class Plugin(Generic[T]):
    """One object of an entry-point group.

    Attributes:
        origin: entry point and distribution, for error messages.
        value: the loaded object.
    """

    origin: str
    value: T


def load_plugins(group: str, expected: type[T]) -> Iterator[Plugin[T]]:
    """Load every entry point of a group, in the order of their names.

    Args:
        group: name of the entry-point group, for example `paracosm.stores`.
        expected: class of the objects; an entry point names one, or a list or tuple of them.

    Yields:
        The loaded objects with their origin.

    Raises:
        PluginError: an entry point cannot be imported, or names an object of another class.
    """
    for entry_point in sorted(entry_points(group=group), key=lambda point: (point.name, point.value)):
        origin = _origin(entry_point)
        try:
            value = entry_point.load()
        except Exception as error:  # the module of a plug-in may raise anything when it is imported
            raise PluginError(
                f"{origin}: cannot be loaded ({type(error).__name__}: {_one_line(error)}); fix or uninstall that package"
            ) from error
        objects = value if isinstance(value, list | tuple) else (value,)
        for plugin in objects or (value,):
            if not isinstance(plugin, expected):
                raise PluginError(
                    f"{origin}: {entry_point.value} is of type {type(plugin).__name__}; the group {group!r} expects a {expected.__name__}"
                )
            yield Plugin(origin, plugin)


def _origin(entry_point: EntryPoint) -> str:
    package = entry_point.dist.name if entry_point.dist is not None else "an unknown package"
    return f"plug-in {entry_point.name!r} of {package}"


def _one_line(error: Exception) -> str:
    return " ".join("".join(filter(str.isprintable, line)) for line in str(error).splitlines())[:200]
