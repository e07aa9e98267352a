"""Fit REaLTabFormer on a table, and sample: TRAIN.parquet OUT.parquet ROWS SEED SECONDS. It has no limit of time; epochs are its own."""

import sys

import pandas as pd
from realtabformer import REaLTabFormer

train, out, rows, seed, _ = sys.argv[1:]
model = REaLTabFormer(model_type="tabular", random_state=int(seed), logging_steps=10_000)
model.fit(pd.read_parquet(train), device="cpu")
model.sample(n_samples=int(rows), device="cpu").to_parquet(out)
