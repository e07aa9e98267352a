"""Keeping the libraries' own talk out of this program's output."""

import logging
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    pass


def quiet() -> None:
    """Keep the libraries' own progress bars and advice out of this program's output."""
    import warnings

    from datasets.utils import disable_progress_bars
    from transformers.utils import logging as transformers_logging

    transformers_logging.set_verbosity_error()
    transformers_logging.disable_progress_bar()
    disable_progress_bars()
    logging.getLogger("accelerate").setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
