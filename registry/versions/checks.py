"""Checks the folder of a version against its manifest, its metrics and its card, before anything is loaded from it."""

import json
import re
from collections.abc import Collection, Iterable
from pathlib import Path
from typing import Any

from paracosm.eval.gates.ruling import verdict as verdict_of
from paracosm.eval.gates.verdicts import by_question, question_state
from paracosm.eval.results.evaluation_file import read_evaluation
from paracosm.finetune.models.adapter_files import check_adapter
from paracosm.finetune.models.pretrained import foreign_code
from paracosm.finetune.models.trained_model import ADAPTER, FULL_MODEL
from paracosm.finetune.models.weight_files import INDEX, SINGLE, check_finite, weight_files
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import ModelError, RecipeError, RegistryError
from paracosm.foundation.json_files import read_json
from paracosm.generate.prompting.stored_material import MATERIAL, load_material
from paracosm.generate.statistics.stored_chain import COLUMNS, SETTINGS, load_chain
from paracosm.generate.statistics.stored_chain import FILES as STATISTICS
from paracosm.recipes.loading.yaml_source import read_document
from paracosm.registry.versions.manifest import (
    BESIDE,
    DOMAIN,
    LARGEST_TEXT,
    OF_MODEL,
    RECORDS,
    REQUIRED,
    Version,
    check_regular,
    names_in,
    of_records,
)
from paracosm.registry.versions.page import check_page
from paracosm.registry.versions.verdict import recomputed_verdict

FRONT_MATTER = re.compile(r"\A---\r?\n(.{0,1000000}?)\r?\n---\s", re.DOTALL)
EXECUTABLES = {
    b"#!/": "a script",
    b"#! /": "a script",
    b"\x7fELF": "a program",
    b"MZ\x90\x00": "a program",
    b"\xcf\xfa\xed\xfe": "a program",
    b"PK\x03\x04": "an archive or a pickle",
    b"\x1f\x8b": "an archive",
    b"\x80\x02": "a pickle",
    b"\x80\x03": "a pickle",
    b"\x80\x04": "a pickle",
    b"\x80\x05": "a pickle",
    b"\x00asm": "a program",
}
"""First bytes of files that can run code, by what they are; no text and no tokenizer model begins with them."""
EXECUTABLE_HEAD = 8
OVERRIDDEN = "gate-overridden"
"""Tag on the card of a version that was published against its verdict."""


def check_version(version: Version) -> None:
    """Check every file of a version against its manifest, then its verdict and its card.

    Raises:
        RegistryError: a file is missing, added, changed, a link, or does not have the format that its name states; or
            the verdict does not follow from the metrics of the version.
    """
    folder = version.folder
    present = names_in(folder) - set(BESIDE)
    check_complete(version, where=str(folder))
    if missing := set(version.files) - present:
        raise RegistryError(f"{folder}: lacks {_listed(missing)}")
    if added := present - set(version.files):
        raise RegistryError(f"{folder}: holds {_listed(added)}, which its manifest does not list")
    for name, entry in version.files.items():
        path = folder / name
        check_regular(path, largest=entry.bytes)
        if path.stat().st_size != entry.bytes or file_digest(path) != entry.sha256:
            raise RegistryError(
                f"{path}: differs from its manifest; the version is damaged or was tampered with"
            )
        check_content(path)
    if version.holds_adapter:
        check_model(folder, version.files, _trained_weights(folder / "provenance.json"))
    check_verdict(version)
    check_card(version)


def check_complete(version: Version, *, where: str) -> None:
    """Check that the manifest lists every file that a version needs.

    Raises:
        RegistryError: a file is missing in the manifest.
    """
    names = set(version.files)
    full = FULL_MODEL in names and any(name in names for name in (SINGLE, INDEX))
    of_language = (*OF_MODEL, *(() if full else ADAPTER))
    model = of_language
    if MATERIAL in names:
        model = ("schema.json", MATERIAL)
    elif SETTINGS in names:
        model = ("schema.json", *STATISTICS)
    model = model if version.holds_adapter else ()
    if missing := {*REQUIRED, *model, *((RECORDS,) if version.what == "records" else ())} - names:
        raise RegistryError(f"{where}: lacks {_listed(missing)}")
    if not version.holds_adapter and (added := {name for name in names if not of_records(name)}):
        raise RegistryError(f"{where}: holds {_listed(added)}, but releases records alone")
    if version.what == "adapter" and RECORDS in names:
        raise RegistryError(f"{where}: holds {RECORDS}, but releases the adapter alone")


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
            raise RegistryError(f"{folder}: holds {_listed(unused)}, which is not part of its model")
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
            f"{folder}: holds {_listed(beside)} beside prompts; no language model belongs there"
        )
    try:
        load_material(folder, read_json(folder / MATERIAL, ModelError).get("strategy", ""))
    except ModelError as error:
        raise RegistryError(str(error)) from error


def _check_statistics(folder: Path, names: Collection[str]) -> None:
    """Check that fitted statistics can be read, and that no weights of a model lie beside them."""
    weights = {name for name in names if name.endswith(".safetensors") and "/" not in name}
    if beside := weights - set(STATISTICS):
        raise RegistryError(f"{folder}: holds {_listed(beside)} beside statistics; one model is allowed")
    try:
        load_chain(folder)
    except ModelError as error:
        raise RegistryError(str(error)) from error


