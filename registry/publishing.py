"""Publishes a finished run: evaluates the release gate, and collects the files of the version."""

import getpass
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.eval.gates.ruling import verdict as verdict_of
from paracosm.eval.results.evaluation_file import EvaluationFile, read_evaluation
from paracosm.foundation.credentials.redaction import without_credentials
from paracosm.foundation.errors import RegistryError
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.journal import versions
from paracosm.recipes.run.stage import check_unchanged
from paracosm.registry.card.facts import open_gates, published_evaluation
from paracosm.registry.card.metadata import hub_id
from paracosm.registry.stores.addresses import address
from paracosm.registry.stores.store import Store
from paracosm.registry.versions.checks import OVERRIDDEN
from paracosm.registry.versions.manifest import DATASET, DOMAIN, Override, Version
from paracosm.registry.versions.model_files import check_model
from paracosm.registry.versions.release import Release

if TYPE_CHECKING:
    from huggingface_hub import RepoCard

REPLACED = ("README.md",)
"""Files of the adapter folder that are not published, because the card takes their name."""
LONGEST_REASON = 400
"""Highest number of characters of the reason of an override, so that it fits the first screen of a card."""


def publish(
    *,
    run: Run | Path,
    url: str | None = None,
    override: str | None = None,
    by: str | None = None,
    key: Path | None = None,
    public: bool = False,
) -> Version:
    """Publish the adapter or the statistics, synthetic records, cards and metrics of a run as the next version of its name.

    Args:
        run: a run with a finished card stage, or its folder.
        url: URL of the registry, such as `./store` or `hf://ORG/NAME`; the folder `./paracosm-registry` by default.
            docs/registry.md lists all forms.
        override: reason to publish although the verdict is not PASS. It appears on the first screen of both cards.
        by: the person who answers for the override; the login name by default.
        key: private key in a PEM file; the version is signed with it.
        public: on the Hub, make the version readable for everybody; requires the release profile `public`.

    Returns:
        The published version.

    Raises:
        RegistryError: the verdict is not PASS and there is no override, the run is unfinished, it holds files that are
            never published, or the registry cannot be written.
        RunError: a file of the run was changed since its stage.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    at = address(None, url=url)
    facts = _card_facts(run)
    if run.journal.stage("finetune")["facts"].get("strategy") == "augment":
        raise RegistryError(
            "not published: the records of strategy augment are near copies of real records, for use inside only"
        )
    training = run.journal.stage("finetune")["facts"]
    names = {path.name for path in run.prepared.iterdir()}
    check_model(run.prepared, names, training.get("trainable_parameters"))
    metrics = read_evaluation(run.metrics)
    verdict = verdict_of(metrics.gates, metrics.what)
    accepted = None if verdict == "PASS" else _checked_override(verdict, metrics, override, by)
    if public and metrics.profile != "public":
        raise RegistryError(
            f"not published: --public needs a run with release.profile 'public'; this run was evaluated with {metrics.profile!r}"
        )
    about = Version(
        name=at.name or facts["name"],
        number=0,
        published=datetime.now(UTC).isoformat(timespec="seconds"),
        verdict=verdict,
        profile=metrics.profile,
        what=metrics.what,
        limits=facts["limits"],
        override=accepted,
        base_model=facts["base_model"],
        paracosm=versions().get("paracosm", "unknown"),
        files={},
        folder=run.root,
    )
    if key is not None:
        from paracosm.registry.versions.signature import check_key

        check_key(key, private=True)
    files = _files(run, metrics, about, recipe_name=facts["name"], store=at.store)
    return at.store.add(Release(files, about, key=key, public=public))


def with_override(card: "RepoCard", *, verdict: str, gates: list[str], override: Override) -> str:
    """Return the text of a card with the override below its title and the tag `gate-overridden`.

    Args:
        card: the card of a run.
        verdict: FAIL or INCONCLUSIVE.
        gates: title and state of every gate that does not pass.
        override: reason and person.
    """
    card.data["tags"] = [*card.data.get("tags", []), OVERRIDDEN]
    failed = "; ".join(gates) or "none was evaluated"
    banner = (
        f"> ⛔ **Published against its verdict ({verdict}).** Gates that do not pass: {failed}.\n>\n"
        f"> Reason given by {_as_text(override.by)}: “{_as_text(override.reason)}”"
    )
    title, rest = card.text.lstrip("\n").split("\n", 1)
    card.text = f"\n{title}\n\n{banner}\n{rest}"
    return str(card)


def _as_text(markdown: str) -> str:
    """Return a text that opens no tag, link or code span in Markdown."""
    return markdown.replace("<", "&lt;").replace("[", "\\[").replace("`", "'")


def _checked_override(verdict: str, metrics: EvaluationFile, reason: str | None, by: str | None) -> Override:
    if reason is None:
        gates = ", ".join(_open_gates(metrics)) or "no gate was evaluated"
        raise RegistryError(
            f"not published: the verdict is {verdict} ({gates}); change the run so that it passes, or state with --override why it is published nevertheless"
        )
    reason = _one_line(reason)
    if not reason:
        raise RegistryError("not published: the reason of an override must not be empty")
    if len(reason) > LONGEST_REASON:
        raise RegistryError(
            f"not published: the reason of the override has {len(reason)} characters; at most {LONGEST_REASON} are allowed"
        )
    return Override(reason, _one_line(by or getpass.getuser())[:LONGEST_REASON])


def _one_line(text: str) -> str:
    return "".join(character for character in " ".join(text.split()) if character.isprintable())


def _open_gates(metrics: EvaluationFile) -> list[str]:
    return [f"{gate.title} {gate.result.state}" for gate in open_gates(metrics)]


def _card_facts(run: Run) -> dict[str, Any]:
    """Return what the card stage recorded, after checking that the card describes the run as it is now."""
    from paracosm.registry.card.stage import result_digests

    for stage in ("finetune", "generate", "eval", "card"):
        record = run.journal.stage(stage)
        if record.get("status") != "done":
            raise RegistryError(f"{run.root}: its {stage} stage is not finished; run the recipe first")
        check_unchanged(run, (stage,))
    card = run.journal.stage("card")
    if any(card["inputs"].get(name) != digest for name, digest in result_digests(run).items()):
        raise RegistryError(
            f"{run.card}: describes an earlier adapter, evaluation or set of records; run the recipe again"
        )
    return card["facts"]


def _files(
    run: Run, metrics: EvaluationFile, about: Version, *, recipe_name: str, store: Store
) -> dict[str, Path | str]:
    """Return the file to copy, or the text to write, by its name in the version."""
    from huggingface_hub import DatasetCard, ModelCard

    files: dict[str, Path | str] = {"metrics.json": published_evaluation(run).to_json()}
    if about.holds_adapter:
        files |= _model_files(run, about)
    for path in sorted(run.card_folder.rglob("*")):
        if path.is_file():
            files[path.relative_to(run.card_folder).as_posix()] = path
    for name, kind in (("README.md", ModelCard), (f"{DATASET}/README.md", DatasetCard)):
        text = (run.card_folder / name).read_text(encoding="utf-8")
        text = _with_reference(text, recipe_name, about.name, store)
        if about.override is not None:
            card = kind(text, ignore_metadata_errors=False)
            gates = _open_gates(metrics)
            text = with_override(card, verdict=about.verdict, gates=gates, override=about.override)
        files[name] = text
    if about.what == "adapter":
        return {name: content for name, content in files.items() if not name.startswith(f"{DATASET}/")}
    croissant = json.loads(run.croissant.read_text(encoding="utf-8"))
    croissant |= {"name": about.name, "datePublished": about.published}
    files[f"{DATASET}/croissant.json"] = json.dumps(croissant, indent=1, ensure_ascii=False) + "\n"
    return files


def _model_files(run: Run, about: Version) -> dict[str, Path | str]:
    """Return the weights with what is needed to write and read records with them."""
    files: dict[str, Path | str] = {
        path.relative_to(run.prepared).as_posix(): path
        for path in sorted(run.prepared.rglob("*"))
        if path.name not in REPLACED and (path.is_symlink() or not path.is_dir())
    }
    for name, key in (
        ("adapter_config.json", "base_model_name_or_path"),
        (f"{DOMAIN}/adapter_config.json", "base_model_name_or_path"),
        ("base.json", "base"),
    ):
        path = run.prepared / name
        if path.is_file() and not path.is_symlink():
            files[name] = _portable(path, key, about.base_model)
    return files | {"schema.json": run.schema}


def _with_reference(card: str, recipe_name: str, name: str, store: Store) -> str:
    """Return a card with commands that refer to the published version instead of the recipe."""
    from paracosm.registry.card.stage import pull_command

    old, new = (
        pull_command(recipe_name, recipe_name),
        pull_command(without_credentials(store.reference(name)), name),
    )
    card = card.replace(old, new)
    if name == recipe_name:
        return card
    card = card.replace(f"paracosm generate {recipe_name} ", f"paracosm generate {name} ")
    return card.replace(f'from_pretrained("{recipe_name}"', f'from_pretrained("{name}"')


def _portable(config: Path, key: str, base_model: str) -> str | Path:
    """Return a configuration without the local path of the base model, which is useless elsewhere and names the machine."""
    plain = json.loads(config.read_text(encoding="utf-8"))
    if hub_id(plain[key]) is not None:
        return config
    return json.dumps(plain | {key: base_model}, indent=2) + "\n"
