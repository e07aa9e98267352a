"""The exact likelihood of records under a model and the codec's grammar, decision by decision."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch

from paracosm.finetune.objectives.causal_dataset import Collator, EncodedRecord, RecordDataset
from paracosm.finetune.objectives.grammar_loss import IGNORED
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import FORCED, TokenMasks

if TYPE_CHECKING:
    from transformers import PreTrainedModel

LOGITS_AT_ONCE = 30_000_000
POSITIONS_AT_ONCE = 512


@dataclass(frozen=True)
class Likelihood:
    """What a model says of one record, at every token where the grammar leaves a choice (arrays of equal length)."""

    log_probability: np.ndarray
    """Of the token that is there, in nats."""
    expected: np.ndarray
    """Mean log probability of a token drawn from the model there."""
    deviation: np.ndarray
    """Standard deviation of the same."""
    likeliest: np.ndarray
    """Whether the token that is there is the model's first choice."""
    place: np.ndarray
    """Number of the modelled field that the token belongs to."""


def read_likelihoods(
    model: "PreTrainedModel", codec: Codec, masks: TokenMasks, records: Sequence[EncodedRecord]
) -> list[Likelihood]:
    """Return the likelihood of every record, in one forward pass each.

    Args:
        model: its head restricted to `codec.vocabulary`.
        codec: of the records.
        masks: in which the records were encoded.
        records: in schema order.
    """
    examples = RecordDataset(records, opening=codec.opening, shuffled=False, seed=0)
    collate = Collator(codec.vocabulary, codec.alphabet.stop)
    found: dict[int, Likelihood] = {}
    model.eval()
    with torch.inference_mode():
        for numbers in _batches(records, len(codec.vocabulary or codec.tokenizer)):  # type: ignore[arg-type]
            batch = collate([examples[number] for number in numbers])
            logits = model(input_ids=batch["input_ids"].to(model.device), use_cache=False).logits
            for row, number in enumerate(numbers):
                found[number] = _likelihood(
                    logits[row],
                    batch["labels"][row],
                    batch["mask_numbers"][row],
                    masks,
                    codec,
                    records[number],
                )
    return [found[number] for number in range(len(records))]


def _batches(records: Sequence[EncodedRecord], columns: int) -> list[list[int]]:
    """Return record numbers in batches of similar length whose logits fit in memory."""
    batches: list[list[int]] = []
    for number in np.argsort([-record.tokens for record in records], kind="stable").tolist():
        longest = records[batches[-1][0]].tokens if batches else 0
        if not batches or (len(batches[-1]) + 1) * longest * columns > LOGITS_AT_ONCE:
            batches.append([])
        batches[-1].append(number)
    return batches


def _likelihood(
    logits: torch.Tensor,
    labels: torch.Tensor,
    mask_numbers: torch.Tensor,
    masks: TokenMasks,
    codec: Codec,
    record: EncodedRecord,
) -> Likelihood:
    chosen = labels != IGNORED
    logits, labels, numbers = logits[chosen], labels[chosen], mask_numbers[chosen].numpy()
    parts = []
    for begin in range(0, len(labels), POSITIONS_AT_ONCE):
        part = slice(begin, begin + POSITIONS_AT_ONCE)
        used, where = np.unique(numbers[part], return_inverse=True)
        table = masks.allowed(used.tolist(), codec.vocabulary, logits.shape[-1])
        allowed = torch.from_numpy(table[where]).to(logits.device)
        logs = torch.log_softmax(logits[part].float().masked_fill(~allowed, -torch.inf), dim=-1)
        told = told_by(logs, labels[part].to(logits.device))
        parts.append([each.cpu().numpy() for each in told])
    there, mean, spread, first = (np.concatenate(each) for each in zip(*parts, strict=True))
    place = [number for number, segment in enumerate(record.masks) for mask in segment if mask != FORCED]
    return Likelihood(there, mean, spread, first, np.array(place))


def told_by(logs: torch.Tensor, targets: torch.Tensor) -> tuple[torch.Tensor, ...]:
    """Return what `Likelihood` tells of some tokens: log probability, its mean and deviation, and whether it is the highest.

    Args:
        logs: (tokens, columns), log probabilities, -inf where the grammar allows nothing.
        targets: (tokens,), the columns that are there.
    """
    shares = logs.exp()
    finite = logs.masked_fill(logs == -torch.inf, 0.0)
    mean = (shares * finite).sum(-1)
    spread = ((shares * finite**2).sum(-1) - mean**2).clamp(min=0).sqrt()
    return logs.gather(1, targets[:, None])[:, 0], mean, spread, logs.argmax(-1) == targets
