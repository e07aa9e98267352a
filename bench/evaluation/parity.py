"""Agreement with other implementations: column scores with SDMetrics, MAUVE and C2ST with plain reference code.

    python bench/evaluation/parity.py

Creates a virtual environment below .make for SDMetrics (MIT), which needs an older pandas. The references for MAUVE and
the C2ST are written here from the papers' formulas, independently of the package's code.
"""

import json
import subprocess
import sys
import tempfile
from itertools import pairwise
from pathlib import Path

import numpy as np
import pandas as pd
from rich.console import Console
from rich.table import Table
from scipy.stats import entropy, ks_2samp
from sklearn.cluster import KMeans
from sklearn.decomposition import PCA
from sklearn.ensemble import HistGradientBoostingClassifier
from sklearn.metrics import roc_auc_score
from sklearn.model_selection import StratifiedKFold

from paracosm.eval.fidelity.c2st import classifier_auc
from paracosm.eval.fidelity.marginals import marginals
from paracosm.eval.measuring.context import Context
from paracosm.eval.statistics.two_sample import mauve
from paracosm.recipes.sections.evaluate import Evaluate

sys.path.insert(0, str(Path(__file__).parents[2] / "tests"))
from example_tables import PATIENTS, patients

ROOT = Path(__file__).parents[2]
NUMBERS, WORDS = ("age", "pressure"), ("sex", "stage")
SCRIPT = """
import json, sys, pandas as pd
from sdmetrics.single_column import KSComplement, TVComplement
real, fake = (pd.read_csv(path) for path in sys.argv[1:3])
out = {}
for name in ("age", "pressure"):
    out[name] = KSComplement.compute(real[name].dropna(), fake[name].dropna())
for name in ("sex", "stage"):
    out[name] = TVComplement.compute(real[name], fake[name])
print(json.dumps(out))
"""


def main() -> None:
    table = Table(title="parity")
    for column in ("metric", "paracosm", "reference", "difference", "allowed"):
        table.add_column(column)
    worst = 0.0
    for name, value, reference, allowed in (*against_sdmetrics(), *against_references()):
        worst = max(worst, abs(value - reference) / allowed)
        table.add_row(
            name, f"{value:.10f}", f"{reference:.10f}", f"{abs(value - reference):.1e}", f"{allowed:.0e}"
        )
    Console(width=120).print(table)
    sys.exit(worst > 1)


def against_sdmetrics() -> list[tuple[str, float, float, float]]:
    """Return the scores of paracosm and SDMetrics on columns, and the tolerance."""
    table = patients(900, 0)
    # SDMetrics drops missing cells and paracosm counts them, so the table has none.
    table["pressure"] = table["pressure"].fillna(table["pressure"].mean()).round(1)
    real, fake = table.iloc[:500].reset_index(drop=True), table.iloc[500:].reset_index(drop=True)
    context = Context(PATIENTS, real, fake, None, None, Evaluate(bootstrap=100, repeats=1), len(fake))
    scores = marginals(context, fake)["marginals"].breakdown
    return [(name, scores[name], value, 1e-9) for name, value in sdmetrics(real, fake).items()]


def sdmetrics(real: pd.DataFrame, fake: pd.DataFrame) -> dict[str, float]:
    """Return the scores of SDMetrics, computed in a separate virtual environment."""
    python = ROOT / ".make" / "sdmetrics" / "bin" / "python"
    if not python.is_file():
        subprocess.run([sys.executable, "-m", "venv", python.parents[2]], check=True)
        install = [python, "-m", "pip", "install", "--quiet", "sdmetrics==0.32.0", "pandas<3"]
        subprocess.run(install, check=True)
    with tempfile.TemporaryDirectory() as folder:
        paths = [Path(folder) / f"{name}.csv" for name in ("real", "fake")]
        for side, path in zip((real, fake), paths, strict=True):
            side.to_csv(path, index=False)
        done = subprocess.run([python, "-c", SCRIPT, *paths], check=True, capture_output=True, text=True)
    return json.loads(done.stdout.strip().splitlines()[-1])


def against_references() -> list[tuple[str, float, float, float]]:
    """Return MAUVE, C2ST and KS distance of paracosm and of direct implementations of their definitions."""
    random = np.random.default_rng(0)
    p, q = random.normal(size=(400, 8)), random.normal(0.3, 1.1, size=(400, 8))
    rows = [("mauve", mauve(p, q), reference_mauve(p, q), 1e-6)]
    table = patients(1200, 3)
    real, fake = table.iloc[:400].reset_index(drop=True), table.iloc[400:800].reset_index(drop=True).copy()
    fake["pressure"] = fake["pressure"] + 6
    held_out = table.iloc[800:].reset_index(drop=True)
    context = Context(PATIENTS, real, held_out, None, None, Evaluate(bootstrap=100, repeats=3), 400)
    auc = classifier_auc(context, fake)["c2st_auc"]
    rows.append(("c2st_auc", auc.value, reference_c2st(real, fake), auc.high - auc.low))
    ks = 1 - ks_2samp(real["age"].astype(float), fake["age"].astype(float)).statistic
    rows.append(("1 - KS of age (scipy)", marginals(context, fake)["marginals"].breakdown["age"], ks, 1e-9))
    return rows


def reference_mauve(p: np.ndarray, q: np.ndarray, mixtures: int = 25, scale: float = 5.0) -> float:
    """Return MAUVE by the definition: both ends of the frontier, trapezoids between its points sorted by x."""
    data = PCA(0.9, svd_solver="full").fit_transform(np.concatenate([p, q]))
    labels = KMeans(40, n_init=3, max_iter=100, random_state=0).fit_predict(data)
    bins = [np.histogram(side, np.arange(41) - 0.5)[0] / len(side) for side in (labels[:400], labels[400:])]
    curve = [(0.0, 1.0), (1.0, 0.0)]
    for weight in np.arange(1, mixtures + 1) / (mixtures + 1):
        mixed = weight * bins[0] + (1 - weight) * bins[1]
        curve.append(tuple(np.exp(-scale * entropy(side, mixed)) for side in bins[::-1]))
    curve.sort(key=lambda point: (point[0], -point[1]))
    return float(sum((b[0] - a[0]) * (a[1] + b[1]) / 2 for a, b in pairwise(curve)))


def reference_c2st(real: pd.DataFrame, fake: pd.DataFrame) -> float:
    """Return the pooled out-of-fold AUC of default gradient boosting on ordinal codes, mean of three divisions."""
    both = pd.concat([fake, real], ignore_index=True)
    coded = both.apply(
        lambda column: pd.factorize(column, sort=True)[0] if column.dtype == "string" else column
    )
    matrix, labels = (
        coded.astype("Float64").to_numpy(dtype=float, na_value=np.nan),
        np.repeat([1, 0], [len(fake), len(real)]),
    )
    aucs = []
    for seed in range(3):
        scores = np.empty(len(both))
        for train, test in StratifiedKFold(5, shuffle=True, random_state=seed).split(matrix, labels):
            learner = HistGradientBoostingClassifier(max_iter=100, random_state=seed).fit(
                matrix[train], labels[train]
            )
            scores[test] = learner.predict_proba(matrix[test])[:, 1]
        aucs.append(roc_auc_score(labels, scores))
    return float(np.mean(aucs))


if __name__ == "__main__":
    main()
