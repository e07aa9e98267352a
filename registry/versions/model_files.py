"""Checks of the model in a folder: an adapter, a full model, fitted statistics or what prompts tell, complete and finite."""

import json
from collections.abc import Collection, Iterable
from pathlib import Path

from paracosm.finetune.models.adapter_files import check_adapter
from paracosm.finetune.models.trained_model import ADAPTER, FULL_MODEL
from paracosm.finetune.models.weight_files import check_finite, weight_files
from paracosm.foundation.errors import ModelError, RegistryError
from paracosm.foundation.json_files import read_json
from paracosm.generate.prompting.stored_material import MATERIAL, load_material
from paracosm.generate.statistics.stored_chain import COLUMNS, SETTINGS, load_chain
from paracosm.generate.statistics.stored_chain import FILES as STATISTICS
from paracosm.registry.versions.manifest import DOMAIN


def check_model(folder: Path, names: Collection[str], trained_weights: int | None) -> None:
    """Check an adapter, a full model, or fitted statistics: all tensors, in their shapes, with finite values.

    Args:
        folder: holds the files.
        names: files of the version or the run in this folder.
        trained_weights: number of weights of an adapter that training reported; None if it is not known.

    Raises:
        RegistryError: a tensor is missing, does not belong there, has another shape, or holds NaN or infinite values.
    """
    if MATERIAL in names:
        _check_material(folder, names)
    if SETTINGS in names:
        _check_statistics(folder, names)
    if {MATERIAL, SETTINGS}.intersection(names):
        return
    full = FULL_MODEL in names
    if full and any(name in names for name in ADAPTER):
        raise RegistryError(f"{folder}: holds both an adapter and a full model; one of them is allowed")
    try:
        files = weight_files(folder) if full else [folder / ADAPTER[0]]
        weights = {name for name in names if name.endswith(".safetensors") and "/" not in name} - set(COLUMNS)
        if set(COLUMNS).intersection(names):
            load_chain(folder, COLUMNS)
        if unused := weights - {path.name for path in files}:
            raise RegistryError(f"{folder}: holds {listed(unused)}, which is not part of its model")
        if full:
            for path in files:
                check_finite(path)
        else:
            check_adapter(folder, trained_weights=trained_weights)
        _check_domain(folder, names)
    except ModelError as error:
        raise RegistryError(str(error)) from error


def _check_domain(folder: Path, names: Collection[str]) -> None:
    """Check the weights of the domain that an adapter stands on, where there are some.

    Raises:
        ModelError: they are not a complete adapter or model with finite values.
    """
    inside = {name.removeprefix(f"{DOMAIN}/") for name in names if name.startswith(f"{DOMAIN}/")}
    if not inside:
        return
    if FULL_MODEL in inside:
        for path in weight_files(folder / DOMAIN):
            check_finite(path)
    else:
        check_adapter(folder / DOMAIN)


def _check_material(folder: Path, names: Collection[str]) -> None:
    """Check that what prompts tell can be read, and that no weights of a model lie beside it."""
    weights = {name for name in names if name.endswith(".safetensors") and "/" not in name}
    if beside := weights - set(STATISTICS):
        raise RegistryError(
            f"{folder}: holds {listed(beside)} beside prompts; no language model belongs there"
        )
    try:
        load_material(folder, read_json(folder / MATERIAL, ModelError).get("strategy", ""))
    except ModelError as error:
        raise RegistryError(str(error)) from error


def _check_statistics(folder: Path, names: Collection[str]) -> None:
    """Check that fitted statistics can be read, and that no weights of a model lie beside them."""
    weights = {name for name in names if name.endswith(".safetensors") and "/" not in name}
    if beside := weights - set(STATISTICS):
        raise RegistryError(f"{folder}: holds {listed(beside)} beside statistics; one model is allowed")
    try:
        load_chain(folder)
    except ModelError as error:
        raise RegistryError(str(error)) from error


def reported_weights(provenance: Path) -> int | None:
    """Return the number of weights that training reported; None if the version does not state it."""
    plain = json.loads(provenance.read_text(encoding="utf-8"))
    training = plain.get("training") if isinstance(plain, dict) else None
    count = training.get("trained_weights") if isinstance(training, dict) else None
    return count if isinstance(count, int) else None


def listed(names: Iterable[str]) -> str:
    shown = sorted(name if name.isprintable() else repr(name) for name in names)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")
