"""The card stage: what the user says and what the run measured, as the cards of the adapter and of its synthetic records."""

import json
import re
from pathlib import Path
from typing import Any

import yaml

from paracosm.eval.catalogue import anchor_labels
from paracosm.eval.measuring.dp_claim import claim_of, with_claim
from paracosm.eval.report.about import about_run
from paracosm.eval.report.html import report_html
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.finetune.models.bundled_models import ALIASES
from paracosm.foundation.digests import file_digest, folder_digest, value_digest
from paracosm.foundation.errors import RunError
from paracosm.foundation.files import write_text
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.settings import as_generated
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.journal import versions
from paracosm.recipes.run.stage import check_unchanged, run_stage
from paracosm.records.schema.schema import Schema
from paracosm.registry.card.croissant import croissant, write_records
from paracosm.registry.card.examples import examples_of
from paracosm.registry.card.facts import GROUPS, card_facts, published_evaluation
from paracosm.registry.card.licence import base_licence, licence_words
from paracosm.registry.card.metadata import base_name, card_data, data_card_data, hub_id, model_name
from paracosm.registry.card.pictures import section_picture
from paracosm.registry.card.provenance import provenance, run_salt, settings
from paracosm.registry.versions.manifest import REPORT
from paracosm.registry.versions.verdict import own_limits

HERE = Path(__file__).parent / "templates"
TEMPLATES = ("card.md.jinja", "data_card.md.jinja", "card_parts.jinja", "prompting_parts.jinja")
NEEDED = ("records", "finetune", "generate", "eval")


def write_card(*, recipe: Recipe, run: Run, root: Path | None = None, progress: Progress = silent) -> bool:
    """Run the `card` stage unless it is up to date; return whether it ran.

    The run's `card` folder gets `README.md` with its pictures, `report.html` without distributions, `provenance.json`, and in `dataset` the synthetic records
    with a card and a Croissant description.

    Args:
        recipe: of the run.
        run: a run whose other stages are done.
        root: not read; the verbs share one signature.
        progress: takes progress lines.

    Raises:
        RunError: an earlier stage has not ended, or its `metrics.json` cannot be read.
    """
    return run_stage(_Card(), recipe=as_generated(recipe, run), run=run, progress=progress)


class _Card:
    """The `card` stage."""

    name = "card"

    def inputs(self, recipe: Recipe, run: Run) -> dict[str, Any]:
        for stage in NEEDED:
            if run.journal.stage(stage).get("status") != "done":
                raise RunError(f"{run.root}: the card needs a finished {stage} stage")
        check_unchanged(run, NEEDED)
        return card_inputs(recipe, run)

    def check(self, recipe: Recipe, run: Run, progress: Progress) -> None:
        pass

    def work(self, recipe: Recipe, run: Run, progress: Progress) -> dict[str, Any]:
        evaluation = published_evaluation(run)
        facts = card_facts(recipe, run, evaluation) | {
            "examples": examples_of(sorted(run.synthetic.glob("part-*.parquet")), evaluation.what),
            "origin": provenance(recipe, run, salt=run_salt(run)),
        }
        pictures = _draw(run.card_folder, evaluation)
        about = about_run(recipe, run)
        page = report_html(evaluation, name=about.title, facts=about.facts, labels=anchor_labels())
        write_text(run.card_folder / REPORT, page)
        write_text(run.card, render_card(recipe, Schema.load(run.schema), evaluation, facts, pictures))
        _write_json(run.provenance, facts["origin"])
        _write_dataset(recipe, run, facts, pictures)
        return {
            "name": recipe.name,
            "verdict": facts["verdict"],
            "base_model": model_name(recipe),
            "limits": own_limits(with_claim(recipe.release, claim_of(run))),
        }


def card_inputs(recipe: Recipe, run: Run) -> dict[str, Any]:
    """Return what a card depends on: the templates, the recipe, and what the earlier stages left and recorded."""
    return {
        "template": value_digest([file_digest(HERE / name) for name in TEMPLATES]),
        "recipe": value_digest(recipe.model_dump(mode="json")),
        "stages": value_digest([run.journal.stage(stage) for stage in NEEDED]),
        **result_digests(run),
    }


