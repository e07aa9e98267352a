"""The Python blocks of README.md and docs/python.md run in order, with a tiny model."""

import re
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from tiny_models import save_tiny_llama

import paracosm
from paracosm.foundation.progress import silent

ROOT = Path(__file__).parents[3]
ROWS = 120


@pytest.mark.parametrize("page", ["README.md", "docs/python.md"])
def test_the_blocks_of_a_page_run(page: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    base = str(save_tiny_llama(tmp_path / "tiny"))
    fit, evaluate = paracosm.fit, paracosm.evaluate

    def small_fit(*data: Any, overrides: dict[str, Any] | None = None, **more: Any) -> Any:
        tiny = {"model.base": base, "model.layers": None, "finetune.epochs": 1}
        return fit(*data, overrides={**tiny, **(overrides or {})}, progress=silent, **more)

    def small_evaluate(**tables: Any) -> Any:
        return evaluate(eval={"repeats": 1, "bootstrap": 100}, progress=silent, **tables)

    monkeypatch.setattr(paracosm, "fit", small_fit, raising=False)
    monkeypatch.setattr(paracosm, "evaluate", small_evaluate, raising=False)
    monkeypatch.chdir(tmp_path)
    draw = np.random.default_rng(0)
    table = pd.DataFrame(
        {"age": draw.integers(20, 90, ROWS), "outcome": draw.choice(["alive", "dead"], ROWS)}
    )
    table.to_csv("patients.csv", index=False)
    blocks = re.findall(
        r"^```python\n(.*?)^```$", (ROOT / page).read_text(encoding="utf-8"), flags=re.DOTALL | re.MULTILINE
    )
    assert blocks
    names: dict[str, Any] = {}
    for block in blocks:
        exec(compile(block, page, "exec"), names)
    assert len(names["synthetic"]) == 1000
    assert set(names["synthetic"]["outcome"]) == {"dead"}
    assert (tmp_path / "runs" / "patients" / "run.json").is_file()
    if "filled" in names:
        assert names["filled"]["outcome"].notna().all()
