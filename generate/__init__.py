"""Generation: samples synthetic records from a fine-tuned adapter, each valid under the schema's grammar."""

from typing import TYPE_CHECKING

from paracosm.foundation.lazy import lazy_names

if TYPE_CHECKING:
    from paracosm.generate.imputation import impute
    from paracosm.generate.stage import sample

__all__ = ["impute", "sample"]

__getattr__, __dir__ = lazy_names(__name__, {"sample": "stage", "impute": "imputation"})
