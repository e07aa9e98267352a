"""Domain adaptation: bits per held-out document and per control record, with and without a first training on another corpus.

    pip install "paracosm[adapt]"
    python bench/training/adaptation.py CORPUS COLUMN RECORDS COLUMN [KEY=VALUE]...

CORPUS and RECORDS are tables; of each, one column of texts is read. The records are trained twice with the same recipe, once on
the base model as it was published and once on the adapted one.
"""

import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from paracosm.finetune.adaptation.bits import document_nats, mean_bits
from paracosm.finetune.adaptation.encoding import encode
from paracosm.finetune.models.base_model import load_tokenizer
from paracosm.finetune.models.domain import load_domain_base
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.stage import train
from paracosm.foundation.progress import to_stderr
from paracosm.recipes.loading.load import recipe_of
from paracosm.recipes.loading.overrides import read_overrides
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table
from paracosm.records.sources.read_source import read_source
from paracosm.records.stage import prepare

MOST_DOCUMENTS = 100
"""Control texts whose bits are measured under the bare and the adapted base."""


def main(corpus: str, corpus_column: str, records: str, column: str, *changes: str) -> None:
    """Train with and without adaptation, and print a table of bits."""
    plain = {
        "name": "adaptation",
        "data": {"source": records, "fields": {column: {"type": "text"}}, "rare": "keep"},
        "adapt": {"source": corpus, "column": corpus_column, "held_out": 0.1},
        "finetune": {"learning_rate": 1e-3},
    }
    recipe = recipe_of(plain, read_overrides(changes))
    columns = list(read_source(recipe.data, root=Path()).columns)
    drop = [*recipe.data.drop, *(name for name in columns if name != column)]
    recipe = recipe.model_copy(update={"data": recipe.data.model_copy(update={"drop": drop})})
    with tempfile.TemporaryDirectory() as folder:
        bare, adapted = (
            _trained(each, Run.create(Path(folder) / name))
            for name, each in (("bare", recipe.model_copy(update={"adapt": None})), ("adapted", recipe))
        )
        corpus_facts = adapted["run"].journal.stage("adapt")["facts"]
        print(
            f"\n{recipe.model.base}, {recipe.model.layers or 'all'} layers; corpus: {corpus_facts['documents']:,} documents,"
            f" {corpus_facts['tokens']:,} tokens, {corpus_facts['epochs']} epochs;"
            f" records: {bare['rows']:,} for training\n"
        )
        print("| bits | without | with |\n| --- | --- | --- |")
        print(
            f"| per held-out document of the corpus ({corpus_facts['measured_documents']}) |"
            f" {corpus_facts['bits_before']:,.0f} | {corpus_facts['bits_after']:,.0f} |"
        )
        before, after = (
            _control_bits(recipe, adapted["run"], domain) for domain in (None, adapted["run"].adaptation)
        )
        print(f"| per control text, no record learnt | {before:,.1f} | {after:,.1f} |")
        print(f"| per control record, records learnt | {bare['bits']:.1f} | {adapted['bits']:.1f} |")
        print(f"| epoch that was kept | {bare['epoch']:g} | {adapted['epoch']:g} |")
        print(f"| minutes | {bare['minutes']:.1f} | {adapted['minutes']:.1f} |")


def _trained(recipe: Recipe, run: Run) -> dict[str, Any]:
    prepare(recipe=recipe, run=run, root=Path(), progress=to_stderr)
    began = time.monotonic()
    train(recipe=recipe, run=run, root=Path(), progress=to_stderr)
    facts = run.journal.stage("finetune")["facts"]
    return {
        "run": run,
        "rows": run.journal.stage("records")["facts"]["rows"]["train"],
        "bits": facts["best_control_bits"],
        "epoch": facts["stopped"]["best_epoch"],
        "minutes": (time.monotonic() - began) / 60,
    }


@quiet_libraries()
def _control_bits(recipe: Recipe, run: Run, domain: Path | None) -> float:
    """Return the mean bits of control texts under a base model that has seen no record."""
    table = read_table(run.split("control"), Schema.load(run.schema))
    texts = [str(cell) for cell in table.iloc[:, 0].dropna()][:MOST_DOCUMENTS]
    documents = encode(texts, load_tokenizer(recipe.model), "all")
    return mean_bits(document_nats(load_domain_base(recipe.model, domain), documents, block=512))[0]


if __name__ == "__main__":
    main(*sys.argv[1:])
