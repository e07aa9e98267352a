"""`paracosm augment`: change the texts of a table by synonyms and by the grammar, with the other columns as they are."""

from pathlib import Path
from shutil import rmtree
from typing import Annotated

import typer

from paracosm.foundation.progress import indented, to_stderr


def augment(
    table: Annotated[str, typer.Argument(metavar="TABLE", help="Table with texts: CSV, JSONL or Parquet.")],
    overrides: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="KEY=VALUE", help="Override a key of generate.augment, e.g. generate.augment.share=0.2."
        ),
    ] = None,
    text: Annotated[
        list[str] | None,
        typer.Option(metavar="COLUMN", help="Column to augment; repeatable. All texts by default."),
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option(
            "--out",
            "-o",
            metavar="FILE",
            help="File to write (.csv, .jsonl, .parquet); TABLE.augmented.csv by default.",
        ),
    ] = None,
    times: Annotated[int, typer.Option(min=1, max=20, help="Augmented rows per row.")] = 1,
    seed: Annotated[int, typer.Option(help="Seed of the draws.")] = 0,
) -> None:
    """Augment the texts of a table.

    The column `parent` says which row each was made of. Results are near copies of real records: for training models inside only.
    English texts alone; needs the extra `augment`. After a kill, the same command goes on where it stopped.
    """
    from paracosm.foundation.errors import DataError, RecipeError
    from paracosm.generate.augmentation.augmented_table import augment_table, check_suffix, write_table
    from paracosm.recipes.loading.load import recipe_of
    from paracosm.recipes.loading.overrides import read_overrides
    from paracosm.records.inference.infer_schema import infer
    from paracosm.records.sources.read_source import read_source

    target = out or Path(f"{Path(table).name.split('.')[0]}.augmented.csv")
    check_suffix(target)
    given = read_overrides(overrides or [])
    for override in given:
        if tuple(override.path[:2]) not in (("generate", "augment"), ("data", "missing")):
            raise RecipeError(f"{override.label}: is not a key of generate.augment")
    recipe = recipe_of({"name": "augment", "data": {"source": table}}, given)
    raw = read_source(recipe.data, root=Path())
    texts = text or [field.name for field in infer(raw, recipe.data).schema if field.is_text]
    if not texts:
        raise DataError(f"{table}: has no column of texts; name one with --text")
    # Beside the result: what a killed command has done is not done again.
    work = target.with_name(f".{target.name}.parts")
    made = augment_table(
        raw,
        texts,
        recipe.generate.augment,
        times=times,
        seed=seed,
        work=work,
        progress=indented(to_stderr, 2),
    )
    write_table(made.table, target)
    rmtree(work)
    counts = ", ".join(f"{name} {count:,}" for name, count in made.operations.most_common())
    print(
        f"{target}  {len(made.table):,} rows of {len(raw) - made.unchanged:,} parents ({counts or 'nothing changed'})"
    )
    if made.unchanged:
        print(f"{made.unchanged:,} rows have no word or sentence that may change, and are left out")
    print("These rows are near copies of real ones: use them for training inside, and do not release them.")
