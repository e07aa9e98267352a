"""Context manager that silences log messages and progress bars of transformers, datasets, accelerate and bitsandbytes."""

import logging
import warnings
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from threading import Lock

LOGGERS = ("accelerate", "bitsandbytes")
"""Libraries that log through the standard library; bitsandbytes logs missing kernels as soon as peft imports it."""

_lock = Lock()
_active = 0
_restore = ExitStack()


@contextmanager
def quiet_libraries() -> Iterator[None]:
    """Show errors of the libraries only, and none of their progress bars; restore the caller's settings afterwards.

    The settings are global to the process. With nested or concurrent uses, the first one to begin changes them and the
    last one to end restores them. Also usable as a decorator.
    """
    global _active
    with _lock:
        if _active == 0:
            _silence(_restore)
        _active += 1
    try:
        yield
    finally:
        with _lock:
            _active -= 1
            if _active == 0:
                _restore.close()


def _enable_progress_bar() -> None:
    from transformers.utils import logging as transformers_logging

    with warnings.catch_warnings():
        # It warns where the environment disables the hub's progress bars, and then leaves them disabled.
        warnings.simplefilter("ignore")
        transformers_logging.enable_progress_bar()


def _silence(restore: ExitStack) -> None:
    """Silence the libraries, and register in `restore` what undoes it."""
    from datasets.utils import are_progress_bars_disabled, disable_progress_bars, enable_progress_bars
    from transformers.utils import logging as transformers_logging

    restore.callback(transformers_logging.set_verbosity, transformers_logging.get_verbosity())
    transformers_logging.set_verbosity_error()
    if transformers_logging.is_progress_bar_enabled():
        restore.callback(_enable_progress_bar)
        transformers_logging.disable_progress_bar()
    if not are_progress_bars_disabled():
        restore.callback(enable_progress_bars)
        disable_progress_bars()
    for name in LOGGERS:
        logger = logging.getLogger(name)
        restore.callback(logger.setLevel, logger.level)
        logger.setLevel(logging.ERROR)
    restore.enter_context(warnings.catch_warnings())
    warnings.filterwarnings("ignore", category=FutureWarning, module="transformers")
