"""The chance of a private training: every coin and all noise, as functions of one secret and the number of the step.

The secret is drawn from the operating system when a training begins and stays in the run directory, because whoever has
it can take the noise away. A killed training that goes on draws what it would have drawn: no batch and no noise is drawn
twice, and the accountant counts each step once.
"""

import hashlib
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch

from paracosm.recipes.atomic import replacing

SECRET = "secret"
BYTES = 32


class Chance:
    """Draws by keyed hashing: without the secret, one draw tells nothing of another."""

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    @classmethod
    def begin(cls, folder: Path) -> Self:
        """Draw a new secret and keep it in `folder`, readable by its owner alone."""
        secret = secrets.token_bytes(BYTES)
        with replacing(folder / SECRET) as partial:
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secret)
        return cls(secret)

    @classmethod
    def kept(cls, folder: Path) -> Self | None:
        """Return the chance of a training that began in `folder`, or None."""
        try:
            secret = (folder / SECRET).read_bytes()
        except FileNotFoundError:
            return None
        return cls(secret) if len(secret) == BYTES else None

    def seed(self, what: str, step: int = 0) -> int:
        """Return a seed of 63 bits for one purpose in one step."""
        digest = hashlib.blake2b(f"{what}/{step}".encode(), key=self.secret, digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 1

    def sampled(self, step: int, units: Sequence[Sequence[int]], rate: float) -> list[int]:
        """Return the records of one step: every unit joins by a coin of its own, with one of its records at random."""
        digest = hashlib.blake2b(f"batch/{step}".encode(), key=self.secret, digest_size=32).digest()
        random = np.random.default_rng(int.from_bytes(digest, "big"))
        joined = np.flatnonzero(random.random(len(units)) < rate).tolist()
        which = random.random(len(units)).tolist()
        return [units[unit][int(which[unit] * len(units[unit]))] for unit in joined]

    def noise(self, step: int, device: torch.device) -> torch.Generator:
        """Return the source of one step's noise."""
        return torch.Generator(device=device).manual_seed(self.seed("noise", step))
