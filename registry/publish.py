"""The registry's verbs: publish a run that passes its gates, list, show, pull and verify what is published."""

import getpass
import json
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from urllib.parse import unquote

from paracosm.recipes.digest import file_digest, folder_digest
from paracosm.recipes.errors import RegistryError
from paracosm.recipes.run_directory import Run, versions
from paracosm.registry.facts import open_gates, published_metrics, read_metrics, verdict_of
from paracosm.registry.local_folder import LocalFolder
from paracosm.registry.manifest import Version, check_version
from paracosm.registry.model_index import hub_id

DEFAULT_STORE = "paracosm-registry"
LEFT_BEHIND = ("README.md",)
"""Files of the adapter's folder that the card replaces."""


@dataclass(frozen=True, kw_only=True)
class Details:
    """What `show` returns: a version, its card (Markdown with YAML front matter) and its metrics."""

    version: Version
    card: str
    metrics: dict[str, Any]


def publish(
    *, run: Run | Path, url: str | None = None, override: str | None = None, by: str | None = None
) -> Version:
    """Publish a run's adapter, card and metrics as the next version of its name.

    Args:
        run: a run whose card is written, or its folder.
        url: `file:FOLDER` or a folder; `./paracosm-registry` when absent.
        override: why it is published although a gate does not pass; stands on the card's first screen.
        by: who answers for the override; the login name when absent.

    Raises:
        RegistryError: the verdict is not PASS and there is no override, the run is unfinished or was changed
            by hand, it holds files that are never published, or the store cannot be written.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    registry = registry_at(url)
    facts = _card_facts(run)
    metrics = read_metrics(run)
    verdict = verdict_of(metrics)
    card = run.card.read_text(encoding="utf-8")
    overridden = None
    if verdict != "PASS":
        overridden = _overridden(verdict, metrics, override, by)
        card = with_override(card, verdict=verdict, gates=_gate_words(metrics), **overridden)
    about = Version(
        name=facts["name"],
        number=0,
        published=datetime.now(UTC).isoformat(timespec="seconds"),
        verdict=verdict,
        override=overridden,
        base_model=facts["base_model"],
        paracosm=versions().get("paracosm", "unknown"),
        files={},
        folder=run.root,
    )
    return registry.add(_release(run, card, metrics, facts["base_model"]), about)


def list_versions(*, name: str | None = None, url: str | None = None) -> list[Version]:
    """Return what is published, by name and then oldest first; only of `name` when given."""
    registry = registry_at(url)
    names = [registry.find(name).name] if name else registry.names()
    return [version for each in names for version in registry.versions(each)]


def show(*, name: str, url: str | None = None) -> Details:
    """Return card and metrics of `NAME` (the newest) or `NAME@v3`, after its digests were checked."""
    version = verify(name=name, url=url)
    metrics = json.loads((version.folder / "metrics.json").read_text(encoding="utf-8"))
    return Details(
        version=version, card=(version.folder / "README.md").read_text(encoding="utf-8"), metrics=metrics
    )


def verify(*, name: str, url: str | None = None) -> Version:
    """Check every file of `NAME` or `NAME@v3` against its manifest, and its verdict against its own metrics.

    Raises:
        RegistryError: there is no such version, or it is not what its manifest says.
    """
    version = registry_at(url).find(name)
    check_version(version)
    return version


def pull(*, name: str, into: Path, url: str | None = None) -> Path:
    """Copy `NAME` or `NAME@v3` to the folder `into`, which appears only once every digest was checked.

    Raises:
        RegistryError: there is no such version, it is damaged, or `into` is not empty.
    """
    registry = registry_at(url)
    return registry.copy(registry.find(name), Path(into))


def registry_at(url: str | None) -> LocalFolder:
    """Return the registry that `url` names.

    Raises:
        RegistryError: its scheme is not `file:`.
    """
    if url is None:
        return LocalFolder(Path(DEFAULT_STORE))
    scheme, found, rest = url.partition(":")
    if not found or "/" in scheme:
        return LocalFolder(Path(url))
    if scheme != "file" or (rest.startswith("//") and not rest.startswith("///")) or not rest:
        raise RegistryError(
            f"{url}: is no registry that this version knows; allowed: file:FOLDER, file:///FOLDER or a folder"
        )
    return LocalFolder(Path(unquote(rest.removeprefix("//"))))


def with_override(card: str, *, verdict: str, gates: list[str], reason: str, by: str) -> str:
    """Return `card` with the override right below its title, and tagged `gate-overridden`."""
    from huggingface_hub import ModelCard

    parsed = ModelCard(card)
    parsed.data["tags"] = [*parsed.data.get("tags", []), "gate-overridden"]
    quoted = " ".join(reason.split()).replace("<", "&lt;")
    failed = "; ".join(gates) or "none was evaluated"
    banner = (
        f"> ⛔ **Published against its verdict ({verdict}).** Gates that do not pass: {failed}.\n>\n"
        f"> Reason given by {' '.join(by.split())}: “{quoted}”"
    )
    title, rest = parsed.text.lstrip("\n").split("\n", 1)
    parsed.text = f"\n{title}\n\n{banner}\n{rest}"
    return str(parsed)


def _overridden(
    verdict: str, metrics: dict[str, Any], override: str | None, by: str | None
) -> dict[str, str]:
    if override is None:
        gates = ", ".join(_gate_words(metrics)) or "no gate was evaluated"
        raise RegistryError(
            f"not published: the verdict is {verdict} ({gates}); mend the run, or give the reason to publish it all the same"
        )
    if not override.strip():
        raise RegistryError("not published: the reason of an override must not be empty")
    return {"reason": override.strip(), "by": by or getpass.getuser()}


def _gate_words(metrics: dict[str, Any]) -> list[str]:
    return [f"{gate['title']} {gate['state']}" for gate in open_gates(metrics)]


def _card_facts(run: Run) -> dict[str, Any]:
    for stage in ("finetune", "eval", "card"):
        record = run.stage_record(stage)
        if record.get("status") != "done":
            raise RegistryError(
                f"{run.root}: its {stage} stage has not ended; run the recipe to its end first"
            )
        if not run.is_done(stage, record["inputs"]):
            raise RegistryError(
                f"{run.root}: what the {stage} stage wrote was changed afterwards; run the recipe again"
            )
    card = run.stage_record("card")
    if (card["inputs"]["metrics"], card["inputs"]["adapter"]) != (
        file_digest(run.metrics),
        folder_digest(run.adapter),
    ):
        raise RegistryError(f"{run.card}: describes an earlier adapter or evaluation; run the recipe again")
    return card["facts"]


def _release(run: Run, card: str, metrics: dict[str, Any], base_model: str) -> dict[str, Path | str]:
    files: dict[str, Path | str] = {
        path.name: path for path in sorted(run.adapter.iterdir()) if path.name not in LEFT_BEHIND
    }
    for name, key in (("adapter_config.json", "base_model_name_or_path"), ("base.json", "base")):
        path = run.adapter / name
        if path.is_file() and not path.is_symlink():
            files[name] = _portable(path, key, base_model)
    figures = json.dumps(published_metrics(metrics), indent=1, ensure_ascii=False) + "\n"
    return files | {"README.md": card, "metrics.json": figures, "schema.json": run.schema}


def _portable(config: Path, key: str, base_model: str) -> str | Path:
    # a way to the base's folder on this machine helps nobody elsewhere and tells who trained where
    plain = json.loads(config.read_text(encoding="utf-8"))
    if hub_id(plain[key]) is not None:
        return config
    return json.dumps(plain | {key: base_model}, indent=2) + "\n"
