"""Series in time: what is read, what each method keeps and breaks, scenarios, and the metrics between their anchors."""

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from paracosm.cli.app import main
from paracosm.eval.sequences.metrics import autocorrelations, forecast_skill, measure_sequences, steps_of
from paracosm.foundation.errors import DataError, RecipeError
from paracosm.generate.series.decomposition import decompose
from paracosm.generate.series.methods import METHODS, Method, blocks
from paracosm.generate.series.paths import as_table, paths
from paracosm.generate.series.regimes import states_of, transitions
from paracosm.generate.series.scenario import Scenario
from paracosm.generate.series.series import Series, read_series


def monthly(steps: int = 240, seed: int = 0) -> Series:
    """Return two columns with trend, season and an autocorrelated rest that they share."""
    random = np.random.default_rng(seed)
    rest = np.zeros(steps)
    for step in range(1, steps):
        rest[step] = 0.8 * rest[step - 1] + random.normal(0, 0.3)
    at = np.arange(steps)
    first = 100 + 0.2 * at + 5 * np.sin(2 * np.pi * at / 12) + rest
    second = 40 + 2 * np.cos(2 * np.pi * at / 12) + rest + random.normal(0, 0.1, steps)
    times = pd.date_range("2000-01-01", periods=steps, freq="MS")
    return Series(times, ("first", "second"), np.stack([first, second], axis=1))


def market(steps: int = 1500) -> Series:
    """Return prices whose steps are large in turns of 100."""
    random = np.random.default_rng(1)
    spread = np.where(np.arange(steps) // 100 % 3 == 2, 0.03, 0.005)
    prices = 100 * np.exp(np.cumsum(random.normal(0.0003, spread)))
    return Series(pd.Index(np.arange(float(steps))), ("price",), prices[:, None])


def test_parts_add_up_and_the_season_is_found() -> None:
    series = monthly()
    parts = decompose(series.values, 12)
    assert parts.logarithmic.all()
    together = parts.trend + parts.seasonal(0, len(series)) + parts.remainder
    assert parts.values(together) == pytest.approx(series.values)
    assert parts.season.sum(axis=0) == pytest.approx(0, abs=1e-9)
    assert int(parts.season[:, 0].argmax()) == 3
    signed = decompose(series.values - 60, 12)
    assert signed.logarithmic.tolist() == [True, False]
    assert decompose(np.arange(24.0)[:, None], 1).trend[:, 0].tolist() == list(range(24))


def test_blocks_are_neighbours_and_keep_columns_together() -> None:
    rows = np.stack([np.arange(50.0), -np.arange(50.0)], axis=1)
    drawn = blocks(rows, 40, 8, np.random.default_rng(0))
    assert drawn.shape == (40, 2)
    assert (drawn[:, 0] == -drawn[:, 1]).all()
    assert (np.diff(drawn[:8, 0]) == 1).all()


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("ahead", [0, 18])
def test_a_path_follows_from_its_number(method: Method, ahead: int) -> None:
    if method == "structural":
        pytest.importorskip("statsmodels")
    series = monthly(96)
    both = paths(method, series, count=2, period=12, ahead=ahead, seed=3)
    assert both.shape == (2, ahead or 96, 2)
    assert np.isfinite(both).all()
    assert (paths(method, series, count=1, period=12, ahead=ahead, seed=3)[0] == both[0]).all()
    assert not np.allclose(both[0], both[1])
    assert not np.allclose(paths(method, series, count=1, period=12, ahead=ahead, seed=4)[0], both[0])


def test_paths_are_like_a_later_stretch_and_not_like_shuffled_steps() -> None:
    series = monthly(360)
    past, later = series.part(0, 240), series.part(240, 360)
    for method in ("bootstrap", "regime"):
        drawn = paths(method, past, count=8, period=12)
        for each in measure_sequences(list(drawn), past.values, later.values):
            near, far = abs(each.value - each.ceiling), abs(each.value - each.floor)
            assert near < far, (method, each.metric.name)


def test_regimes_are_ordered_by_spread_and_persist() -> None:
    series = market()
    steps = steps_of(series.values)
    states = states_of(steps)
    spreads = [np.abs(steps[states == state]).mean() for state in np.unique(states)]
    assert spreads[-1] > 3 * spreads[0]
    chain = transitions(states)
    assert chain.sum(axis=1) == pytest.approx(1)
    assert np.diag(chain).min() > 0.5

    def clustering(values: np.ndarray) -> float:
        return float(autocorrelations(np.abs(steps_of(values)[:, 0]), 20).mean())

    drawn = [clustering(path) for path in paths("regime", series, count=6)]
    shuffled = np.random.default_rng(0).permutation(steps)
    assert min(drawn) > 3 * abs(float(autocorrelations(np.abs(shuffled[:, 0]), 20).mean()))


def test_a_continuation_begins_where_the_series_ends() -> None:
    series = monthly()
    for method in ("bootstrap", "regime"):
        drawn = paths(method, series, count=30, period=12, ahead=24)
        expected = 100 + 0.2 * 263 + 5 * np.sin(2 * np.pi * 263 / 12)
        assert drawn[:, -1, 0].mean() == pytest.approx(expected, abs=3)
    table = as_table(drawn, series, "month", ahead=24)
    assert list(table.columns) == ["path", "month", "first", "second"]
    assert table["month"].iloc[0] == pd.Timestamp("2020-01-01")
    assert len(table) == 30 * 24


def test_a_scenario_changes_level_trend_volatility_and_shock() -> None:
    series = monthly()
    usual = paths("bootstrap", series, count=4, period=12, ahead=12)

    def under(text: str) -> np.ndarray:
        return paths("bootstrap", series, count=4, period=12, ahead=12, scenario=Scenario.read(text))

    assert under("level=5") - usual == pytest.approx(5.0)
    assert (under("trend=0.5") - usual)[0, :, 1] == pytest.approx(0.5 * np.arange(1, 13))
    shocked = (under("shock=-10%@5") - usual)[:, :, 0]
    assert shocked[:, :4] == pytest.approx(0.0, abs=1e-9)
    assert shocked[:, 4:] == pytest.approx(-0.1 * series.values[-1, 0])
    middle = np.log(under("volatility=0")[0])
    twice = (np.log(under("volatility=2")) - middle) / (np.log(usual) - middle)
    assert twice == pytest.approx(2.0)


@pytest.mark.parametrize(
    "text", ["shock=3", "level=5@2", "speed=2", "volatility=-1", "volatility=50%", "level=x"]
)
def test_a_scenario_that_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="--scenario"):
        Scenario.read(text)


