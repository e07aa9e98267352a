"""Deterministic randomness for DP-SGD: Poisson sampling and Gaussian noise derived from a secret key and the step index.

The secret comes from the operating system when a training begins. It stays in the run directory, because anyone who
has it can subtract the noise. A resumed training repeats the draws of the interrupted one, so no step is drawn twice
with different noise, and the accountant counts each step once.
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
"""File of the secret, in the folder of checkpoints."""
BYTES = 32
MAC_BYTES = 32
DRAWS_PER_NOISE = 4


class SecretRng:
    """Random numbers from keyed hashes: without the secret, no draw reveals anything about another.

    Sampling and noise use no seeded generator, because torch's CPU generator keeps 32 bits of its seed, few enough to
    search.
    """

    def __init__(self, secret: bytes) -> None:
        self.secret = secret

    @classmethod
    def create(cls, folder: Path) -> Self:
        """Draw a new secret and write it to `folder`, readable by its owner only."""
        secret = secrets.token_bytes(BYTES)
        with replacing(folder / SECRET) as partial:
            handle = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(handle, "wb") as file:
                file.write(secret)
        return cls(secret)

    @classmethod
    def load(cls, folder: Path) -> Self | None:
        """Return the generator of a training that began in `folder`, or None."""
        try:
            secret = (folder / SECRET).read_bytes()
        except FileNotFoundError:
            return None
        return cls(secret) if len(secret) == BYTES else None

    def mac(self, content: bytes) -> bytes:
        """Return a digest of a checkpoint that only this secret gives."""
        return hashlib.blake2b(content, key=self.secret, digest_size=MAC_BYTES).digest()

    def seed(self, purpose: str, step: int = 0) -> int:
        """Return a 63-bit seed for one purpose in one step."""
        digest = hashlib.blake2b(f"{purpose}/{step}".encode(), key=self.secret, digest_size=8).digest()
        return int.from_bytes(digest, "big") >> 1

    def uniforms(self, purpose: str, count: int) -> NDArray[np.float64]:
        """Return uniform numbers strictly between 0 and 1: odd multiples of 2^-53, from SHAKE256 of secret and purpose."""
        stream = hashlib.shake_256(self.secret + purpose.encode()).digest(8 * count)
        return ((np.frombuffer(stream, "<u8") >> 12).astype(np.float64) + 0.5) * 2.0**-52

    def poisson_sample(self, step: int, units: Sequence[Sequence[int]], rate: float) -> list[int]:
        """Return the record indices of one step.

        Args:
            step: its index, from 0.
            units: record indices of each privacy unit.
            rate: probability of each unit to be sampled, independently of the others; one of its records is then drawn.
        """
        sampled = np.flatnonzero(self.uniforms(f"coins/{step}", len(units)) < rate).tolist()
        which = self.uniforms(f"choice/{step}", len(units)).tolist()
        return [units[unit][int(which[unit] * len(units[unit]))] for unit in sampled]

    def noise(self, step: int, parameter: int, size: Sequence[int]) -> torch.Tensor:
        """Return standard normal noise in float64 for one trained tensor.

        It is the sum of four draws divided by two, so that the spacing of floating-point numbers does not reveal a draw
        (Holohan & Braghin 2021, section 5.1; Opacus's secure mode does the same).

        Args:
            step: its index, from 0.
            parameter: index of the tensor among the trained ones.
            size: of the tensor.
        """
        draws = self.uniforms(f"noise/{step}/{parameter}", DRAWS_PER_NOISE * math.prod(size))
        normal = ndtri(draws).reshape(DRAWS_PER_NOISE, *size)
        return torch.from_numpy(normal.sum(axis=0) / math.sqrt(DRAWS_PER_NOISE))
