"""`paracosm eval`: measure a run or tables from any source, and apply the gates."""

from collections.abc import Mapping, Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from paracosm.cli.arguments import Overrides, RunFolder
from paracosm.foundation.errors import RecipeError, RunError
from paracosm.foundation.progress import to_stderr

if TYPE_CHECKING:
    from paracosm.eval.results.evaluation_file import EvaluationFile
    from paracosm.recipes.recipe import Recipe

Profile = Literal["internal", "partner", "public"]
SECTIONS_FOR_TABLES = ("eval", "model", "finetune", "release")
EVALUATIONS = Path("evaluations")
"""Folder of the evaluations of tables, below the current one."""
LONGEST_NAME = 100
EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}


class Attack(StrEnum):
    """Attacks that train models. An enumeration, because typer does not support lists of literals."""

    LIRA = "lira"
    AUXILIARY = "auxiliary"
    CROSS_FIT = "cross_fit"


def evaluate(
    subject: Annotated[
        str | None,
        typer.Argument(metavar="RECIPE|RUN", help="A recipe, the name of a shipped one, or a run directory."),
    ] = None,
    overrides: Overrides = None,
    folder: RunFolder = None,
    train: Annotated[Path | None, typer.Option(metavar="FILE", help="Table of training records.")] = None,
    control: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Table of real records that were not trained on.")
    ] = None,
    real: Annotated[
        Path | None,
        typer.Option(
            metavar="FILE",
            help="Table of real records, where none were kept away: without --train and --control.",
        ),
    ] = None,
    test: Annotated[
        Path | None,
        typer.Option(metavar="FILE", help="Table of further real records, to measure utility on."),
    ] = None,
    synthetic: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="Table of synthetic records, or a folder of shards; repeatable."),
    ] = None,
    schema: Annotated[
        Path | None, typer.Option(metavar="FILE", help="schema.json of a run; inferred by default.")
    ] = None,
    adapter: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Adapter that generated the records, to attack it too."),
    ] = None,
    attack: Annotated[
        list[Attack] | None,
        typer.Option(help="Attack that trains further models, which is slow; repeat it for both."),
    ] = None,
    target: Annotated[
        str | None, typer.Option(metavar="COLUMN", help="Column that a model would predict.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            metavar="DIR", help="Folder for metrics.json and report.html; evaluations/NAME by default."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--every", help="Also print every metric, and every gate that does not pass.")
    ] = False,
    against: Annotated[
        str | None,
        typer.Option(
            metavar="RUN|registry:NAME@V",
            help="Earlier run or published version: exit with 1 if any metric is worse beyond chance, 3 if one is not measured any more.",
        ),
    ] = None,
    gate: Annotated[
        Profile | None,
        typer.Option(
            help="Apply the gates of this profile: exit with 0 (PASS), 1 (FAIL) or 3 (INCONCLUSIVE)."
        ),
    ] = None,
) -> None:
    """Measure a run, or tables from any source.

    For tables, give --train, --control and --synthetic instead of a recipe or run. Two tables are enough for fidelity and
    usefulness: --real and --synthetic.
    """
    from paracosm.cli.change import evaluation_at, print_changes
    from paracosm.eval.results.change import changes_between

    tables: dict[str, Any] = {
        "train": train,
        "control": control,
        "real": real,
        "test": test,
        "synthetic": synthetic or None,
        "schema": schema,
        "adapter": adapter,
        "target": target,
        "out": out,
    }
    attacks = [name.value for name in attack or []]
    # A wrong reference ends the command before anything is measured.
    earlier = None if against is None else evaluation_at(against)
    if subject is not None and "=" in subject and (train is not None or real is not None):
        # Without a recipe or run, the first override takes its position.
        subject, overrides = None, [subject, *(overrides or [])]
    if subject is None:
        results, report = evaluate_tables(**tables, profile=gate, overrides=overrides or [], attacks=attacks)
    elif given := [f"--{name}" for name, value in tables.items() if value is not None]:
        raise typer.BadParameter(f"{given[0]} goes with tables, not with a recipe or a run ({subject})")
    else:
        metrics, report = evaluate_run(
            subject, overrides=overrides or [], run=folder, profile=gate, attacks=attacks
        )
        results = {"": metrics}
    for name, metrics in results.items():
        if len(results) > 1:
            print(name)
        print_summary(metrics, every=every)
    if report:
        print(f"report  {report}")
    verdicts = [metrics.verdict for metrics in results.values()] if gate else []
    if earlier is not None and against is not None:
        for metrics in results.values():
            changes = changes_between(earlier, metrics)
            print_changes(changes, against, every=every)
            verdicts.append(changes.verdict)
    raise typer.Exit(exit_code(verdicts) if verdicts else 0)


