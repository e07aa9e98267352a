"""The verbs of the registry as attributes of its package."""

import subprocess
import sys

import paracosm.registry

IMPORT_ALL = """
import importlib, pkgutil, sys
import paracosm.registry
before = set(sys.modules)
for module in pkgutil.walk_packages(paracosm.registry.__path__, "paracosm.registry."):
    importlib.import_module(module.name)
for name in paracosm.registry.__all__:
    assert callable(getattr(paracosm.registry, name)), name
print(len([name for name in before if name.startswith("paracosm.registry.")]))
"""


def test_the_verbs_are_callable_after_every_module_was_imported() -> None:
    done = subprocess.run([sys.executable, "-c", IMPORT_ALL], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    # Importing the package itself imports none of its modules.
    assert done.stdout.strip() == "0"


def test_an_unknown_attribute_is_named() -> None:
    assert not hasattr(paracosm.registry, "publisher")
