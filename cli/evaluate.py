"""`paracosm eval`: measure a run, or tables of any origin, and rule on them."""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Any, Literal

from paracosm.foundation.errors import RecipeError, RunError
from paracosm.foundation.progress import to_stderr
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.lock import locked

if TYPE_CHECKING:
    from paracosm.eval.results.evaluation_file import EvaluationFile

Profile = Literal["internal", "partner", "public"]
OF_TABLES = ("eval", "model", "finetune", "release")
EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}


def evaluate_run(
    target: str,
    *,
    overrides: Sequence[str],
    run: Path | None,
    profile: Profile | None,
    attacks: Sequence[str] = (),
) -> tuple["EvaluationFile", Path | None]:
    """Do the eval stage of a run, and rule by another release profile where one is asked for.

    The run keeps the verdict of its own profile: another one is ruled in memory, and nothing is measured or written.

    Returns:
        The evaluation under `profile`, and the path of the run's report where it shows the same profile.

    Raises:
        RunError: there is no such run, or its generate stage has not ended.
    """
    from paracosm.eval.evaluation import rule_on
    from paracosm.eval.measurements import read_measurements
    from paracosm.eval.measuring.dp_claim import claim_of
    from paracosm.eval.results.evaluation_file import read_evaluation
    from paracosm.eval.stage import evaluate
    from paracosm.pipeline import require
    from paracosm.recipes.run.open_run import open_run

    opened = open_run(Path(target), overrides, run)
    recipe, done = with_attacks(opened.recipe, attacks), Run.open(opened.run.root)
    with locked(done.root):
        require(done, "eval")
        evaluate(recipe=recipe, run=done, progress=to_stderr)
        if profile in (None, recipe.release.profile):
            return read_evaluation(done.metrics), done.report
        release = recipe.release.model_copy(update={"profile": profile})
        return rule_on(read_measurements(done.measurements), release, claim_of(done)).file, None


def evaluate_tables(
    *,
    train: Path | None,
    control: Path | None,
    test: Path | None,
    synthetic: Sequence[Path] | None,
    target: str | None,
    out: Path | None,
    profile: Profile | None,
    schema: Path | None = None,
    adapter: Path | None = None,
    overrides: Sequence[str] = (),
    attacks: Sequence[str] = (),
) -> tuple[dict[str, "EvaluationFile"], Path | None]:
    """Measure tables of any origin; return what `metrics.json` holds by set, and the report's path when it was written.

    Raises:
        RunError: one of the tables that every evaluation needs is not named, or `out` is no folder.
        RecipeError: an override does not apply to tables, or its value is not allowed.
        ModelError: the base model that an attack would train is not there.
        DataError: a table cannot be used.
    """
    from paracosm.eval.evaluate_files import evaluate_sets, named_sets, write_comparison, write_evaluation
    from paracosm.eval.measuring.attack_settings import AttackSettings
    from paracosm.finetune.models.base_model import locate

    given = {"--train": train, "--control": control, "--synthetic": synthetic or None}
    if lacking := [option for option, path in given.items() if path is None]:
        raise RunError(f"eval: name a recipe or a run, or also give {' and '.join(lacking)}")
    if out is not None and out.exists() and not out.is_dir():
        raise RunError(f"{out}: is no folder (--out)")
    real = {"train": train, "control": control, "test": test}
    sets = named_sets(synthetic or [])
    recipe = with_attacks(_recipe_of_tables(train, adapter, overrides), attacks)
    if "lira" in recipe.eval.attacks and adapter is None:
        raise RunError("eval: lira attacks an adapter; name it with --adapter")
    if {"lira", "auxiliary"}.intersection(recipe.eval.attacks):
        # Before hours of measuring, not after them.
        locate(recipe.model)
    if profile is not None:
        recipe = recipe.model_copy(update={"release": recipe.release.model_copy(update={"profile": profile})})
    with _attackers_folder(out) as folder:
        found = evaluate_sets(
            real={name: path for name, path in real.items() if path is not None},
            synthetic=sets,
            target=target,
            release=recipe.release,
            settings=recipe.eval,
            schema=schema,
            adapter=adapter,
            attackers=AttackSettings(recipe, folder, to_stderr),
            progress=to_stderr,
        )
    if out is not None and len(found) > 1:
        write_comparison(found, out)
    elif out is not None:
        (only,) = sets
        write_evaluation(found[only], out, sets[only].name)
    return {name: evaluation.file for name, evaluation in found.items()}, out and out / "report.html"


def with_attacks(recipe: Recipe, attacks: Sequence[str]) -> Recipe:
    """Return the recipe with further attacks."""
    needed = ["adapter"] if "lira" in attacks else []
    together = list(dict.fromkeys([*recipe.eval.attacks, *needed, *attacks]))
    return recipe.model_copy(update={"eval": recipe.eval.model_copy(update={"attacks": together})})


def _recipe_of_tables(train: Path | None, adapter: Path | None, overrides: Sequence[str]) -> Recipe:
    """Return the recipe that tables are measured by; adapters of attacks are trained as the run of the adapter says."""
    from paracosm.recipes.loading.load import load_recipe, recipe_of

    for override in overrides:
        section = override.partition("=")[0].partition(".")[0]
        if section not in OF_TABLES:
            raise RecipeError(
                f"override {override!r}: tables are only measured; {', '.join(OF_TABLES)} apply to them"
            )
    plain: dict[str, Any] = {"name": "tables", "data": {"source": str(train)}}
    if adapter is not None and (adapter / "base.json").is_file():
        plain["model"] = json.loads((adapter / "base.json").read_text(encoding="utf-8"))
        of_run = Run(adapter.resolve().parent).recipe
        if of_run.is_file():
            kept = load_recipe(of_run).model_dump(mode="json", include={"model", "finetune", "privacy"})
            plain |= kept
    return recipe_of(plain, overrides)


@contextmanager
def _attackers_folder(out: Path | None) -> Iterator[Path]:
    """Yield where attacks train their adapters: beside the report, or a folder that goes away."""
    if out is not None:
        yield out / "attackers"
        return
    with TemporaryDirectory() as folder:
        yield Path(folder)


def exit_code(verdicts: Sequence[str]) -> int:
    """Return the exit code of the worst verdict."""
    from paracosm.eval.gates.ruling import worst_verdict

    return EXIT_CODES[worst_verdict(verdicts)]
