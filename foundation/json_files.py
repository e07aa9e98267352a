"""Reading of JSON files that may be damaged, foreign or hostile."""

import json
from pathlib import Path
from typing import Any

from paracosm.foundation.errors import ParacosmError

LARGEST = 256 * 2**20
"""Bytes of the largest JSON file that is read; a codec of ten thousand categories takes about one megabyte."""


def read_json(path: Path, error: type[ParacosmError], *, advice: str = "") -> dict[str, Any]:
    """Return the JSON object of a file.

    Args:
        path: the file.
        error: class of the error to raise.
        advice: is appended to the message, such as `; run the stage again`.

    Raises:
        ParacosmError: of class `error`: the file is missing, too large, not UTF-8, not JSON, nested too deeply, or holds
            something other than an object.
    """
    try:
        if not path.is_file():
            raise error(f"{path}: {'is not a file' if path.exists() else 'is missing'}{advice}")
        if path.stat().st_size > LARGEST:
            raise error(f"{path}: is larger than {LARGEST // 2**20} MB, too large for a JSON file{advice}")
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as problem:
        raise error(f"{path}: cannot be read: {problem.strerror}{advice}") from problem
    except (ValueError, RecursionError) as problem:
        # The parser's message can hold text of the file, which may be private.
        why = "nested too deeply" if isinstance(problem, RecursionError) else "not valid JSON"
        raise error(f"{path}: is {why}{advice}") from problem
    if not isinstance(content, dict):
        raise error(f"{path}: is not a JSON object{advice}")
    return content
