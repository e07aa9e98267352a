"""`publish`: the release gate, and from a finished run to the files of a version."""

import getpass
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.eval.gates.ruling import verdict as verdict_of
from paracosm.eval.results.evaluation_file import EvaluationFile, read_evaluation
from paracosm.foundation.errors import RegistryError
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.journal import versions
from paracosm.recipes.run.stage import is_done
from paracosm.registry.card.facts import open_gates, published_evaluation
from paracosm.registry.card.metadata import hub_id
from paracosm.registry.stores.store import Store, address
from paracosm.registry.versions.checks import OVERRIDDEN
from paracosm.registry.versions.manifest import DATASET, Version
from paracosm.registry.versions.release import Release

if TYPE_CHECKING:
    from huggingface_hub import RepoCard

LEFT_BEHIND = ("README.md",)
"""Files of the adapter's folder that the card replaces."""
LONGEST_REASON = 400


def publish(
    *,
    run: Run | Path,
    url: str | None = None,
    override: str | None = None,
    by: str | None = None,
    key: Path | None = None,
    public: bool = False,
) -> Version:
    """Publish a run's adapter, synthetic records, cards and metrics as the next version of its name.

    Args:
        run: a run whose card is written, or its folder.
        url: a folder, `file:FOLDER`, `hf://ORG/NAME`, `mlflow://HOST:PORT/NAME`; `./paracosm-registry` when absent.
        override: why it is published although a gate does not pass; stands on the card's first screen.
        by: who answers for the override; the login name when absent.
        key: private key in a PEM file; the version is signed with it.
        public: on the Hub, let everybody read it; only with the release profile `public`.

    Raises:
        RegistryError: the verdict is not PASS and there is no override, the run is unfinished or was changed
            by hand, it holds files that are never published, or the registry cannot be written.
    """
    run = run if isinstance(run, Run) else Run.open(run)
    at = address(None, url=url)
    facts = _card_facts(run)
    metrics = read_evaluation(run.metrics)
    verdict = verdict_of(metrics.gates)
    overridden = None if verdict == "PASS" else _overridden(verdict, metrics, override, by)
    if public and metrics.profile != "public":
        raise RegistryError(
            f"not published: --public needs a run under release.profile 'public'; this one was judged under {metrics.profile!r}"
        )
    about = Version(
        name=at.name or facts["name"],
        number=0,
        published=datetime.now(UTC).isoformat(timespec="seconds"),
        verdict=verdict,
        profile=metrics.profile,
        limits=facts["limits"],
        override=overridden,
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


def with_override(card: "RepoCard", *, verdict: str, gates: list[str], reason: str, by: str) -> str:
    """Return `card` with the override right below its title, and tagged `gate-overridden`."""
    card.data["tags"] = [*card.data.get("tags", []), OVERRIDDEN]
    failed = "; ".join(gates) or "none was evaluated"
    banner = (
        f"> ⛔ **Published against its verdict ({verdict}).** Gates that do not pass: {failed}.\n>\n"
        f"> Reason given by {_harmless(by)}: “{_harmless(reason)}”"
    )
    title, rest = card.text.lstrip("\n").split("\n", 1)
    card.text = f"\n{title}\n\n{banner}\n{rest}"
    return str(card)


def _harmless(words: str) -> str:
    return words.replace("<", "&lt;").replace("[", "\\[").replace("`", "'")


def _overridden(
    verdict: str, metrics: EvaluationFile, override: str | None, by: str | None
) -> dict[str, str]:
    if override is None:
        gates = ", ".join(_gate_words(metrics)) or "no gate was evaluated"
        raise RegistryError(
            f"not published: the verdict is {verdict} ({gates}); mend the run, or give the reason to publish it all the same with --override"
        )
    reason = _one_line(override)
    if not reason:
        raise RegistryError("not published: the reason of an override must not be empty")
    if len(reason) > LONGEST_REASON:
        raise RegistryError(
            f"not published: the reason has {len(reason)} characters; at most {LONGEST_REASON} are allowed"
        )
    return {"reason": reason, "by": _one_line(by or getpass.getuser())[:LONGEST_REASON]}


def _one_line(words: str) -> str:
    return "".join(each for each in " ".join(words.split()) if each.isprintable())


def _gate_words(metrics: EvaluationFile) -> list[str]:
    return [f"{gate.title} {gate.result.state}" for gate in open_gates(metrics)]


def _card_facts(run: Run) -> dict[str, Any]:
    from paracosm.registry.card.stage import result_digests

    for stage in ("finetune", "generate", "eval", "card"):
        record = run.journal.stage(stage)
        if record.get("status") != "done":
            raise RegistryError(
                f"{run.root}: its {stage} stage has not ended; run the recipe to its end first"
            )
        if not is_done(run, stage, record["inputs"]):
            raise RegistryError(
                f"{run.root}: what the {stage} stage wrote was changed afterwards; run the recipe again"
            )
    card = run.journal.stage("card")
    if any(card["inputs"].get(name) != digest for name, digest in result_digests(run).items()):
        raise RegistryError(
            f"{run.card}: describes an earlier adapter, evaluation or set of records; run the recipe again"
        )
    return card["facts"]


def _files(
    run: Run, metrics: EvaluationFile, about: Version, *, recipe_name: str, store: Store
) -> dict[str, Path | str]:
    from huggingface_hub import DatasetCard, ModelCard

    files: dict[str, Path | str] = {
        path.name: path for path in sorted(run.adapter.iterdir()) if path.name not in LEFT_BEHIND
    }
    for name, key in (("adapter_config.json", "base_model_name_or_path"), ("base.json", "base")):
        path = run.adapter / name
        if path.is_file() and not path.is_symlink():
            files[name] = _portable(path, key, about.base_model)
    files |= {"metrics.json": published_evaluation(run).to_json(), "schema.json": run.schema}
    for path in sorted(run.card_folder.rglob("*")):
        if path.is_file():
            files[path.relative_to(run.card_folder).as_posix()] = path
    for name, kind in (("README.md", ModelCard), (f"{DATASET}/README.md", DatasetCard)):
        text = (run.card_folder / name).read_text(encoding="utf-8")
        text = _placed(text, recipe_name, about.name, store)
        if about.override is not None:
            text = with_override(
                kind(text, ignore_metadata_errors=False),
                verdict=about.verdict,
                gates=_gate_words(metrics),
                **about.override,
            )
        files[name] = text
    described = json.loads(run.croissant.read_text(encoding="utf-8"))
    described |= {"name": about.name, "datePublished": about.published}
    files[f"{DATASET}/croissant.json"] = json.dumps(described, indent=1, ensure_ascii=False) + "\n"
    return files


def _placed(card: str, recipe_name: str, name: str, store: Store) -> str:
    """Return a card whose commands name the version where it was published."""
    from paracosm.registry.card.stage import pull_command

    old, new = pull_command(recipe_name, recipe_name), pull_command(store.reference(name), name)
    card = card.replace(old, new)
    if name == recipe_name:
        return card
    card = card.replace(f"paracosm generate {recipe_name} ", f"paracosm generate {name} ")
    return card.replace(f'from_pretrained("{recipe_name}"', f'from_pretrained("{name}"')


def _portable(config: Path, key: str, base_model: str) -> str | Path:
    # a way to the base's folder on this machine helps nobody elsewhere and tells who trained where
    plain = json.loads(config.read_text(encoding="utf-8"))
    if hub_id(plain[key]) is not None:
        return config
    return json.dumps(plain | {key: base_model}, indent=2) + "\n"
