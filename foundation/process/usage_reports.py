"""Keep the libraries of Hugging Face from reporting what runs here, and from asking for a list of what they should report."""

import os
import sys


def forbid_usage_reports() -> None:
    """Switch the reports off for this process, also where `huggingface_hub` is imported already."""
    os.environ["HF_HUB_DISABLE_TELEMETRY"] = "1"
    constants = sys.modules.get("huggingface_hub.constants")
    if constants is not None:
        vars(constants)["HF_HUB_DISABLE_TELEMETRY"] = True
