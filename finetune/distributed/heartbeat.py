"""Heartbeat of a distributed job: every rank reports regularly, and exits when another rank stops reporting.

torch's launcher and collective operations notice a process that dies on the same machine, but wait up to their time limit
for a rank that hangs (with gloo, without naming it) or whose machine is gone. Here the leader watches all ranks and they
watch the leader. A rank that fails leaves the reason in the store, for the others to report.
"""

import os
import socket
import sys
import threading
import time
from typing import TYPE_CHECKING

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.process.exit_codes import USER_ERROR
from paracosm.recipes.run.stage_main import HELD_BACK, speaks_first

if TYPE_CHECKING:
    from torch.distributed import Store  # type: ignore[attr-defined]  # documented, but not marked as exported

PATIENCE = "PARACOSM_PATIENCE"
"""Environment variable: seconds without a heartbeat after which a process counts as dead."""
DEFAULT_PATIENCE = 120
MIN_BEATS = 20
"""Minimum number of heartbeats within that time."""
MAX_INTERVAL = 2.0
"""Maximum number of seconds between two heartbeats, so that a reported failure is noticed soon."""
FINISHED = b"finished"
FAILURE = "failure"


def patience() -> float:
    """Return the number of seconds without a heartbeat after which a process counts as dead.

    Raises:
        RecipeError: the environment variable is not a positive number.
    """
    value = os.environ.get(PATIENCE, str(DEFAULT_PATIENCE))
    try:
        seconds = float(value)
    except ValueError:
        seconds = 0.0
    if not 0 < seconds < float("inf"):
        raise RecipeError(f"{PATIENCE}: must be a number of seconds above 0; got {value!r}")
    return seconds


class Heartbeat:
    """Sends and watches heartbeats in a background thread.

    Time is counted in heartbeats of this process rather than on a clock, so that no rank counts as dead after the whole
    launch was stopped and continued.

    Attributes:
        store: key-value store of the launch.
        rank: of this process.
        world: number of processes.
        interval: seconds between two heartbeats.
        watched: ranks that this process watches.
    """

    def __init__(self, store: "Store", rank: int, world: int) -> None:
        self.store = store
        self.rank = rank
        self.world = world
        self.patience = patience()
        self.interval = max(min(self.patience / MIN_BEATS, MAX_INTERVAL), 0.1)
        self.watched = range(1, world) if rank == 0 else range(1)
        self.ended = threading.Event()
        self.thread = threading.Thread(target=self._beat, name="heartbeat", daemon=True)

    def start(self) -> None:
        """Start to send and watch heartbeats."""
        self.store.set(f"name/{self.rank}", f"on {socket.gethostname()}, pid {os.getpid()}")
        self.thread.start()

    def leave(self) -> None:
        """Report that this process has finished its work."""
        self._stop_thread()
        self.store.set(f"beat/{self.rank}", FINISHED.decode())
        if self.rank == 0:
            # The store may run in this process, so the others have to finish first.
            deadline = time.monotonic() + HELD_BACK
            while time.monotonic() < deadline and not all(map(self._has_finished, self.watched)):
                time.sleep(0.02)

    def _has_finished(self, other: int) -> bool:
        key = f"beat/{other}"
        return self.store.check([key]) and self.store.get(key) == FINISHED

    def stop(self, why: str) -> None:
        """Report why this process fails, so that the others stop too."""
        self._stop_thread()
        try:
            self.store.set(FAILURE, f"{self._name(self.rank)} stopped: {' '.join(why.split())}")
        except RuntimeError:
            # The store is gone, which the others notice too.
            return

    def _stop_thread(self) -> None:
        self.ended.set()
        self.thread.join(timeout=self.interval + 1)

    def _beat(self) -> None:
        last_beats: dict[int, bytes] = {}
        silent = dict.fromkeys(self.watched, 0)
        number = 0
        while not self.ended.wait(self.interval):
            number += 1
            try:
                self.store.set(f"beat/{self.rank}", str(number))
                if self.store.check([FAILURE]):
                    self._exit(self.store.get(FAILURE).decode())
                for other in self.watched:
                    beat = self.store.get(f"beat/{other}") if self.store.check([f"beat/{other}"]) else b""
                    silent[other] = silent[other] + 1 if beat == last_beats.get(other, b"") else 0
                    last_beats[other] = beat
                    if beat != FINISHED and silent[other] * self.interval >= self.patience:
                        self._exit(
                            f"{self._name(other)} has not been heard of for {self.patience:g} s: it hangs, or its machine is"
                            f" gone; the same command resumes, and {PATIENCE}=SECONDS waits longer"
                        )
            except RuntimeError:
                if not self.ended.is_set():
                    self._exit(
                        f"process {self.rank} of {self.world} (on {socket.gethostname()}, pid {os.getpid()}) lost the"
                        " connection to the first machine of the launch; the same command resumes"
                    )

    def _name(self, rank: int) -> str:
        """Return rank, host and process id of a process, for messages."""
        key = f"name/{rank}"
        location = self.store.get(key).decode() if self.store.check([key]) else "never seen"
        return f"process {rank} of {self.world} ({location})"

    def _exit(self, why: str) -> None:
        """Print the reason, once per machine, and exit at once, because the main thread may hang in a collective operation."""
        if not speaks_first():
            time.sleep(HELD_BACK)
        if self.ended.is_set():
            return
        print(f"error: {why}", file=sys.stderr, flush=True)
        os._exit(USER_ERROR)
