"""The pulse of a launch: every process says at intervals that it lives, and ends when one of them does not.

Collective operations notice a process that died on this machine, and wait long for one that hangs or whose machine is
gone. The leader watches everybody, everybody watches the leader, and the first one to fail leaves its last words.
"""

import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.exit_codes import USER_ERROR
from paracosm.recipes.run.stage_main import HELD_BACK, speaks_first

if TYPE_CHECKING:
    from torch.distributed import Store  # type: ignore[attr-defined]  # documented, but not marked as exported

PATIENCE = "PARACOSM_PATIENCE"
"""Environment variable: seconds after which a silent process counts as dead."""
DEFAULT_PATIENCE = 120
BEATS = 20
"""How often a process says within that time that it lives, at least."""
SLOWEST = 2.0
"""Seconds between two beats at most, so that last words are heard soon."""
LEFT = b"left"
LAST_WORDS = "last words"


def patience() -> float:
    """Return after how many seconds a silent process counts as dead.

    Raises:
        RecipeError: the setting is no positive number.
    """
    given = os.environ.get(PATIENCE, str(DEFAULT_PATIENCE))
    try:
        seconds = float(given)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise RecipeError(f"{PATIENCE}: must be a number of seconds above 0; got {given!r}")
    return seconds


class Heartbeat:
    """Beats in a thread of its own, whatever the work does.

    Time is counted in beats of this process rather than on a clock, so that a launch which is stopped as a whole and goes
    on later does not take the others for dead.
    """

    def __init__(self, store: "Store", rank: int, world: int) -> None:
        self.store = store
        self.rank = rank
        self.world = world
        self.patience = patience()
        self.every = max(min(self.patience / BEATS, SLOWEST), 0.1)
        self.watched = range(1, world) if rank == 0 else range(1)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._beat, name="pulse", daemon=True)

    def start(self) -> None:
        """Begin to beat and to watch."""
        self.store.set(f"name/{self.rank}", f"on {socket.gethostname()}, pid {os.getpid()}")
        self.thread.start()

    def leave(self) -> None:
        """Say that this process has finished its work."""
        self._end()
        self.store.set(f"beat/{self.rank}", LEFT.decode())
        if self.rank == 0:
            # It may be this process that keeps the store.
            deadline = time.monotonic() + HELD_BACK
            while time.monotonic() < deadline and not all(map(self._has_left, self.watched)):
                time.sleep(0.02)

    def _has_left(self, other: int) -> bool:
        key = f"beat/{other}"
        return self.store.check([key]) and self.store.get(key) == LEFT

    def stop(self, why: str) -> None:
        """Leave last words for the others, which then stop too."""
        self._end()
        try:
            self.store.set(LAST_WORDS, f"{self._name(self.rank)} stopped: {' '.join(why.split())}")
        except RuntimeError:
            # The store went first; then the others know.
            return

    def _end(self) -> None:
        self.ended.set()
        self.thread.join(timeout=self.every + 1)

    def _beat(self) -> None:
        heard: dict[int, bytes] = {}
        silent = dict.fromkeys(self.watched, 0)
        number = 0
        while not self.ended.wait(self.every):
            number += 1
            try:
                self.store.set(f"beat/{self.rank}", str(number))
                if self.store.check([LAST_WORDS]):
                    self._give_up(self.store.get(LAST_WORDS).decode())
                for other in self.watched:
                    beat = self.store.get(f"beat/{other}") if self.store.check([f"beat/{other}"]) else b""
                    silent[other] = silent[other] + 1 if beat == heard.get(other, b"") else 0
                    heard[other] = beat
                    if beat != LEFT and silent[other] * self.every >= self.patience:
                        self._give_up(
                            f"{self._name(other)} has not been heard of for {self.patience:g} s: it hangs, or its machine is"
                            f" gone; the same command resumes, and {PATIENCE}=SECONDS waits longer"
                        )
            except RuntimeError:
                if not self.ended.is_set():
                    self._give_up(
                        f"process {self.rank} of {self.world} (on {socket.gethostname()}, pid {os.getpid()}) lost the"
                        " connection to the first machine of the launch; the same command resumes"
                    )

    def _name(self, rank: int) -> str:
        key = f"name/{rank}"
        where = self.store.get(key).decode() if self.store.check([key]) else "never seen"
        return f"process {rank} of {self.world} ({where})"

    def _give_up(self, why: str) -> None:
        """Say why, once on this machine, and end this process, which may hang in an operation that nothing else ends."""
        if not speaks_first():
            time.sleep(HELD_BACK)
        if self.ended.is_set():
            return
        print(f"error: {why}", file=sys.stderr, flush=True)
        os._exit(USER_ERROR)
