"""Bits per held-out document under a language model: what an adaptation is measured by."""

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

import torch

from paracosm.finetune.adaptation.encoding import EncodedDocument
from paracosm.finetune.objectives.grammar_loss import IGNORED

if TYPE_CHECKING:
    from transformers import PreTrainedModel


def document_nats(
    model: "PreTrainedModel", documents: Sequence[EncodedDocument], *, block: int
) -> list[tuple[float, int]]:
    """Return for each document the negative log-likelihood of its learnt tokens in nats, and their number.

    Args:
        model: a causal model with its full head.
        documents: encoded with its tokenizer.
        block: tokens that are read at once; longer documents are divided, as in training.
    """
    model.eval()
    results = []
    with torch.inference_mode():
        for document in documents:
            total, count = 0.0, 0
            for begin in range(0, len(document.ids), block):
                ids = torch.tensor([document.ids[begin : begin + block]], device=model.device)
                labels = torch.tensor(document.labels[begin : begin + block], device=model.device)[1:]
                learnt = labels != IGNORED
                if not bool(learnt.any()):
                    continue
                logits = model(input_ids=ids, use_cache=False).logits[0, :-1][learnt].float()
                total += float(torch.nn.functional.cross_entropy(logits, labels[learnt], reduction="sum"))
                count += int(learnt.sum())
            results.append((total, count))
    return results


def mean_bits(nats: Sequence[tuple[float, int]]) -> tuple[float, float]:
    """Return the mean bits per document, and the mean bits per token."""
    total = sum(nat for nat, _ in nats) / math.log(2)
    return total / len(nats), total / max(1, sum(count for _, count in nats))
