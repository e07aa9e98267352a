"""Methods of series beside each other, on CO2 at Mauna Loa (monthly) and on the S&P 500 (daily prices and volumes).

    python bench/generation/series.py

Needs the extra `series` and `pip install arch==8.0.0`: the data are those that these two packages hold. Each method is fitted to the first
three quarters of a series and compared with the last one; the floor are its steps in random order.
"""

import time

import arch.data.sp500
import numpy as np
import pandas as pd
import statsmodels.datasets.co2

from paracosm.eval.sequences.metrics import measure_sequences
from paracosm.generate.series.methods import Method
from paracosm.generate.series.paths import paths
from paracosm.generate.series.series import Series

PATHS = 20
METHODS: tuple[tuple[Method, int], ...] = (("bootstrap", PATHS), ("regime", PATHS), ("structural", 5))
"""Method, and how many paths; `structural` fits its model for each path."""


def main() -> None:
    co2 = statsmodels.datasets.co2.load().data["co2"].resample("MS").mean().interpolate()
    market = arch.data.sp500.load()[["Adj Close", "Volume"]]
    tables = {"CO2": (co2.to_frame(), 12), "S&P 500": (market, 1)}
    print("| series | method | metric | paths | later stretch | shuffled | s a path |\n|" + " --- |" * 7)
    for name, (table, period) in tables.items():
        series = Series(pd.DatetimeIndex(table.index), tuple(map(str, table)), table.to_numpy(dtype=float))
        cut = round(len(series) * 0.75)
        past, later = series.part(0, cut), series.part(cut, len(series))
        for method, count in METHODS:
            began = time.process_time()
            drawn = paths(method, past, count=count, period=period)
            seconds = (time.process_time() - began) / count
            for each in measure_sequences(list(drawn), past.values, later.values):
                cells = (
                    f"{each.value:.3f} [{each.low:.3f}, {each.high:.3f}]",
                    f"{each.ceiling:.3f}",
                    f"{each.floor:.3f}",
                    f"{seconds:.2f}",
                )
                print(f"| {name} | `{method}` | {each.metric.name} | {' | '.join(cells)} |", flush=True)
            ahead = paths(method, past, count=count, period=period, ahead=len(later))
            low, high = np.quantile(ahead, [0.05, 0.95], axis=0)
            inside = ((later.values >= low) & (later.values <= high)).mean()
            print(f"| {name} | `{method}` | in 90% of forecasts | {inside:.0%} | | | |", flush=True)


if __name__ == "__main__":
    main()
