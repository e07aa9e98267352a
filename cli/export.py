"""`paracosm export`: write a trained model as a folder that transformers loads without Paracosm or peft."""

from pathlib import Path
from typing import Annotated, Literal

import typer


def export(
    run: Annotated[
        Path,
        typer.Argument(
            metavar="RUN|PULLED", help="A run with a finished finetune stage, or a pulled folder."
        ),
    ],
    folder: Annotated[Path, typer.Argument(metavar="FOLDER", help="New folder to write.")],
    dtype: Annotated[
        Literal["float32", "bfloat16"], typer.Option(help="Precision of the merge and of the weights.")
    ] = "float32",
) -> None:
    """Merge base model and adapter into one plain model.

    Writes safetensors with the whole head, and the tokenizer.
    """
    from paracosm.finetune.models.trained_model import export, is_trained
    from paracosm.foundation.errors import RunError
    from paracosm.recipes.run.directory import Run
    from paracosm.recipes.run.open_run import is_run
    from paracosm.recipes.run.stage import check_unchanged
    from paracosm.registry.pulled import is_pulled
    from paracosm.registry.versions.checks import check_version
    from paracosm.registry.versions.manifest import Version

    if folder.exists():
        raise RunError(f"{folder}: exists; name a new folder")
    adapter = run
    if is_pulled(run):
        version = Version.load(run)
        check_version(version)
        if not version.holds_adapter:
            raise RunError(f"{run}: {version.reference} releases records alone, without an adapter to export")
    elif is_run(run):
        adapter = Run(run).adapter
        check_unchanged(Run(run), ("finetune",))
    elif not is_trained(run):
        raise RunError(f"{run}: is not a run, a pulled version or an adapter folder")
    export(adapter, folder, dtype)
    print(f"exported  {folder}")
