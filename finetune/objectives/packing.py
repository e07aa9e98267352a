"""Sequence packing: the records of a forward pass are concatenated in a single row, so that no position is padding.

Position ids restart at every record and attention is computed record by record, so that no record attends to another:
the loss is that of the padded batch. Not for differentially private training, which needs the gradient of each record.
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
"""Name of the attention function among those of transformers."""
MIN_PADDING_FACTOR = 1.15
"""Tokens of a padded batch per token of its records from which packing is faster, although attention is one call per record."""


@dataclass(frozen=True)
class PackedCollator:
    """Concatenates encoded records in one row.

    Attributes:
        padded: the collator of padded batches; it makes the targets of single records here.
    """

    padded: Collator

    def __call__(self, examples: Sequence[dict[str, Any]]) -> dict[str, Tensor]:
        """Return a batch: tensors of shape (1, tokens of all records), and one number of each record in
        `record_lengths`, shape (records,), and `constant`, shape (1, records).
        """
        records = [self.padded([example]) for example in examples]
        batch = {name: torch.cat([record[name] for record in records], dim=1) for name in records[0]}
        lengths = torch.tensor([record["input_ids"].shape[1] for record in records])
        return batch | {
            "shift_labels": batch["labels"],
            "position_ids": _position_ids(lengths.tolist()),
            "record_lengths": lengths,
        }


def padding_factor(lengths: Sequence[int], batch: int, seed: int) -> float:
    """Return how many tokens padded batches have per token of their records.

    Args:
        lengths: tokens of every record.
        batch: records per padded batch.
        seed: of the assignment of records to batches.
    """
    shuffled = np.random.default_rng(seed).permutation(np.asarray(lengths))
    batches = [shuffled[begin : begin + batch] for begin in range(0, len(shuffled), batch)]
    return sum(len(group) * group.max() for group in batches) / shuffled.sum()


def attend_by_record(
    module: nn.Module,
    query: Tensor,
    key: Tensor,
    value: Tensor,
    attention_mask: Tensor | None,
    record_lengths: Sequence[int] = (),
    **settings: Any,
) -> tuple[Tensor, None]:
    """Compute causal attention within each record of a packed row; transformers calls this in every layer.

    Raises:
        ValueError: the model's attention needs a mask or attention sinks, which are not supported here.
    """
    if settings.get("s_aux") is not None or attention_mask is not None:
        raise ValueError("attention masks and attention sinks are not supported")
    window = settings.get("sliding_window")
    ends = np.cumsum([0, *(record_lengths or [query.shape[2]])]).tolist()
    outputs = []
    for begin, end in pairwise(ends):
        q, k, v = (tensor[:, :, begin:end] for tensor in (query, key, value))
        mask = None if window is None or end - begin <= window else _window_mask(end - begin, window, query)
        outputs.append(sdpa_attention_forward(module, q, k, v, mask, **settings)[0])
    return torch.cat(outputs, dim=1), None


def _window_mask(length: int, window: int, like: Tensor) -> Tensor:
    """Return the mask of causal attention to the last `window` positions, shape (1, 1, length, length)."""
    at = torch.arange(length, device=like.device)
    return ((at[:, None] >= at) & (at[:, None] - at < window))[None, None]


def use_packed_attention(model: "PreTrainedModel") -> bool:
    """Make `model` compute attention record by record, unless its records would affect one another.

    This is tested on the model itself: neither the records before a record nor the padded layout may change the
    logits of a record.

    Returns:
        True if the model can be trained on packed records; False if not, and then its attention is unchanged.
    """
    AttentionInterface.register(ATTENTION, attend_by_record)  # type: ignore[arg-type]  # typed more narrowly
    previous = model.config._attn_implementation or "sdpa"
    model.set_attn_implementation(ATTENTION)
    if _separates_records(model):
        return True
    model.set_attn_implementation(previous)
    return False


def _separates_records(model: "PreTrainedModel") -> bool:
    generator = torch.Generator().manual_seed(0)
    vocabulary = cast("nn.Embedding", model.get_input_embeddings()).num_embeddings
    first, second, record = (torch.randint(vocabulary, (1, n), generator=generator) for n in (5, 5, 7))
    was_training = model.training
    model.eval()
    try:
        with torch.no_grad():
            after_first, after_second = (
                model(**packed_inputs(torch.cat([before, record], 1).to(model.device), [5, 7]))
                .logits[0, 5:]
                .float()
                for before in (first, second)
            )
            alone = model(**packed_inputs(record.to(model.device), [7])).logits[0].float()
    except (TypeError, ValueError):
        # The model takes no position ids, or its attention is not supported.
        return False
    finally:
        model.train(was_training)
    return bool(
        torch.allclose(after_first, after_second, atol=1e-5)
        and (after_first - alone).abs().mean() < 0.02 * alone.std()
    )


def packed_inputs(ids: Tensor, lengths: Sequence[int]) -> dict[str, Any]:
    """Return the keyword arguments of a model's forward pass for a packed row.

    Args:
        ids: (1, tokens of all records).
        lengths: tokens of each record.
    """
    return {
        "input_ids": ids,
        "position_ids": _position_ids(lengths).to(ids.device),
        "record_lengths": list(lengths),
        "use_cache": False,
    }


def _position_ids(lengths: Sequence[int]) -> Tensor:
    return torch.cat([torch.arange(length) for length in lengths])[None]
