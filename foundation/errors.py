"""What can go wrong that the user can mend: one line, exit code 2, no traceback."""


class ParacosmError(Exception):
    """An error that the user can mend. Its text is one line: what, where, what is allowed."""


class RecipeError(ParacosmError, ValueError):
    """A recipe, or an override of one, says something that is not allowed."""


class DataError(ParacosmError, ValueError):
    """A source, a table or a cell cannot be used as the recipe asks."""


class ModelError(ParacosmError, RuntimeError):
    """A base model or an adapter is missing, damaged or unsuitable."""


class RunError(ParacosmError, RuntimeError):
    """A run directory is locked, damaged, unwritable or lacks what a stage needs."""


class RegistryError(ParacosmError, RuntimeError):
    """A registry cannot be read or written, or refuses what it is given."""


class MissingExtraError(ParacosmError, ImportError):
    """A package of an optional extra is not installed."""


class PluginError(ParacosmError, RuntimeError):
    """A plug-in of another package cannot be loaded, or declares something that is not allowed."""
