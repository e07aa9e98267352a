"""Regimes: states of a series by the mean and the spread of its steps, and the chain in which they follow each other."""

from typing import Any

import numpy as np

STATES = 5
WINDOW = 30
"""Steps over which mean and spread are taken."""
BLOCK = 50
"""Steps that are drawn together within one state, at most."""


def states_of(steps: np.ndarray) -> np.ndarray:
    """Return the state of each step, numbered by spread, the calmest first: (steps,).

    Args:
        steps: (steps, columns) differences of the series. States are those of the mean over standardised columns.
    """
    from sklearn.cluster import KMeans

    spread = steps.std(axis=0)
    market = ((steps - steps.mean(axis=0)) / np.where(spread > 0, spread, 1.0)).mean(axis=1)
    window = min(WINDOW, max(len(market) // 4, 2))
    views = np.lib.stride_tricks.sliding_window_view(market, window)
    features = np.stack([views.mean(axis=1), np.log(views.std(axis=1) + 1e-6)], axis=1)
    # The steps before the first whole window are counted to it.
    features = np.concatenate([np.repeat(features[:1], window - 1, axis=0), features])
    features = (features - features.mean(axis=0)) / np.maximum(features.std(axis=0), 1e-9)
    settings: dict[str, Any] = {"n_init": 5, "random_state": 0}
    labels = KMeans(STATES, **settings).fit_predict(features)
    order = np.argsort([features[labels == state, 1].mean() for state in range(STATES)])
    return np.argsort(order)[labels]


def transitions(states: np.ndarray) -> np.ndarray:
    """Return the chain of the states, with one observation more for each pair: (states, states), rows sum to one."""
    counts = np.ones((STATES, STATES)) / STATES
    np.add.at(counts, (states[:-1], states[1:]), 1)
    return counts / counts.sum(axis=1, keepdims=True)


def regime_steps(
    steps: np.ndarray, count: int, random: np.random.Generator, *, from_last: bool
) -> np.ndarray:
    """Draw steps: states follow the chain, and each is filled with neighbouring steps of that state: (count, columns).

    Args:
        steps: (steps, columns) of the series.
        count: steps to draw.
        random: random numbers.
        from_last: whether the first state follows the last one of the series; else it is drawn by its frequency.
    """
    states = states_of(steps)
    chain = transitions(states)
    state = int(states[-1]) if from_last else int(random.choice(states))
    drawn: list[int] = []
    path = []
    for _ in range(count):
        state = int(random.choice(STATES, p=chain[state]))
        path.append(state)
    while len(drawn) < count:
        at = len(drawn)
        run = next((n for n in range(at, count) if path[n] != path[at]), count) - at
        start = int(random.choice(np.flatnonzero(states == path[at])))
        length = next((n for n in range(start, len(states)) if states[n] != path[at]), len(states)) - start
        drawn += range(start, start + min(run, length, BLOCK))
    return steps[drawn]
