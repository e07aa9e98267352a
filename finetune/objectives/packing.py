"""Packing: the records of a forward pass one behind the other in a single row, so that no position is padding.

Positions begin anew at every record, and attention runs record by record, so that none sees another: the loss is the one
of the same records padded. Not for differentially private training, which needs every record's own gradient.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import torch
from torch import Tensor, nn
from transformers import AttentionInterface
from transformers.integrations.sdpa_attention import sdpa_attention_forward

from paracosm.finetune.objectives.causal_dataset import Collator

if TYPE_CHECKING:
    from transformers import PreTrainedModel

ATTENTION = "paracosm_record_by_record"
WORTH_IT = 1.15
"""Padded tokens per token of the records from which packing pays for its attention, which is one call per record."""


@dataclass(frozen=True)
class PackedCollator:
    """Lay encoded records behind one another.

    Attributes:
        padded: makes the targets of single records.
    """

    padded: Collator

    def __call__(self, examples: Sequence[dict[str, list[int]]]) -> dict[str, Tensor]:
        alone = [self.padded([example]) for example in examples]
        batch = {name: torch.cat([each[name] for each in alone], dim=1) for name in alone[0]}
        lengths = torch.tensor([each["input_ids"].shape[1] for each in alone])
        return batch | {
            "shift_labels": batch["labels"],
            "position_ids": _positions(lengths.tolist()),
            "record_lengths": lengths,
        }


def padding_factor(lengths: Sequence[int], batch: int, seed: int) -> float:
    """Return how many tokens a padded batch of random records has per token of the records."""
    shuffled = np.random.default_rng(seed).permutation(np.asarray(lengths))
    batches = [shuffled[begin : begin + batch] for begin in range(0, len(shuffled), batch)]
    return sum(len(each) * each.max() for each in batches) / shuffled.sum()


def attend_by_record(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    record_lengths: Sequence[int] = (),
    **settings: Any,
) -> tuple[Tensor, None]:
    """Attend causally within each record of a packed row; transformers calls this in every layer.

    Raises:
        ValueError: the model's attention has what the fused kernels lack.
    """
    if settings.get("s_aux") is not None or attention_mask is not None:
        raise ValueError("attention sinks and masks are not known here")
    window = settings.get("sliding_window")
    ends = np.cumsum([0, *(record_lengths or [query.shape[2]])]).tolist()
    parts = []
    for begin, end in pairwise(ends):
        q, k, v = (each[:, :, begin:end] for each in (query, key, value))
        near = None if window is None or end - begin <= window else _near(end - begin, window, query)
        parts.append(sdpa_attention_forward(module, q, k, v, near, **settings)[0])
    return torch.cat(parts, dim=1), None


def _near(length: int, window: int, like: Tensor) -> Tensor:
    at = torch.arange(length, device=like.device)
    return ((at[:, None] >= at) & (at[:, None] - at < window))[None, None]


AttentionInterface.register(ATTENTION, attend_by_record)  # type: ignore[arg-type]  # typed more narrowly


def attend_packed(model: "PreTrainedModel") -> bool:
    """Let `model` read packed records; return False, and leave it as it was, where it cannot keep them apart.

    Whether it can is tried rather than looked up: what stands before a record may not change anything that the model
    computes for it, and neither may the padded layout.
    """
    usual = model.config._attn_implementation or "sdpa"
    model.set_attn_implementation(ATTENTION)
    if _keeps_apart(model):
        return True
    model.set_attn_implementation(usual)
    return False


def _keeps_apart(model: "PreTrainedModel") -> bool:
    generator = torch.Generator().manual_seed(0)
    width = cast("nn.Embedding", model.get_input_embeddings()).num_embeddings
    first, other, record = (torch.randint(width, (1, n), generator=generator) for n in (5, 5, 7))
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            behind_first, behind_other = (
                model(**packed_inputs(torch.cat([before, record], 1).to(model.device), [5, 7]))
                .logits[0, 5:]
                .float()
                for before in (first, other)
            )
            alone = model(**packed_inputs(record.to(model.device), [7])).logits[0].float()
    except (TypeError, ValueError):
        # No position numbers, or an attention that the fused kernels do not have.
        return False
    finally:
        model.train(was_training)
    return bool(
        torch.allclose(behind_first, behind_other, atol=1e-5)
        and (behind_first - alone).abs().mean() < 0.02 * alone.std()
    )


def packed_inputs(ids: Tensor, lengths: Sequence[int]) -> dict[str, Any]:
    """Return what a model is called with for a packed row.

    Args:
        ids: (1, tokens).
        lengths: of the records in it.
    """
    return {
        "input_ids": ids,
        "position_ids": _positions(lengths).to(ids.device),
        "record_lengths": list(lengths),
        "use_cache": False,
    }


def _positions(lengths: Sequence[int]) -> Tensor:
    return torch.cat([torch.arange(length) for length in lengths])[None]
