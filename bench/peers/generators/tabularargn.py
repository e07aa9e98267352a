"""Fit TabularARGN of mostlyai-engine on a table, and sample: TRAIN.parquet OUT.parquet ROWS SEED SECONDS."""

import sys

import pandas as pd
from mostlyai.engine import TabularARGN, set_random_state

train, out, rows, seed, seconds = sys.argv[1:]
set_random_state(int(seed))
model = TabularARGN(max_training_time=float(seconds) / 60, verbose=0)
model.fit(pd.read_parquet(train))
model.sample(n_samples=int(rows)).to_parquet(out)
