"""Text layouts of a record for a language model: tokens per record, and what each layout learns in equal time.

    python bench/training/record_layouts.py healthcare-heart --minutes 2
    python bench/training/record_layouts.py my.yaml --minutes 2 data.source=my.csv

Every layout trains the same base model on the same records with the same trainer for the same number of minutes. The
layouts `places` and `markers` are the codec's; the others write a record as plain text, as other generators do, and every
token of names, quotes and separators costs time. Bits per control record are the whole negative log-likelihood of a
held-out record, so layouts are comparable: fewer bits are better.
"""

import argparse
import json
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from rich.console import Console
from rich.table import Table

from paracosm.finetune.stage import train
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Field, Record, Schema
from paracosm.records.schema.table import to_records, to_table, write_table
from paracosm.records.stage import preview

Cells = list[tuple[str, str | None]]


def named(cells: Cells) -> str:
    """Return `age is 63, sex is Male`, the layout of GReaT (Borisov et al. 2023)."""
    return ", ".join(f"{name} is {cell}" for name, cell in cells)


def as_json(cells: Cells) -> str:
    """Return one JSON object."""
    return json.dumps(dict(cells), ensure_ascii=False)


def separated(cells: Cells) -> str:
    """Return the values alone, separated by bars."""
    return "|".join("" if cell is None else cell for _, cell in cells)


TEXTS: dict[str, Callable[[Cells], str]] = {
    "text: name is value": named,
    "text: JSON": as_json,
    "text: values, bars": separated,
}
CODES = {
    "codec: places, fixed order": "fixed",
    "codec: markers, shuffled order": "shuffled",
}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("recipe", nargs="?", default="healthcare-heart")
    parser.add_argument("overrides", nargs="*")
    parser.add_argument("--minutes", type=float, default=2.0)
    parser.add_argument("--runs", type=Path, default=Path("runs/layouts"))
    arguments = parser.parse_intermixed_args()
    limits = [f"finetune.max_minutes={arguments.minutes}", "finetune.epochs=1000", "finetune.patience=null"]
    recipe = load_recipe(Path(arguments.recipe), [*limits, *arguments.overrides])
    schema, tables = preview(recipe, root=Path(arguments.recipe).resolve().parent)
    splits = {name: to_records(tables[name], schema) for name in ("train", "control")}
    shutil.rmtree(arguments.runs, ignore_errors=True)
    table = Table(
        title=f"{arguments.recipe}: {len(splits['train'])} records, {arguments.minutes:g} minutes each"
    )
    for column in (
        "layout",
        "tokens per record",
        "decisions",
        "tokens/s",
        "epochs",
        "bits per control record",
    ):
        table.add_column(column, justify="left" if column == "layout" else "right")
    for name, order in CODES.items():
        settings = recipe.model_copy(update={"finetune": recipe.finetune.model_copy(update={"order": order})})
        table.add_row(name, *_trained(settings, schema, splits, arguments.runs / order))
    for name, write in TEXTS.items():
        text_schema, texts = as_texts(schema, splits, write)
        folder = arguments.runs / write.__name__
        table.add_row(name, *_trained(recipe, text_schema, texts, folder))
    Console(width=120).print(table)


def as_texts(
    schema: Schema, splits: dict[str, list[Record]], write: Callable[[Cells], str]
) -> tuple[Schema, dict[str, list[Record]]]:
    """Return the schema with one text field, and the records as texts."""
    texts = {
        name: [
            write([(field.name, field.write(record[field.name])) for field in schema.modelled])
            for record in part
        ]
        for name, part in splits.items()
    }
    longest = max(len(text) for part in texts.values() for text in part)
    field = Field(name="record", type="text", min_length=1, max_length=longest)
    return Schema((field,)), {name: [{"record": text} for text in part] for name, part in texts.items()}


def _trained(
    recipe: Recipe,
    schema: Schema,
    splits: dict[str, Sequence[Record]] | dict[str, list[Record]],
    folder: Path,
) -> list[str]:
    run = Run.create(folder)
    for name, records in splits.items():
        write_table(to_table(list(records), schema), run.split(name), schema)
    schema.save(run.schema)
    train(recipe=recipe, run=run, progress=lambda line: print(f"  {folder.name}: {line}", flush=True))
    facts = run.journal.stage("finetune")["facts"]
    return [
        f"{facts['tokens_per_record']:.1f}",
        f"{facts['decisions_per_record']:.1f}",
        f"{facts['tokens_per_second']:,.0f}",
        f"{facts['stopped']['best_epoch']:.1f} of {facts['stopped']['epoch']:.1f}",
        f"{facts['best_control_bits']:.2f}",
    ]


if __name__ == "__main__":
    main()