def print_summary(metrics: "EvaluationFile", *, every: bool = False) -> None:
    """Print the verdicts of a `metrics.json`, and with `every` all metrics before them."""
    from rich.console import Console

    from paracosm.eval.report.terminal import details, summary

    console = Console()
    if every:
        console.print(details(metrics))
    console.print(summary(metrics))


def evaluate_run(
    target: str,
    *,
    overrides: Sequence[str],
    run: Path | None,
    profile: Profile | None,
    attacks: Sequence[str] = (),
) -> tuple["EvaluationFile", Path | None]:
    """Run the eval stage of a run, and apply the gates of another release profile where one is given.

    The run keeps the verdict of its own profile: the gates of another one are applied in memory, and nothing is measured or
    written.

    Returns:
        The evaluation under `profile`, and the path of the run's report where it shows the same profile.

    Raises:
        RunError: the run does not exist, or its generate stage is not finished.
    """
    from paracosm.eval.evaluation import rule_on
    from paracosm.eval.gates.making import Making
    from paracosm.eval.measurements import read_measurements
    from paracosm.eval.measuring.dp_claim import claim_of
    from paracosm.eval.results.evaluation_file import read_evaluation
    from paracosm.eval.stage import evaluate
    from paracosm.pipeline import require
    from paracosm.recipes.run.directory import Run
    from paracosm.recipes.run.lock import locked
    from paracosm.recipes.run.open_run import open_run

    opened = open_run(Path(target), overrides, run)
    existing = Run.open(opened.run.root)
    recipe = _with_attacks(opened.recipe, attacks)
    with locked(existing.root):
        require(existing, "eval")
        evaluate(recipe=recipe, run=existing, progress=to_stderr)
        if profile in (None, recipe.release.profile):
            return read_evaluation(existing.metrics), existing.report
        release = _with_profile(recipe, profile).release
        making = Making.of(recipe, existing.journal.stage("finetune").get("facts", {}))
        return rule_on(
            read_measurements(existing.measurements), release, claim_of(existing), making
        ).file, None


def evaluate_tables(
    *,
    train: Path | None,
    control: Path | None,
    real: Path | None,
    test: Path | None,
    synthetic: Sequence[Path] | None,
    target: str | None,
    out: Path | None,
    profile: Profile | None,
    schema: Path | None = None,
    adapter: Path | None = None,
    overrides: Sequence[str] = (),
    attacks: Sequence[str] = (),
) -> tuple[dict[str, "EvaluationFile"], Path]:
    """Measure tables; return the content of `metrics.json` per synthetic table, and the path of the report.

    Raises:
        RunError: a required table is not given or does not go with the others, or `out` is not a folder.
        RecipeError: an override does not apply to tables, or its value is not allowed.
        ModelError: the base model that an attack would train is missing.
        DataError: a table cannot be used.
    """
    from paracosm.eval.evaluate_files import evaluate_sets, named_sets, write_comparison, write_evaluation
    from paracosm.eval.measuring.attack_settings import AttackSettings
    from paracosm.finetune.models.base_model import locate

    paths = {"train": train, "control": control, "test": test, "real": real}
    tables = {name: path for name, path in paths.items() if path is not None}
    _check_tables(tables, synthetic)
    sets = named_sets(synthetic or [])
    out = out or EVALUATIONS / "-".join(sets)[:LONGEST_NAME]
    if out.exists() and not out.is_dir():
        raise RunError(f"{out}: is not a folder (--out)")
    recipe = _with_attacks(_recipe_of_tables(train or real, adapter, overrides), attacks)
    for attack in ("lira", "cross_fit"):
        if attack in recipe.eval.attacks and adapter is None:
            raise RunError(f"eval: {attack} attacks an adapter; name it with --adapter")
    if {"lira", "auxiliary", "cross_fit"}.intersection(recipe.eval.attacks):
        # A missing base model is reported before hours of measuring.
        locate(recipe.model)
    recipe = _with_profile(recipe, profile)
    results = evaluate_sets(
        real=tables,
        synthetic=sets,
        target=target,
        release=recipe.release,
        settings=recipe.eval,
        schema=schema,
        adapter=adapter,
        attackers=AttackSettings(recipe, out / "attackers", to_stderr),
        progress=to_stderr,
    )
    if len(results) > 1:
        write_comparison(results, out)
    else:
        (only,) = sets
        write_evaluation(results[only], out, sets[only].name)
    return {name: result.file for name, result in results.items()}, out / "report.html"


