"""OpenMP threads: how they wait for each other."""

import os


def wait_passively() -> None:
    """Let waiting OpenMP threads sleep instead of spin, unless OMP_WAIT_POLICY is set.

    A spinning thread takes a core from the thread that it waits for, which makes training on shared machines several times
    slower. OpenMP reads the variable when torch is first imported, so programs call this before.
    """
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
