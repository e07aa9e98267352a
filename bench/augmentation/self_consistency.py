"""Self-consistency of the derived columns of a run: synthetic records, held-out real ones, and texts swapped between records.

python bench/augmentation/self_consistency.py runs/finance-market-news
"""

import sys
from pathlib import Path

import pandas as pd

from paracosm.eval.features.consistency import MEASURE
from paracosm.eval.measuring.context import Context
from paracosm.recipes.run.directory import SPLITS, Run
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table

run = Run.open(Path(sys.argv[1]))
schema = Schema.load(run.schema)
names = [field.name for field in schema.modelled]
parts = {name: read_table(run.split(name), schema)[names].reset_index(drop=True) for name in SPLITS}
shards = [read_table(path, schema) for path in sorted(run.synthetic.glob("part-*.parquet"))]
synthetic = pd.concat(shards, ignore_index=True)[names]
size = min(len(synthetic), len(parts["control"]) + len(parts["test"]))
context = Context(schema, parts["train"], parts["control"], parts["test"], None, Evaluate(), size)
for anchor, pair in MEASURE.candidates(context, synthetic).items():
    for name, estimate in MEASURE.function(*pair).items():
        print(f"{anchor:<10}{name:<22}{estimate.value:.3f} [{estimate.low:.3f}, {estimate.high:.3f}]")
