"""The results of a finished run on the tracker of its recipe: metrics, verdicts, report and card."""

from paracosm.finetune.tracking.tracked_run import TrackedRun
from paracosm.foundation.digests import folder_digest
from paracosm.foundation.progress import Progress
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run


def send_results(recipe: Recipe, run: Run, progress: Progress) -> None:
    """Send what may be published of a finished run, unless its tracker has it: nothing of the records but the card's examples.

    Args:
        recipe: of the run.
        run: a run whose card is written.
        progress: takes a line where the tracker fails.
    """
    if recipe.track == "none":
        return
    from paracosm.eval.results.evaluation_file import read_evaluation
    from paracosm.foundation.errors import RunError

    evaluation = read_evaluation(run.metrics, RunError)
    values: dict[str, float] = {}
    for name, metric in evaluation.measured.items():
        values[name] = metric.value
        values |= {f"{name}.{anchor}": entry.value for anchor, entry in metric.anchors.items()}
    verdicts = {entry.question: entry.state for entry in evaluation.verdicts}
    files = sorted(path for path in run.card_folder.iterdir() if path.is_file())
    tracked = TrackedRun(recipe, run, progress)
    tracked.send_results(
        folder_digest(run.card_folder), values, {"verdict": evaluation.verdict, **verdicts}, files
    )
    tracked.close()
