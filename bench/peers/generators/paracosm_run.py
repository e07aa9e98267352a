"""Run a strategy of Paracosm on a table: TRAIN.parquet OUT.parquet ROWS SEED SECONDS STRATEGY, as `paracosm.fit` does by default."""

import sys

import pandas as pd

import paracosm
from paracosm.foundation.progress import silent

train, out, rows, seed, seconds, strategy = sys.argv[1:]
settings = {
    "finetune.seed": int(seed),
    "statistical.seed": int(seed),
    "finetune.max_minutes": float(seconds) / 60,
}
model = paracosm.fit(
    pd.read_parquet(train), strategy=strategy, overrides={**settings, "data.rare": "keep"}, progress=silent
)
model.sample(int(rows), seed=int(seed)).to_parquet(out)
