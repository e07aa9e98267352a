"""`paracosm eval`: measure a run, or tables of any origin, and rule on them."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Literal

from paracosm.recipes.errors import RunError
from paracosm.recipes.run_directory import Run

Profile = Literal["internal", "partner", "public"]
EXIT_CODES = {"PASS": 0, "FAIL": 1, "INCONCLUSIVE": 3}


def evaluate_run(
    target: str, *, overrides: Sequence[str], run: Path | None, profile: Profile | None
) -> tuple[dict[str, Any], Path]:
    """Do the eval stage of a run; return what `metrics.json` holds, and the report's path.

    Raises:
        RunError: there is no such run, or its generate stage has not ended.
    """
    from paracosm.eval.stage import evaluate
    from paracosm.pipeline import require, say_on_stderr
    from paracosm.recipes.open_run import open_run

    opened = open_run(Path(target), overrides, run)
    recipe, done = opened.recipe, Run.open(opened.run.root)
    if profile is not None:
        release = recipe.release.model_copy(update={"profile": profile})
        recipe = recipe.model_copy(update={"release": release})
    with done.lock():
        require(done, "eval")
        evaluate(recipe, done, say=say_on_stderr)
        return json.loads(done.metrics.read_text(encoding="utf-8")), done.report


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
) -> tuple[dict[str, dict[str, Any]], Path | None]:
    """Measure tables of any origin; return what `metrics.json` holds by set, and the report's path when it was written.

    Raises:
        RunError: one of the tables that every evaluation needs is not named, or `out` is no folder.
        DataError: a table cannot be used.
    """
    from paracosm.eval.files import evaluate_sets, named_sets, write_comparison, write_evaluation
    from paracosm.pipeline import say_on_stderr

    given = {"--train": train, "--control": control, "--synthetic": synthetic or None}
    if lacking := [option for option, path in given.items() if path is None]:
        raise RunError(f"eval: name a recipe or a run, or also give {' and '.join(lacking)}")
    if out is not None and out.exists() and not out.is_dir():
        raise RunError(f"{out}: is no folder (--out)")
    real = {"train": train, "control": control, "test": test}
    sets = named_sets(synthetic or [])
    found = evaluate_sets(
        real={name: path for name, path in real.items() if path is not None},
        synthetic=sets,
        target=target,
        profile=profile or "internal",
        schema=schema,
        adapter=adapter,
        say=say_on_stderr,
    )
    if out is not None and len(found) > 1:
        write_comparison(found, out)
    elif out is not None:
        (only,) = sets
        write_evaluation(found[only], out, sets[only].name)
    return {name: each.plain() for name, each in found.items()}, out and out / "report.html"


def exit_code(verdicts: Sequence[str]) -> int:
    """Return the exit code of the worst verdict."""
    return EXIT_CODES[next(verdict for verdict in ("FAIL", "INCONCLUSIVE", "PASS") if verdict in verdicts)]
