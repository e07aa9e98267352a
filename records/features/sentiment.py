"""Sentiment of texts, from -1 (negative) to 1 (positive): VADER, or a classifier of the user's choice."""

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

from paracosm.foundation.errors import DataError
from paracosm.foundation.extras import require_extra
from paracosm.foundation.process.kernel_downloads import forbid_kernel_downloads

DECIMALS = 2
"""Digits that are kept: a finer score would say more than either method knows, and cost a model tokens."""
LONGEST_TEXT = 10_000
"""Characters of a text that are read."""
Scorer = Callable[[Sequence[str]], list[float]]


def sentiment(texts: Sequence[str], model: str | None) -> list[float]:
    """Return the sentiment of each text, rounded to two decimals.

    Args:
        texts: English texts for VADER; any that the classifier knows otherwise.
        model: Hub id or folder of a text classifier with a positive and a negative class; None for VADER (Hutto & Gilbert 2014).

    Raises:
        MissingExtraError: VADER is not installed.
        DataError: the classifier cannot be loaded, or lacks one of the two classes.
    """
    score = _vader() if model is None else _classifier(model)
    # A rounded -0.0 would be another cell than 0.0.
    return [round(value, DECIMALS) + 0.0 for value in score([text[:LONGEST_TEXT] for text in texts])]


@cache
def _vader() -> Scorer:
    module = require_extra("vaderSentiment.vaderSentiment", "features", "data.features: sentiment")
    analyzer = module.SentimentIntensityAnalyzer()
    return lambda texts: [float(analyzer.polarity_scores(text)["compound"]) for text in texts]


@cache
def _classifier(model: str) -> Scorer:
    from transformers import pipeline
    from transformers.utils import logging

    forbid_kernel_downloads()
    logging.disable_progress_bar()
    try:
        # No code of the repository runs, and no pickle is loaded.
        read: Any = pipeline(
            "text-classification",
            model=model,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
            device=-1,
            top_k=None,
            truncation=True,
        )
    except (OSError, ValueError, KeyError, RuntimeError, ImportError) as error:
        reason = str(error).strip().splitlines()[0] if str(error).strip() else type(error).__name__
        raise DataError(
            f"data.sentiment_model: {model!r} cannot be loaded: {reason}; name a folder with a text classifier, or leave the key"
            " out for VADER"
        ) from error
    labels = list(read.model.config.id2label.values())
    signs = {label: _sign(str(label)) for label in labels}
    if not {1, -1} <= set(signs.values()):
        raise DataError(
            f"data.sentiment_model: {model!r} has the classes {', '.join(map(str, labels[:8]))}; it needs one that begins with"
            " positive and one that begins with negative"
        )

    def score(texts: Sequence[str]) -> list[float]:
        found = read(list(texts), batch_size=16)
        return [sum(signs[each["label"]] * each["score"] for each in of_text) for of_text in found]

    return score


def _sign(label: str) -> int:
    word = label.casefold()
    return 1 if word.startswith("pos") else -1 if word.startswith("neg") else 0
