"""What `import paracosm` offers, and what importing it leaves alone."""

import inspect
import math
import subprocess
import sys

import pandas as pd
import pytest

import paracosm
from paracosm.foundation.progress import silent
from paracosm.report import Report
from paracosm.table_evaluation import evaluate


def test_only_public_names_are_listed() -> None:
    assert dir(paracosm) == sorted(set(paracosm.__all__) - {"__version__"})
    assert {"fit", "load", "evaluate", "init", "validate", "run", "publish", "pull"} < set(dir(paracosm))


@pytest.mark.parametrize("name", sorted(set(paracosm.__all__) - {"__version__"}))
def test_every_name_is_documented_and_typed(name: str) -> None:
    public = getattr(paracosm, name)
    assert public.__doc__
    if inspect.isfunction(public):
        signature = inspect.signature(public)
        assert signature.return_annotation is not inspect.Signature.empty
        assert [each.name for each in signature.parameters.values() if each.annotation is each.empty] == []


def test_importing_the_package_imports_nothing_heavy() -> None:
    code = (
        "import sys, paracosm; dir(paracosm);"
        "heavy = {'torch', 'transformers', 'pandas', 'numpy', 'pydantic', 'rich', 'typer'};"
        "assert not heavy & set(sys.modules), heavy & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_windows_gets_one_line() -> None:
    code = "import sys; sys.platform = 'win32'; import paracosm.cli.app"
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code], capture_output=True, text=True, check=False
    )
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        "error: Paracosm runs on Linux and macOS; on Windows, install it in WSL 2: https://learn.microsoft.com/windows/wsl"
    ]


def test_an_unknown_name_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match="no attribute 'os'"):
        _ = paracosm.os  # type: ignore[attr-defined]


def test_two_tables_alone_cannot_clear_leakage() -> None:
    real = pd.DataFrame({"age": [30 + row % 40 for row in range(120)], "sex": ["F", "M", "F"] * 40})
    report = evaluate(real=real, synthetic=real[::-1], eval={"repeats": 1, "bootstrap": 100}, progress=silent)
    assert isinstance(report, Report)
    assert report.verdict in ("INCONCLUSIVE", "FAIL")
    frame = report.to_frame()
    assert math.isnan(report["data_mia_auc"])
    assert frame.loc[frame["section"] == "fidelity", "value"].notna().any()
    states = set(
        report.gates().loc[
            lambda gates: gates["metric"].isin(frame.index[frame["section"] == "privacy"]), "state"
        ]
    )
    assert "PASS" not in states
