"""Exceptions for errors that the user can fix; the command prints them in one line, without a traceback."""

from paracosm.foundation.credentials.redaction import redact
from paracosm.foundation.printable import printable


class ParacosmError(Exception):
    """An error that the user can fix. Its text is one line: what is wrong, where, and what is allowed.

    Passwords and tokens of URLs in the text are hidden, so that no message can show one. Control characters are escaped.
    """

    def __init__(self, *arguments: object) -> None:
        super().__init__(
            *(
                printable(redact(argument)) if isinstance(argument, str) else argument
                for argument in arguments
            )
        )


class RecipeError(ParacosmError, ValueError):
    """A recipe or an override has a key or a value that is not allowed."""


class DataError(ParacosmError, ValueError):
    """A source, a table or a cell cannot be used in the way that the recipe requires."""


class ModelError(ParacosmError, RuntimeError):
    """A base model or an adapter is missing, damaged or unsuitable."""


class RunError(ParacosmError, RuntimeError):
    """A run directory is locked, damaged, not writable, or lacks what a stage needs."""


class RegistryError(ParacosmError, RuntimeError):
    """A registry cannot be read or written, or refuses the request."""


class MissingExtraError(ParacosmError, ImportError):
    """A package of an optional extra is not installed."""


class PluginError(ParacosmError, RuntimeError):
    """A plug-in of another package cannot be loaded, or declares something that is not allowed."""
