"""The card stage: what the user says and what the run measured, as a Hugging Face model card in `card/README.md`."""

import re
from pathlib import Path
from typing import Any

import jinja2
import yaml

from paracosm.recipes.atomic import write_text
from paracosm.recipes.digest import file_digest, folder_digest, value_digest
from paracosm.recipes.errors import RunError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run_directory import Run, versions
from paracosm.registry.facts import card_facts, read_metrics
from paracosm.registry.model_index import base_licence, base_name, card_data, hub_id

TEMPLATE = Path(__file__).parent / "card.md.jinja"
NEEDED = ("records", "finetune", "generate", "eval")


def write_card(recipe: Recipe, run: Run) -> bool:
    """Write `card/README.md`; return whether it was written anew.

    Raises:
        RunError: an earlier stage has not ended, or its `metrics.json` cannot be read.
    """
    for stage in NEEDED:
        if run.stage_record(stage).get("status") != "done":
            raise RunError(f"{run.root}: the card needs a finished {stage} stage")

    def work() -> dict[str, Any]:
        metrics = read_metrics(run)
        facts = card_facts(recipe, run, metrics)
        write_text(run.card, render_card(recipe, metrics, facts))
        return {"name": recipe.name, "verdict": facts["verdict"], "base_model": base_name(recipe.model.base)}

    return run.stage("card", card_inputs(recipe, run), work)


def card_inputs(recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return what a card depends on: the template, the recipe, and what the earlier stages left and recorded."""
    return {
        "template": file_digest(TEMPLATE),
        "recipe": value_digest(recipe.model_dump(mode="json")),
        "stages": value_digest([run.stage_record(stage) for stage in NEEDED]),
        **result_digests(run),
    }


def result_digests(run: Run) -> dict[str, str]:
    """Return the digests of the results that a card describes.

    Raises:
        RunError: one of them is missing.
    """
    for path in (run.metrics, run.adapter):
        if not path.exists():
            raise RunError(f"{path}: is missing; run the recipe again")
    return {"metrics": file_digest(run.metrics), "adapter": folder_digest(run.adapter)}


def render_card(recipe: Recipe, metrics: dict[str, Any], facts: dict[str, Any]) -> str:
    """Return the whole card, front matter first. `facts` is what `card_facts` returns."""
    has_text = any(field["type"] == "text" for field in facts["fields"])
    front = card_data(recipe, metrics, facts["verdict"], has_text=has_text).to_yaml()
    world = jinja2.Environment(
        undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True, keep_trailing_newline=True
    )
    world.filters |= {
        "cell": cell,
        "figure": figure,
        "quoted": quoted,
        "duration": duration,
        "gibibytes": gibibytes,
    }
    body = world.from_string(TEMPLATE.read_text(encoding="utf-8")).render(
        facts,
        recipe=recipe,
        title=recipe.card.title or recipe.name,
        source=source_kind(recipe.data.source),
        base=base_name(recipe.model.base),
        on_hub=hub_id(recipe.model.base) is not None,
        base_licence=base_licence(recipe.model.base),
        settings=settings(recipe),
        recipe_digest=value_digest(recipe.model_dump(mode="json"))[:16],
        paracosm_version=versions().get("paracosm", "unknown"),
    )
    return f"---\n{front}\n---\n\n{body}"


def settings(recipe: Recipe) -> str:
    """Return the sections of the recipe that hold no data, as YAML; the base model without its path."""
    plain = recipe.model_dump(mode="json", include={"model", "finetune", "generate", "eval", "release"})
    if hub_id(recipe.model.base) is None:
        plain["model"]["base"] = base_name(recipe.model.base)
    return yaml.safe_dump(plain, sort_keys=False).rstrip()


def source_kind(source: str) -> str:
    """Return what kind of source a recipe reads, without path, host, user or password."""
    scheme, found, name = source.partition(":")
    if scheme == "sample":
        return f"the sample `{name}`"
    if scheme == "hf":
        return f"the Hub data set `{name.removeprefix('//')}`"
    if found and name.startswith("//"):
        return "a query on a database"
    suffix = next((part for part in reversed(Path(source).suffixes) if part != ".gz"), "")
    return f"{suffix.lstrip('.').upper()} files" if suffix else "files"


def cell(text: Any) -> str:
    """Return `text` as one line that neither ends a table cell nor opens a tag."""
    line = re.sub(r"\s+", " ", str(text)).strip()
    return line.replace("\\", "\\\\").replace("|", "\\|").replace("<", "&lt;").replace("`", "'")


def quoted(text: str) -> str:
    """Return what a user wrote as a block quote, so that it cannot pass for a section of the card."""
    lines = [re.sub(r"^(\s*)#", r"\1\\#", line).replace("<", "&lt;") for line in text.strip().splitlines()]
    return "\n".join(f"> {line}".rstrip() for line in lines)


def figure(value: Any) -> str:
    """Return a number with three significant digits, thousands separated; an absent one as `not measured`."""
    if value is None:
        return "not measured"
    if not isinstance(value, int | float) or isinstance(value, bool):
        return cell(value)
    if isinstance(value, int) or abs(value) >= 1000:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def duration(seconds: float | None) -> str:
    """Return seconds as a person says them."""
    if seconds is None:
        return "not measured"
    if seconds < 60:
        return f"{seconds:.1f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def gibibytes(size: float | None) -> str:
    """Return bytes as GiB."""
    return "not measured" if size is None else f"{size / 2**30:.2f} GiB"
