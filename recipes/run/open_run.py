"""A recipe together with its run directory, from what a command was given: a recipe, or a run."""

import os
import shutil
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

from paracosm.foundation.errors import ParacosmError, RunError
from paracosm.foundation.files import write_text
from paracosm.recipes.loading.load import dump_recipe, find_recipe, load_recipe
from paracosm.recipes.loading.overrides import Override, read_overrides
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.lock import locked
from paracosm.recipes.run.record_set import RecordSet

RUNS = Path("runs")


@dataclass(frozen=True)
class OpenRun:
    """A recipe, its run, and the folder from which the recipe's relative paths count."""

    recipe: Recipe
    run: Run
    root: Path
    from_run: bool
    """Whether the command named the run and not the recipe."""
    before: Recipe | None = None
    """The recipe without the overrides of the `generate` section; None if there are none."""
    out: Path | None = None
    """The folder of another set of synthetic records; None for the run's own set."""

    @property
    def records(self) -> Run:
        """The folder and journal of the synthetic records that the command generates.

        Raises:
            RunError: `out` cannot hold them.
        """
        return self.run if self.out is None else RecordSet.of(self.out, self.run)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Make the run directory and hold its lock; a new one goes away if the work fails before its records are ready.

        Raises:
            RunError: it cannot be made, the path holds something else, or another process holds the lock.
        """
        # Whatever a library writes into the run is for its owner alone.
        mask = os.umask(0o077)
        made = [folder for folder in (self.run.root, *self.run.root.parents) if not folder.exists()]
        try:
            Run.create(self.run.root)
            with locked(self.run.root):
                try:
                    if not self.run.recipe.is_file():
                        self._keep(self.before or self.recipe)
                    yield
                except (ParacosmError, OSError):
                    if made and self.run.journal.stage("records").get("status") != "done":
                        _take_away(made)
                    raise
        finally:
            os.umask(mask)

    def keep_recipe(self) -> None:
        """Write the recipe as this command resolved it into the run. The run's lock must be held."""
        self._keep(self.recipe)

    def keep_trained(self) -> None:
        """Write the recipe into the run, except overrides of its `generate` section, which hold for this command.

        The run keeps the `generate` section that it has where the command overrides it.
        """
        recipe = self.recipe
        if self.before is not None:
            kept = (
                load_recipe(self.run.recipe).generate if self.run.recipe.is_file() else self.before.generate
            )
            recipe = recipe.model_copy(update={"generate": kept})
        self._keep(recipe)

    def _keep(self, recipe: Recipe) -> None:
        folder = self.run.journal.read().get("recipe_folder")
        text = dump_recipe(recipe)
        if not self.run.recipe.is_file() or self.run.recipe.read_text(encoding="utf-8") != text:
            write_text(self.run.recipe, text)
        if folder != str(self.root):
            self.run.journal.note(recipe_folder=str(self.root))


def open_run(where: Path, overrides: Sequence[str | Override] = (), folder: Path | None = None) -> OpenRun:
    """Read a recipe and name its run; nothing is written.

    Args:
        where: a recipe, the name of a shipped one, or a run directory.
        overrides: `dotted.key=value`, or with values of Python, over what the recipe says.
        folder: the run directory; `runs/<name>` when absent.

    Raises:
        RecipeError: the recipe or an override is wrong.
        RunError: the run directory is damaged, or two are named.
    """
    if not is_run(where):
        recipe = load_recipe(where, overrides)
        run = Run(folder if folder is not None else RUNS / recipe.name)
        root = find_recipe(where).resolve().parent
        return OpenRun(recipe, run, root, from_run=False, before=_before(where, overrides))
    if folder is not None and folder.resolve() != where.resolve():
        raise RunError(f"--run {folder}: {where} is a run already; name a recipe to make another")
    run = Run.open(where)
    if not run.recipe.is_file():
        raise RunError(f"{run.recipe}: is missing; name the recipe, and the run with --run {where}")
    root = Path(run.journal.read().get("recipe_folder", where))
    recipe = load_recipe(run.recipe, overrides)
    return OpenRun(recipe, run, root, from_run=True, before=_before(run.recipe, overrides))


def _before(recipe: Path, overrides: Sequence[str | Override]) -> Recipe | None:
    """Return the recipe without the overrides of its `generate` section; None if there are none."""
    read = read_overrides(overrides)
    others = [override for override in read if override.path[0] != "generate" or len(override.path) == 1]
    return load_recipe(recipe, others) if len(others) < len(overrides) else None


def is_run(where: Path) -> bool:
    """Return whether `where` is a run directory."""
    return (where / "run.json").is_file()


def _take_away(made: list[Path]) -> None:
    """Remove a run directory and the folders that were made for it, unless somebody else uses them by now."""
    shutil.rmtree(made[0])
    with suppress(OSError):
        for folder in made[1:]:
            folder.rmdir()