def _trained_weights(provenance: Path) -> int | None:
    """Return the number of weights that training reported; None if the version does not state it."""
    plain = json.loads(provenance.read_text(encoding="utf-8"))
    training = plain.get("training") if isinstance(plain, dict) else None
    count = training.get("trained_weights") if isinstance(training, dict) else None
    return count if isinstance(count, int) else None


def _listed(names: Iterable[str]) -> str:
    shown = sorted(name if name.isprintable() else repr(name) for name in names)
    return ", ".join(shown[:5]) + (f" and {len(shown) - 5} more" if len(shown) > 5 else "")


def check_content(path: Path) -> None:
    """Check that a file has the format that its name states, and does not ask for foreign code. Nothing is run.

    Raises:
        RegistryError: it does not.
    """
    try:
        if path.suffix == ".safetensors":
            _read_tensor_names(path)
        elif path.suffix == ".json":
            check_regular(path, largest=LARGEST_TEXT)
            content = json.loads(path.read_text(encoding="utf-8"))
            if path.name.endswith("config.json"):
                _check_configuration(path, content)
        elif path.suffix == ".parquet":
            _check_ends(path, b"PAR1", b"PAR1")
        elif path.suffix == ".png":
            _check_ends(path, b"\x89PNG\r\n\x1a\n", b"IEND\xaeB`\x82")
        elif path.suffix == ".html":
            check_regular(path, largest=LARGEST_TEXT)
            check_page(path)
        else:
            _check_not_executable(path)
    except (ValueError, RecursionError) as error:
        raise RegistryError(f"{path}: is not a valid {path.suffix[1:]} file ({error})") from error


def _check_configuration(path: Path, content: Any) -> None:
    if not isinstance(content, dict):
        raise ValueError("it is not an object")
    if key := foreign_code(content):
        raise RegistryError(
            f"{path}: asks to load code with the model ({key!r}); a version must not contain or name code"
        )


def _check_not_executable(path: Path) -> None:
    with path.open("rb") as file:
        first = file.read(EXECUTABLE_HEAD)
    if kind := next((kind for begin, kind in EXECUTABLES.items() if first.startswith(begin)), None):
        raise RegistryError(f"{path}: is {kind}; a version must not contain code")


def _read_tensor_names(path: Path) -> None:
    from safetensors import SafetensorError, safe_open

    try:
        with safe_open(path, framework="numpy") as tensors:
            tensors.keys()
    except SafetensorError as error:
        raise ValueError(error) from error


def _check_ends(path: Path, first: bytes, last: bytes) -> None:
    content = path.read_bytes()
    if not (content.startswith(first) and content.endswith(last)):
        raise ValueError("its first or last bytes are wrong")


def check_verdict(version: Version) -> None:
    """Compare the verdict of the manifest with the recorded gates, and with gates that are evaluated again.

    The gates are evaluated on the published metrics, under the profile and the limits of the manifest.

    Raises:
        RegistryError: manifest, gates and metrics do not agree, or a verdict other than PASS has no override.
    """
    path = version.folder / "metrics.json"
    evaluation = read_evaluation(path, RegistryError)
    if evaluation.what != version.what:
        raise RegistryError(
            f"{version.folder}: claims to release {version.what}, but its metrics rule on {evaluation.what}"
        )
    recorded = verdict_of(evaluation.gates, evaluation.what)
    if recorded != version.verdict:
        raise RegistryError(
            f"{version.folder}: claims the verdict {version.verdict}, but its gates give {recorded}"
        )
    verdict = recomputed_verdict(
        evaluation,
        profile=version.profile,
        what=version.what,
        limits=version.limits,
        paracosm=version.paracosm,
        where=path,
    )
    if verdict != version.verdict:
        raise RegistryError(
            f"{version.folder}: claims the verdict {version.verdict}, but its metrics give {verdict}"
        )
    claimed = {each.question: each.state for each in evaluation.verdicts}
    states = {
        question: question_state(gates) for question, gates in by_question(evaluation.every_gate).items()
    }
    if claimed and claimed != states:
        raise RegistryError(f"{path}: states verdicts by question that its gates do not give")
    if verdict != "PASS" and not version.override:
        raise RegistryError(f"{version.folder}: has the verdict {verdict} and no override")


def check_card(version: Version) -> None:
    """Check that the tags of the card state the verdict of the manifest, and the override if there is one.

    Raises:
        RegistryError: a tag is missing or wrong.
    """
    path = version.folder / "README.md"
    check_regular(path, largest=LARGEST_TEXT)
    tags = front_matter(path.read_text(encoding="utf-8", errors="replace")).get("tags", [])
    tags = set(map(str, tags)) if isinstance(tags, list) else set()
    expected = {f"gate-{version.verdict.lower()}"} | ({OVERRIDDEN} if version.override else set())
    if {tag for tag in tags if tag.startswith("gate-")} != expected:
        raise RegistryError(
            f"{path}: is not tagged {' and '.join(sorted(expected))}, as its manifest requires"
        )


def front_matter(card: str) -> dict[str, Any]:
    """Return the YAML front matter of a card of unknown origin, or an empty mapping if it cannot be read."""
    match = FRONT_MATTER.match(card)
    try:
        front = read_document(match[1], "README.md").value if match else None
    except RecipeError:
        return {}
    return front if isinstance(front, dict) else {}
