"""A masked language model that says how well words fit in their place, and writes words into gaps."""

from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch

WINDOW = 300
"""Letters on each side that the model sees."""


class MaskedModel:
    """A masked language model with its tokenizer.

    Attributes:
        name: alias, folder or Hub id.
    """

    def __init__(self, name: str) -> None:
        from transformers import AutoModelForMaskedLM

        from paracosm.finetune.models.base_model import locate
        from paracosm.finetune.models.library_logging import quiet_libraries
        from paracosm.finetune.models.pretrained import (
            load_errors,
            load_pretrained_model,
            load_pretrained_tokenizer,
        )
        from paracosm.recipes.sections.model import Model

        self.name = name
        with quiet_libraries(), load_errors("generate.augment.model", name):
            source = locate(Model(base=name))
            self.tokenizer: Any = load_pretrained_tokenizer(source)
            self.model: Any = load_pretrained_model(AutoModelForMaskedLM, source).float().eval()

    def scores(self, text: str, start: int, end: int, words: Sequence[str]) -> list[float]:
        """Return how well each word fits between `start` and `end` of a text: its log-probability there.

        Words that the model does not know as one piece are rare, and -inf. The word that stands there may be several pieces, whose mean
        counts.

        Args:
            text: the text.
            start: of the passage that the words stand for.
            end: of the passage.
            words: to score; the first is the one that stands there.
        """
        pieces = [self.tokenizer(f" {word}", add_special_tokens=False)["input_ids"] for word in words]
        pieces = [each if number == 0 or len(each) == 1 else [] for number, each in enumerate(pieces)]
        by_length = {
            length: self._log_probabilities(text, start, end, length)
            for length in {len(each) for each in pieces if each}
        }
        return [
            float(
                sum(by_length[len(each)][position, piece] for position, piece in enumerate(each)) / len(each)
            )
            if each
            else float("-inf")
            for each in pieces
        ]

    def likely(self, text: str, start: int, end: int, most: int) -> list[tuple[str, float]]:
        """Return the most likely single whole words between `start` and `end` of a text, with their log-probabilities."""
        row = self._log_probabilities(text, start, end, 1)[0]
        found = []
        for index in row.topk(8 * most).indices.tolist():
            word = self.tokenizer.convert_ids_to_tokens(index)
            if word.isalpha() and len(word) > 1:
                found.append((word, float(row[index])))
        return found[:most]

    def _log_probabilities(self, text: str, start: int, end: int, masks: int) -> "torch.Tensor":
        """Return the log-probabilities at `masks` masks in place of a passage; shape (masks, vocabulary)."""
        import torch

        before, after = text[max(0, start - WINDOW) : start], text[end : end + WINDOW]
        gap = " ".join([self.tokenizer.mask_token] * masks)
        encoded = self.tokenizer(
            f"{before}{gap}{after}", return_tensors="pt", truncation=True, max_length=self._longest
        )
        with torch.no_grad():
            logits = self.model(**encoded).logits[0]
        at = (encoded["input_ids"][0] == self.tokenizer.mask_token_id).nonzero()[:, 0][:masks]
        return torch.log_softmax(logits[at].float(), dim=-1)

    @property
    def _longest(self) -> int:
        return int(min(512, getattr(self.model.config, "max_position_embeddings", 512)))


@cache
def masked_model(name: str) -> MaskedModel:
    """Return a masked model, loaded once.

    Raises:
        ModelError: it is not installed, or is not a masked model.
    """
    return MaskedModel(name)
