"""Keep transformers from downloading compiled kernels, and from asking a service to convert pickled weights."""

import os
import sys
from typing import Any, cast


def forbid_kernel_downloads() -> None:
    """Switch off both for this process.

    transformers decides whether the package `kernels` can be used when it is first imported, so programs call this before.
    """
    os.environ["USE_HUB_KERNELS"] = "NO"
    os.environ["DISABLE_SAFETENSORS_CONVERSION"] = "1"
    # None is Python's mark of a module that cannot be imported. A module that the caller uses already stays.
    sys.modules.setdefault("kernels", cast("Any", None))
    hub_kernels = sys.modules.get("transformers.integrations.hub_kernels")
    if hub_kernels is not None:
        vars(hub_kernels)["_kernels_enabled"] = False
