"""The `paracosm` command: one module per command or group of commands, with its options."""

import sys

from paracosm.foundation.process.windows import UNSUPPORTED, is_windows

if is_windows():
    # Here, because the modules of this package import what Windows does not have.
    print(f"error: {UNSUPPORTED}", file=sys.stderr)
    sys.exit(2)