def result_digests(run: Run) -> dict[str, str]:
    """Return the digests of the results that a card describes.

    Raises:
        RunError: one of them is missing.
    """
    for path in (run.metrics, run.prepared, run.synthetic):
        if not path.exists():
            raise RunError(f"{path}: is missing; run the recipe again")
    return {
        "metrics": file_digest(run.metrics),
        "adapter": folder_digest(run.prepared),
        "synthetic": folder_digest(run.synthetic),
    }


def render_card(
    recipe: Recipe,
    schema: Schema,
    evaluation: EvaluationFile,
    facts: dict[str, Any],
    pictures: dict[str, str],
) -> str:
    """Return the model card, front matter first.

    Args:
        recipe: of the run.
        schema: of its records.
        evaluation: what `published_evaluation` returns.
        facts: what `card_facts` returns, with `examples` and with `origin`: what `provenance` returns.
        pictures: title of a section of metrics -> file name of its picture beside the card.
    """
    front = card_data(recipe, schema, evaluation, facts["verdict"]).to_yaml()
    return _rendered("card.md.jinja", front, recipe, facts, pictures=pictures, picture_folder="")


def _write_dataset(recipe: Recipe, run: Run, facts: dict[str, Any], pictures: dict[str, str]) -> None:
    run.dataset.mkdir()
    schema = Schema.load(run.schema)
    records = write_records(sorted(run.synthetic.glob("part-*.parquet")), run.dataset)
    _write_json(run.croissant, croissant(recipe, schema, records, facts["verdict"]))
    front = data_card_data(recipe, schema, facts["verdict"], rows=facts["sizes"]["synthetic"]).to_yaml()
    card = _rendered("data_card.md.jinja", front, recipe, facts, pictures=pictures, picture_folder="../")
    write_text(run.data_card, card)


def _rendered(template: str, front: str, recipe: Recipe, facts: dict[str, Any], **more: Any) -> str:
    import jinja2

    world = jinja2.Environment(
        loader=jinja2.FileSystemLoader(HERE),
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    world.filters |= {
        "cell": cell,
        "figure": figure,
        "quoted": quoted,
        "duration": duration,
        "gibibytes": gibibytes,
    }
    body = world.get_template(template).render(
        facts,
        recipe=recipe,
        title=recipe.card.title or recipe.name,
        base=model_name(recipe),
        on_hub=hub_id(recipe.model.base) is not None and model_name(recipe) == base_name(recipe.model.base),
        in_wheel=ALIASES[recipe.model.base].requirement if recipe.model.base in ALIASES else None,
        base_licence=base_licence(recipe.model.base),
        licences=licence_words(recipe),
        own_limits=own_limits(recipe.release),
        settings=yaml.safe_dump(settings(recipe), sort_keys=False).rstrip(),
        pull_command=pull_command(recipe.name, recipe.name),
        paracosm_version=versions().get("paracosm", "unknown"),
        **more,
    )
    body = re.sub(r"\n{3,}", "\n\n", body)
    return f"---\n{front}\n---\n\n{body}"


def pull_command(reference: str, folder: str) -> str:
    """Return the command of the card that brings a version to another machine."""
    return f"paracosm pull {reference} --into {folder}"


def _draw(folder: Path, evaluation: EvaluationFile) -> dict[str, str]:
    """Draw one picture for each section of metrics; return its file name by the section's title."""
    folder.mkdir(exist_ok=True)
    limits = {
        gate.metric: gate.threshold
        for gate in (*evaluation.not_ruling, *evaluation.gates)
        if gate.quantity == "value"
    }
    pictures = {}
    for section, title in GROUPS.items():
        metrics = [metric for metric in evaluation.measured.values() if metric.section == section]
        if metrics:
            name = f"{title.lower()}.png"
            (folder / name).write_bytes(section_picture(metrics, limits, anchor_labels()))
            pictures[title] = name
    return pictures


def _write_json(path: Path, plain: dict[str, Any]) -> None:
    write_text(path, json.dumps(plain, indent=1, ensure_ascii=False) + "\n")


def cell(text: Any) -> str:
    """Return `text` as one line that neither ends a table cell, nor opens a tag, nor makes a link or an image."""
    line = re.sub(r"\s+", " ", str(text)).strip()
    return re.sub(r"([\\|\[\]!])", r"\\\1", line).replace("<", "&lt;").replace("`", "'")


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