def _check_tables(tables: Mapping[str, Path], synthetic: Sequence[Path] | None) -> None:
    """Raise unless the tables are a set to measure: real ones with control records, or real ones alone.

    Raises:
        RunError: a table is missing, or one is given that does not go with the others.
    """
    if "real" in tables and len(tables) > 1:
        other = next(name for name in tables if name != "real")
        raise RunError(f"eval: --real goes without --{other}: it is for records of which none were kept away")
    needed = ["real"] if "real" in tables else ["train", "control"]
    missing = [f"--{name}" for name in needed if name not in tables]
    missing += [] if synthetic else ["--synthetic"]
    if missing:
        also = "" if tables else ", or --real and --synthetic"
        raise RunError(f"eval: name a recipe or a run, or also give {' and '.join(missing)}{also}")


def exit_code(verdicts: Sequence[str]) -> int:
    """Return the exit code of the worst verdict."""
    from paracosm.eval.gates.ruling import worst_verdict

    return EXIT_CODES[worst_verdict(verdicts)]


def _with_attacks(recipe: "Recipe", attacks: Sequence[str]) -> "Recipe":
    """Return the recipe with further attacks, and with the attack on the adapter that `lira` needs."""
    implied = ["adapter"] if {"lira", "cross_fit"}.intersection(attacks) else []
    together = list(dict.fromkeys([*recipe.eval.attacks, *implied, *attacks]))
    return recipe.model_copy(update={"eval": recipe.eval.model_copy(update={"attacks": together})})


def _with_profile(recipe: "Recipe", profile: Profile | None) -> "Recipe":
    if profile is None:
        return recipe
    return recipe.model_copy(update={"release": recipe.release.model_copy(update={"profile": profile})})


def _recipe_of_tables(train: Path | None, adapter: Path | None, overrides: Sequence[str]) -> "Recipe":
    """Return the recipe for an evaluation of tables; attacks train models with the settings of the adapter's run."""
    from paracosm.recipes.loading.load import load_recipe, recipe_of
    from paracosm.recipes.run.directory import Run

    for override in overrides:
        section = override.partition("=")[0].partition(".")[0]
        if section not in SECTIONS_FOR_TABLES:
            raise RecipeError(
                f"override {override!r}: has no effect on the evaluation of tables; use {', '.join(SECTIONS_FOR_TABLES)}"
            )
    plain: dict[str, Any] = {"name": "tables", "data": {"source": str(train)}}
    if adapter is not None and (adapter / "base.json").is_file():
        from paracosm.finetune.models.trained_model import base_settings

        plain["model"] = base_settings(adapter)
        run_recipe = Run(adapter.resolve().parent).recipe
        if run_recipe.is_file():
            plain |= load_recipe(run_recipe).model_dump(mode="json", include={"model", "finetune", "privacy"})
    return recipe_of(plain, overrides)