def test_next_steps_are_forecast_from_what_moves_alike() -> None:
    series = monthly(360)
    steps = steps_of(series.values)
    later = steps[240:]
    assert forecast_skill(steps[:240], steps, later) > 0.6
    shuffled = np.random.default_rng(0).permutation(steps[:240])
    assert forecast_skill(shuffled, steps, later) < 0.2


def test_tables_are_read_in_the_order_of_time_with_gaps_filled(tmp_path: Path) -> None:
    table = pd.DataFrame({"t": range(40, 0, -1), "x": [str(n) for n in range(40)], "name": "a", "y": 1.5})
    table.loc[3, "x"] = ""
    table.to_csv(tmp_path / "x.csv", index=False)
    series, lines = read_series(str(tmp_path / "x.csv"), time="t")
    assert series.names == ("x", "y")
    assert series.values[-4:, 0].tolist() == [3.0, 2.0, 1.0, 0.0]
    assert lines == [
        "column 'x': 1 missing values are interpolated",
        "column 'name' is left out: it does not hold numbers alone",
    ]
    assert series.times_after(2).tolist() == [41.0, 42.0]


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("t,x\n" + "".join(f"{n // 2},1\n" for n in range(60)), "more than once"),
        ("t,x\n" + "".join(f"{n},1\n" for n in range(10)), "at least 30"),
        ("t,x\n" + "".join(f"{n},a\n" for n in range(40)), "no column beside 't' holds numbers"),
        ("t,x\nsoon,1\n" + "".join(f"{n},1\n" for n in range(40)), "row 1 is neither a date nor a number"),
        ("u,x\n" + "".join(f"{n},1\n" for n in range(40)), "no column 't'"),
    ],
)
def test_a_table_that_is_no_series_is_refused(content: str, words: str, tmp_path: Path) -> None:
    (tmp_path / "x.csv").write_text(content)
    with pytest.raises(DataError, match=words):
        read_series(str(tmp_path / "x.csv"), time="t")


def test_the_command_writes_paths_metrics_and_pictures(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    series = monthly(120)
    frame = pd.DataFrame(series.values, columns=list(series.names)).assign(month=series.times)
    frame.to_csv("sales.csv", index=False)
    with pytest.raises(SystemExit) as left:
        main(["series", "sales.csv", "--time", "month", "--period", "12", "--paths", "3", "--forward", "6"])
    assert left.value.code == 0
    assert "cross_correlation" in capsys.readouterr().out
    assert len(pd.read_csv("series/sales/paths.csv")) == 18
    page = Path("series/sales/report.html").read_text()
    assert page.count("<svg") == 3
    with pytest.raises(SystemExit) as left:
        main(["series", "sales.csv", "--time", "month", "--period", "40"])
    assert left.value.code == 2
    assert "at least three seasons" in capsys.readouterr().err
