"""Windows, on which Paracosm does not run: it locks runs, and ends on signals, as POSIX systems do."""

import sys

UNSUPPORTED = "Paracosm runs on Linux and macOS; on Windows, install it in WSL 2: https://learn.microsoft.com/windows/wsl"


def is_windows() -> bool:
    """Return whether this is Python for Windows; in WSL it is Python for Linux."""
    return sys.platform == "win32"
