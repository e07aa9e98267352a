"""Write docs/cli.md, the help text of every command.

python docs/cli_help.py           writes the page
python docs/cli_help.py --check   exits with 1 if the page is stale
"""

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from typer.main import get_command

from paracosm.cli.app import app

PAGE = Path(__file__).with_name("cli.md")
WIDTH = 80
OPENING = """\
# Command line

The output of `paracosm COMMAND --help`. `python docs/cli_help.py` generates this page.
"""


def page() -> str:
    """Return the page as Markdown."""
    sections = [f"## {path}\n\n```text\n{text}\n```\n" for path, text in helps(get_command(app), "paracosm")]
    return "\n".join([OPENING, *sections])


def helps(command: Any, path: str) -> Iterator[tuple[str, str]]:
    """Yield the full name and the help text of a command and of all commands below it."""
    context = command.make_context(path, [], resilient_parsing=True, terminal_width=WIDTH)
    yield path, command.get_help(context).strip()
    for name, child in getattr(command, "commands", {}).items():
        yield from helps(child, f"{path} {name}")


def main() -> int:
    """Write or check the page; return the exit code."""
    parser = argparse.ArgumentParser(description="Write docs/cli.md.")
    parser.add_argument("--check", action="store_true", help="only check that the page is up to date")
    text = page()
    if not parser.parse_args().check:
        PAGE.write_text(text, encoding="utf-8")
    elif not PAGE.is_file() or PAGE.read_text(encoding="utf-8") != text:
        print(f"{PAGE}: is stale; run: python docs/cli_help.py", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
