"""What the top of a report says beside the verdicts: data, date, versions, persons, relations, differential privacy."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from paracosm.eval.measuring.dp_claim import Claim, claim_of
from paracosm.foundation.credentials.redaction import redact_url
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.journal import versions
from paracosm.records.constraints.rules import kept_relations
from paracosm.records.schema.schema import Schema

ACTIONS = {
    "replace": "replaced by invented values",
    "drop": "left out, and masked in texts",
    "report": "counted and not changed",
}


@dataclass(frozen=True)
class About:
    """Title of a report, and facts that no metric shows.

    Attributes:
        title: what was evaluated.
        facts: name of a fact and one sentence each.
    """

    title: str
    facts: Sequence[tuple[str, str]] = ()


def about_run(recipe: Recipe, run: Run) -> About:
    """Return what is known of a run; no cell of any table is read."""
    schema = Schema.load(run.schema)
    stages = run.journal.read()["stages"]
    records = stages.get("records", {}).get("facts", {})
    measured = datetime.fromtimestamp(run.metrics.stat().st_mtime, UTC).date()
    relations = len(kept_relations(recipe.rules, schema).lines)
    kept = (
        f"{relations} between columns hold in all synthetic records."
        if relations
        else "None were found or declared."
    )
    # The card is Markdown, this page is not.
    source = source_kind(recipe.data.source).replace("`", "")
    facts = [
        ("Data", f"{source}; {len(schema.modelled)} columns."),
        (
            "Made with",
            f"Paracosm {versions().get('paracosm', 'unknown')} on {_made_with(recipe)}; measured {measured}.",
        ),
        ("Persons", _persons(records.get("pii"), schema, records.get("left_out", ()))),
        ("Relations", kept),
        ("Differential privacy", _privacy(claim_of(run))),
    ]
    return About(recipe.card.title or recipe.name, facts)


def facts_of_tables(synthetic: str) -> list[tuple[str, str]]:
    """Return facts on synthetic records whose making nobody recorded."""
    return [
        ("Data", f"{synthetic}, a table from elsewhere."),
        ("Measured", f"by Paracosm {versions().get('paracosm', 'unknown')} on {datetime.now(UTC).date()}."),
        ("Persons", "what was done about persons before these records were made is not known."),
        ("Differential privacy", "not known: no training was recorded."),
    ]


def source_kind(source: str) -> str:
    """Return what kind of source a recipe reads, without path, host, user or password."""
    if source.startswith("${"):
        return "a source that is set by an environment variable"
    scheme, found, name = redact_url(source).partition(":")
    if scheme == "sample":
        return f"the sample `{name}`"
    if scheme == "hf":
        return f"the Hub data set `{name.removeprefix('//')}`"
    if found and name.startswith("//"):
        return "a query on a database"
    suffix = next((part for part in reversed(Path(source).suffixes) if part != ".gz"), "")
    return f"{suffix.lstrip('.').upper()} files" if suffix else "files"


def _made_with(recipe: Recipe) -> str:
    """Return the base model, or the statistical method where there is none."""
    if recipe.strategy == "statistical":
        return f"statistics ({recipe.statistical.method})"
    if recipe.strategy in ("prompt", "chain"):
        from paracosm.generate.chains.prompt_plan import servers

        names = [server.model for _, server in servers(recipe)] or [Path(recipe.model.base).name]
        return f"{recipe.strategy} ({', '.join(dict.fromkeys(names))})"
    if recipe.strategy == "augment":
        return "augmentation of training records"
    if recipe.strategy == "combined":
        return f"statistics ({recipe.statistical.method}), texts by {recipe.model.base}"
    return Path(recipe.model.base).name


def _persons(found: Mapping[str, Any] | None, schema: Schema, left_out: Sequence[str]) -> str:
    """Return what was found of persons, what was done about it, and which columns the model never saw."""
    hidden = [field for field in schema if not field.modelled]
    unseen = len(hidden) + len(left_out)
    fresh = sum(field.fresh for field in hidden)
    columns = f" {_counted(unseen, 'column')} never reached the model" + (
        f" ({fresh} of them made afresh)." if fresh else "."
    )
    tail = columns if unseen else ""
    if found is None:
        return f"not searched for (data.pii is not set).{tail}"
    passages = sum(count for kinds in found["texts"].values() for count in kinds.values())
    parts = _counted(len(found["columns"]), "column") + (
        f" and {_counted(passages, 'passage')} in texts" if passages else ""
    )
    return f"{parts} with personal data found, {ACTIONS[found['action']]}.{tail}"


def _counted(count: int, thing: str) -> str:
    return f"{count:,} {thing}" if count == 1 else f"{count:,} {thing}s"


def _privacy(claim: Claim | None) -> str:
    if claim is None:
        return "no: training added no noise."
    return f"yes: epsilon {claim.epsilon:.2f}, delta {claim.delta:.1e}."
