"""The sample `market-news`: regimes of real prices, and headlines whose tone goes with the return."""

import numpy as np
import pytest

from paracosm.foundation.errors import DataError
from paracosm.recipes.sections.data import Data
from paracosm.records.features.sentiment import sentiment
from paracosm.records.sources.read_source import read_source, source_digest
from paracosm.records.sources.samples import market_news as module

SAMPLE = Data(source="sample:market-news")


def test_headlines_go_with_the_return_of_their_day(tmp_path) -> None:
    pytest.importorskip("arch", reason="the prices are in the package arch")
    table = read_source(SAMPLE, root=tmp_path)
    assert list(table.columns) == ["regime", "return", "volatility", "headline"]
    assert table.equals(read_source(SAMPLE, root=tmp_path))
    assert set(table["regime"]) == {"crash", "turbulent", "decline", "calm", "rally"}
    volatility = table["volatility"].astype(float).groupby(table["regime"]).mean()
    assert volatility["crash"] > volatility["decline"] > volatility["rally"] / 2
    tone = sentiment(table["headline"].tolist(), None)
    assert np.corrcoef(tone, table["return"].astype(float))[0, 1] > 0.5
    assert source_digest(SAMPLE, root=tmp_path) is None


def test_without_the_prices_the_message_names_the_extra(tmp_path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module.importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"sample:market-news: needs the package arch; .*paracosm\[news\]"):
        read_source(SAMPLE, root=tmp_path)
