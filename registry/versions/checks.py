"""Checks the folder of a version against its manifest, its metrics and its card, before anything is loaded from it."""

import re
from typing import Any

from paracosm.eval.gates.ruling import verdict as verdict_of
from paracosm.eval.gates.verdicts import by_question, question_state
from paracosm.eval.results.evaluation_file import read_evaluation
from paracosm.finetune.models.trained_model import ADAPTER, FULL_MODEL
from paracosm.finetune.models.weight_files import INDEX, SINGLE
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import RecipeError, RegistryError
from paracosm.generate.prompting.stored_material import MATERIAL
from paracosm.generate.statistics.stored_chain import FILES as STATISTICS
from paracosm.generate.statistics.stored_chain import SETTINGS
from paracosm.recipes.loading.yaml_source import read_document
from paracosm.registry.versions.file_formats import check_content
from paracosm.registry.versions.manifest import (
    BESIDE,
    LARGEST_TEXT,
    OF_MODEL,
    RECORDS,
    REQUIRED,
    Version,
    check_regular,
    names_in,
    of_records,
)
from paracosm.registry.versions.model_files import check_model, listed, reported_weights
from paracosm.registry.versions.verdict import recomputed_verdict

FRONT_MATTER = re.compile(r"\A---\r?\n(.{0,1000000}?)\r?\n---\s", re.DOTALL)
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
        raise RegistryError(f"{folder}: lacks {listed(missing)}")
    if added := present - set(version.files):
        raise RegistryError(f"{folder}: holds {listed(added)}, which its manifest does not list")
    for name, entry in version.files.items():
        path = folder / name
        check_regular(path, largest=entry.bytes)
        if path.stat().st_size != entry.bytes or file_digest(path) != entry.sha256:
            raise RegistryError(
                f"{path}: differs from its manifest; the version is damaged or was tampered with"
            )
        check_content(path)
    if version.holds_adapter:
        check_model(folder, version.files, reported_weights(folder / "provenance.json"))
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
        raise RegistryError(f"{where}: lacks {listed(missing)}")
    if not version.holds_adapter and (added := {name for name in names if not of_records(name)}):
        raise RegistryError(f"{where}: holds {listed(added)}, but releases records alone")
    if version.what == "adapter" and RECORDS in names:
        raise RegistryError(f"{where}: holds {RECORDS}, but releases the adapter alone")


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
