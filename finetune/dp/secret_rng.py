"""The chance of a private training: every coin and all noise, as functions of one secret and the number of the step.

The secret is drawn from the operating system when a training begins and stays in the run directory, because whoever has
it can take the noise away. A killed training that goes on draws what it would have drawn: no batch and no noise is drawn
twice, and the accountant counts each step once.
"""

import hashlib
import math
import os
import secrets
from collections.abc import Sequence
from pathlib import Path
from typing import Self

import numpy as np
import torch
from numpy.typing import NDArray
from scipy.special import ndtri

from paracosm.foundation.files import replacing

SECRET = "secret"
BYTES = 32
DRAWS_PER_NOISE = 4


class SecretRng:
    """Draws from hashes of the whole secret: without it, one draw tells nothing of another.

    No generator is seeded for coins and noise: torch's keeps 32 bits of a seed, so that its noise could be searched.
    """

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

    def uniforms(self, what: str, count: int) -> NDArray[np.float64]:
        """Return numbers strictly between 0 and 1: odd multiples of 2^-53, from SHAKE256 of the secret and a purpose."""
        stream = hashlib.shake_256(self.secret + what.encode()).digest(8 * count)
        return ((np.frombuffer(stream, "<u8") >> 12).astype(np.float64) + 0.5) * 2.0**-52

    def sampled(self, step: int, units: Sequence[Sequence[int]], rate: float) -> list[int]:
        """Return the records of one step: every unit joins by a coin of its own, with one of its records at random."""
        joined = np.flatnonzero(self.uniforms(f"coins/{step}", len(units)) < rate).tolist()
        which = self.uniforms(f"choice/{step}", len(units)).tolist()
        return [units[unit][int(which[unit] * len(units[unit]))] for unit in joined]

    def noise(self, step: int, place: int, size: Sequence[int]) -> torch.Tensor:
        """Return standard normal noise in float64 for the weights at one place among those that are trained.

        The sum of four draws over two, so that the spacing of floats does not give a draw away (Holohan & Braghin 2021,
        section 5.1; Opacus's secure mode does the same).
        """
        draws = self.uniforms(f"noise/{step}/{place}", DRAWS_PER_NOISE * math.prod(size))
        normal = ndtri(draws).reshape(DRAWS_PER_NOISE, *size)
        return torch.from_numpy(normal.sum(axis=0) / math.sqrt(DRAWS_PER_NOISE))
