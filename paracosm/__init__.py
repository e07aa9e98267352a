"""Paracosm: synthetic records from a fine-tuned language model, and measurements of what they leak.

model = paracosm.fit(table, target="outcome")
synthetic = model.sample(1000)
report = paracosm.evaluate(real=table, synthetic=synthetic)
"""

import warnings
from typing import TYPE_CHECKING

from paracosm.foundation.lazy import lazy_names
from paracosm.foundation.process.windows import UNSUPPORTED, is_windows

if TYPE_CHECKING:
    from paracosm.fitting import fit, load
    from paracosm.model import Model
    from paracosm.pipeline import run
    from paracosm.plan import Plan, init, validate
    from paracosm.publication import publish, pull
    from paracosm.report import Report
    from paracosm.table_evaluation import evaluate

__version__ = "0.1.0"
__all__ = [
    "Model",
    "Plan",
    "Report",
    "__version__",
    "evaluate",
    "fit",
    "init",
    "load",
    "publish",
    "pull",
    "run",
    "validate",
]

if is_windows():
    warnings.warn(UNSUPPORTED, stacklevel=2)

# lazy, because every `import paracosm.<room>` passes through here
__getattr__, __dir__ = lazy_names(
    __name__,
    {
        "Model": "model",
        "Plan": "plan",
        "Report": "report",
        "evaluate": "table_evaluation",
        "fit": "fitting",
        "init": "plan",
        "load": "fitting",
        "publish": "publication",
        "pull": "publication",
        "run": "pipeline",
        "validate": "plan",
    },
)
