"""Ways to write a record for a language model: tokens per record, and what each layout learns in equal time.

    python bench/training/record_layouts.py healthcare-heart --minutes 2
    python bench/training/record_layouts.py my.yaml --minutes 2 data.source=my.csv

Every layout trains the same base model on the same records, by the same trainer, for the same number of minutes. The
layouts `places` and `markers` are the codec's; the others write a record as plain text, as other generators do, and pay
for every token of it: names, quotes, separators. Bits per control record are the whole negative log-likelihood of a
record that never trained, so layouts compare: fewer bits, better model.
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
    """Write `age is 63, sex is Male`, the layout of GReaT (Borisov et al. 2023)."""
    return ", ".join(f"{name} is {cell}" for name, cell in cells)


def as_json(cells: Cells) -> str:
    """Write one JSON object."""
    return json.dumps(dict(cells), ensure_ascii=False)


def separated(cells: Cells) -> str:
    """Write the values alone, with a bar between."""
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
    given = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    given.add_argument("recipe", nargs="?", default="healthcare-heart")
    given.add_argument("overrides", nargs="*")
    given.add_argument("--minutes", type=float, default=2.0)
    given.add_argument("--runs", type=Path, default=Path("runs/layouts"))
    asked = given.parse_intermixed_args()
    limits = [f"finetune.max_minutes={asked.minutes}", "finetune.epochs=1000", "finetune.patience=null"]
    recipe = load_recipe(Path(asked.recipe), [*limits, *asked.overrides])
    schema, tables = preview(recipe, root=Path(asked.recipe).resolve().parent)
    splits = {name: to_records(tables[name], schema) for name in ("train", "control")}
    shutil.rmtree(asked.runs, ignore_errors=True)
    table = Table(title=f"{asked.recipe}: {len(splits['train'])} records, {asked.minutes:g} minutes each")
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
        table.add_row(name, *_trained(settings, schema, splits, asked.runs / order))
    for name, write in TEXTS.items():
        one_text, texts = as_texts(schema, splits, write)
        folder = asked.runs / write.__name__
        table.add_row(name, *_trained(recipe, one_text, texts, folder))
    Console(width=120).print(table)


def as_texts(
    schema: Schema, splits: dict[str, list[Record]], write: Callable[[Cells], str]
) -> tuple[Schema, dict[str, list[Record]]]:
    """Return the records as records of one text field, and their schema."""
    texts = {
        name: [
            write([(each.name, each.write(record[each.name])) for each in schema.modelled]) for record in part
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
