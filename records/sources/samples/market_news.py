"""The sample `market-news`: days of the S&P 500 with their regime, and a headline that is made up for each.

Prices are those in the package `arch` (daily, 1999 to 2018). Headlines are put together from the parts below, by the regime and the return of
the day; nobody published them.
"""

import importlib.util
from pathlib import Path

import numpy as np
import pandas as pd

from paracosm.foundation.errors import DataError

NAME = "market-news"
PRICES = ("arch", "data/sp500/sp500.csv.gz")
WINDOW = 20
"""Trading days over which the trend and the volatility of a regime are taken."""
TRADING_DAYS = 252
STRIDE = 2
"""Every second day: neighbours have nearly the same regime and volatility."""
CONTRARY = 0.1
"""Share of the headlines whose tone is not that of the day: news and prices do not always agree."""
SEED = 20
SUBJECTS = (
    "Wall Street",
    "US stocks",
    "The S&P 500",
    "Equities",
    "The stock market",
    "Investors",
    "Shares in New York",
)
TONES: tuple[tuple[str, ...], ...] = (
    (
        "crash in panic selling",
        "suffer a terrible rout",
        "collapse as fear takes hold",
        "plunge in a brutal session",
    ),
    (
        "fall on worries",
        "lose ground as doubts grow",
        "slip in a weak session",
        "retreat on disappointing news",
    ),
    ("end little changed", "drift sideways in thin trading", "hold steady", "mark time before new data"),
    (
        "gain on solid news",
        "edge higher with confidence",
        "improve after good results",
        "climb on support from buyers",
    ),
    (
        "soar on great optimism",
        "win big in a strong rally",
        "jump to an impressive gain",
        "surge as happy buyers return",
    ),
)
"""From the worst day to the best."""
CAUSES: dict[str, tuple[str, ...]] = {
    "crash": (
        "as lenders face a crisis",
        "while credit markets freeze",
        "after another bank failure",
        "as margin calls spread",
    ),
    "turbulent": ("in volatile trading", "as swings widen", "while traders hedge", "after a nervous open"),
    "decline": (
        "as earnings disappoint",
        "on slower growth",
        "while rates rise",
        "after weak factory orders",
    ),
    "calm": ("in quiet trading", "ahead of the Fed minutes", "before the holiday", "as volume stays low"),
    "rally": (
        "as earnings beat forecasts",
        "on hopes for growth",
        "after strong jobs data",
        "as technology leads",
    ),
}
STEPS = (-1.5, -0.4, 0.4, 1.5)
"""Returns of a day, in percent, between the tones."""


def market_news() -> pd.DataFrame:
    """Return the sample: `regime`, `return` (percent), `volatility` (percent a year) and `headline`, about 2,500 rows.

    Raises:
        DataError: the package with the prices is not installed.
    """
    spec = importlib.util.find_spec(PRICES[0])
    if spec is None or spec.origin is None:
        raise DataError(
            f'sample:{NAME}: needs the package {PRICES[0]}; install it with: pip install "paracosm[news]"'
        )
    prices = pd.read_csv(Path(spec.origin).parent / PRICES[1])["Adj Close"]
    returns = pd.Series(np.log(prices)).diff()
    trend = returns.rolling(WINDOW).sum()
    volatility = returns.rolling(WINDOW).std() * np.sqrt(TRADING_DAYS)
    days = pd.DataFrame({"day": 100 * returns, "trend": 100 * trend, "volatility": 100 * volatility}).dropna()
    numbers = days.iloc[::STRIDE].to_numpy(dtype=float)
    random = np.random.default_rng(SEED)
    rows = []
    for day, trend_of_day, volatility_of_day in numbers.tolist():
        regime = _regime(trend_of_day, volatility_of_day)
        rows.append(
            {
                "regime": regime,
                "return": f"{day:.2f}",
                "volatility": f"{volatility_of_day:.1f}",
                "headline": _headline(regime, day, random),
            }
        )
    return pd.DataFrame(rows).astype("string")


def _regime(trend: float, volatility: float) -> str:
    """Return the regime of a day by the return (percent) and the volatility (percent a year) of the twenty days before."""
    if trend < -8:
        return "crash"
    if volatility > 25:
        return "turbulent"
    if trend < -2:
        return "decline"
    return "rally" if trend > 3.5 else "calm"


def _headline(regime: str, day: float, random: np.random.Generator) -> str:
    tone = int(np.searchsorted(STEPS, day))
    if random.random() < CONTRARY:
        tone = int(random.integers(len(TONES)))
    subject, verb, cause = (
        parts[int(random.integers(len(parts)))] for parts in (SUBJECTS, TONES[tone], CAUSES[regime])
    )
    if subject.startswith(("Wall", "The")):
        first, _, rest = verb.partition(" ")
        verb = f"{first}{'es' if first.endswith('sh') else 's'} {rest}"
    return f"{subject} {verb} {cause}"
