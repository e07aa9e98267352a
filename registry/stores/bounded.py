"""A store on a server whose answers take bounded time, so that a server that sends one byte a second is one line and no hang."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from paracosm.foundation.errors import RegistryError
from paracosm.foundation.process.deadline import within
from paracosm.registry.stores.store import Store
from paracosm.registry.versions.manifest import Version
from paracosm.registry.versions.release import Release

LOOK_UP = 15.0
"""Seconds for the names, the numbers or the manifest of versions; a server answers such requests in less than one."""
SLOWEST = 20_000
"""Bytes per second below which a download counts as stuck: 160 kbit/s."""

Result = TypeVar("Result")


@dataclass(frozen=True)
class Bounded:
    """Another store, with a bound on the time of what is read from it.

    What changes the server runs to its end, because it must be cleaned up after an error; before it, the server has to show
    that it answers.
    """

    store: Store

    @property
    def location(self) -> str:
        return self.store.location

    def reference(self, name: str) -> str:
        return self.store.reference(name)

    def add(self, release: Release) -> Version:
        self.names()
        return self.store.add(release)

    def names(self) -> list[str]:
        return self._within(LOOK_UP, self.store.names)

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        return self._within(LOOK_UP, lambda: self.store.numbers(name))

    def version(self, name: str, number: int) -> Version:
        return self._within(LOOK_UP, lambda: self.store.version(name, number))

    def fetch(self, version: Version, into: Path) -> None:
        seconds = LOOK_UP + version.size / SLOWEST
        self._within(seconds, lambda: self.store.fetch(version, into))

    def promote(self, version: Version, alias: str) -> None:
        self.store.promote(version, alias)

    def remove(self, version: Version) -> None:
        self.store.remove(version)

    def _within(self, seconds: float, work: Callable[[], Result]) -> Result:
        try:
            return within(seconds, work)
        except TimeoutError as error:
            raise RegistryError(
                f"{self.location}: the server does not finish its answer within {seconds:.0f} seconds"
            ) from error
