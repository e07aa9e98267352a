"""Paracosm: synthetic records from a fine-tuned language model, with the truth about what they leak."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from paracosm.pipeline import run

__version__ = "0.1.0"
__all__ = ["__version__", "run"]


def __getattr__(name: str) -> Any:
    # lazy, because every `import paracosm.<room>` passes through here
    if name == "run":
        from paracosm.pipeline import run

        return run
    raise AttributeError(f"module 'paracosm' has no attribute {name!r}")
