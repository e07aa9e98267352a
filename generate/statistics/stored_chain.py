"""The files of a fitted chain: `statistics.json` with fields and settings, `statistics.safetensors` with arrays of numbers.

Neither holds code, and reading them runs none.
"""

import json
from collections.abc import Mapping
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from paracosm.foundation.errors import ModelError
from paracosm.foundation.json_files import read_json
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.columns import Column
from paracosm.generate.statistics.conditionals import Fit, Restore
from paracosm.recipes.sections.statistical import Method, Statistical
from paracosm.records.schema.schema import Schema

SETTINGS, ARRAYS = "statistics.json", "statistics.safetensors"
FILES = (SETTINGS, ARRAYS)
COLUMNS = ("columns.json", "columns.safetensors")
"""The same files beside an adapter that writes the texts to the columns."""
FORMAT = 1
"""Version of `statistics.json`."""


def method_of(name: Method) -> tuple[Fit, Restore]:
    """Return what fits a method, and what reads it back."""
    module = import_module(f"paracosm.generate.statistics.{name}")
    return getattr(module, f"fit_{name}"), getattr(module, f"restore_{name}")


def save_chain(chain: Chain, settings: Statistical, folder: Path, files: tuple[str, str] = FILES) -> None:
    """Write a fitted chain into a folder that exists."""
    from safetensors.numpy import save_file

    arrays = {f"method.{name}": array for name, array in chain.conditionals.arrays().items()}
    for index, column in enumerate(chain.columns):
        arrays |= {f"column.{index}.{name}": array for name, array in column.arrays().items()}
    save_file({name: np.ascontiguousarray(array) for name, array in arrays.items()}, folder / files[1])
    plain = {
        "format": FORMAT,
        "settings": settings.model_dump(mode="json"),
        "schema": json.loads(chain.schema.to_json()),
        "columns": [column.to_plain() for column in chain.columns],
    }
    (folder / files[0]).write_text(json.dumps(plain, ensure_ascii=False, indent=1) + "\n", encoding="utf-8")


def load_chain(folder: Path, files: tuple[str, str] = FILES) -> Chain:
    """Return the chain that `save_chain` wrote.

    Raises:
        ModelError: a file is missing or damaged, or of another version of Paracosm.
    """
    from safetensors import SafetensorError
    from safetensors.numpy import load_file

    for name in files:
        if not (folder / name).is_file():
            raise ModelError(f"{folder / name}: is missing; run the finetune stage of the recipe again")
    stated, arrays = (folder / name for name in files)
    plain = read_json(stated, ModelError)
    if plain.get("format") != FORMAT:
        raise ModelError(
            f"{stated}: has format {plain.get('format')}; this version of paracosm reads format {FORMAT}"
        )
    try:
        return _chain(plain, load_file(arrays))
    except (KeyError, ValueError, TypeError, IndexError, SafetensorError) as error:
        raise ModelError(f"{folder}: the fitted statistics are damaged ({error})") from error
    except ModelError as error:
        raise ModelError(f"{arrays}: {error}") from error


def _chain(plain: Mapping[str, Any], arrays: Mapping[str, np.ndarray]) -> Chain:
    settings = Statistical.model_validate(plain["settings"])
    schema = Schema.from_json(json.dumps(plain["schema"]))
    columns = []
    for index, field in enumerate(schema.modelled):
        held = {name: arrays[f"column.{index}.{name}"] for name in ("low", "high", "counts")}
        columns.append(Column.from_arrays(field, plain["columns"][index], held))
    _, restore = method_of(settings.method)
    begin = "method."
    fitted = {name.removeprefix(begin): array for name, array in arrays.items() if name.startswith(begin)}
    return Chain(schema, columns, restore(columns, fitted, settings))
