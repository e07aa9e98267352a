"""Data set and collator of a masked model: records with cells and subwords of texts hidden at random.

The objective is order-agnostic. Cells become known one after the other in a random order; a text becomes known by its
length first, then subword by subword in a random order. Each is predicted from all that is known before it. For one
order, the summed negative log-likelihood is exactly that of a sampler that takes this order. The mean over all orders
is an upper bound on the negative log-likelihood of the sampler that draws the order (Jensen; Uria et al. 2014, A deep
and tractable density estimator; Hoogeboom et al. 2022, Autoregressive diffusion models). A row in which k of n cells are
hidden, weighted by n/k, is an unbiased estimate of that mean.
"""

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch

from paracosm.finetune.objectives.epoch_dataset import EpochDataset
from paracosm.finetune.objectives.slot_logits import AllowedColumns
from paracosm.records.codec.masked_layout import MaskedLayout, MaskState, SlotRecord

SPAN_PROBABILITY = 0.5
"""Probability that subwords of a training text are hidden in spans rather than one by one."""
MEAN_SPAN = 4
"""Mean length of a span, in subwords."""
PARTIAL_PROBABILITY = 0.5
"""Probability that a hidden cell of several slots shows its first slots, in training."""
LENGTH_PROBABILITY = 0.15
"""Probability that a hidden text is left out altogether, so that its length is learnt; otherwise its subwords are."""
CONTROL_ROWS = 8
"""Rows from which the loss of one control record is estimated."""


@dataclass(frozen=True)
class Example:
    """A row of tokens and the slots to predict in it.

    Attributes:
        ids: token ids of the row, with mask tokens at hidden slots.
        positions: position of each slot to predict.
        targets: token id to predict at each of them.
        mask_numbers: number of the mask of allowed columns at each of them.
        weights: weight of each of them in the loss.
        constant: nats that no model can change: a length slot stands for several lengths, each equally likely, and a bin for its values.
    """

    ids: list[int]
    positions: list[int]
    targets: list[int]
    mask_numbers: list[int]
    weights: list[float]
    constant: float = 0.0


def training_example(
    record: SlotRecord, layout: MaskedLayout, columns: AllowedColumns, rng: np.random.Generator
) -> Example:
    """Return a record with a random number of hidden cells; every number from 1 to all is equally likely."""
    count = len(record.cells)
    hidden_count = int(rng.integers(1, count + 1))
    hidden = rng.permutation(count)[:hidden_count]
    shown: dict[int, int] = {}
    pieces: dict[int, Sequence[int]] = {}
    weights: dict[int, float] = {}
    for index in sorted(hidden.tolist()):
        weights[index] = count / hidden_count
        text, width = record.texts.get(index), len(record.cells[index])
        if text is not None and rng.random() >= LENGTH_PROBABILITY:
            hidden_pieces = int(rng.integers(1, len(text) + 1))
            in_spans = rng.random() < SPAN_PROBABILITY
            choose = hidden_spans if in_spans else _random_positions
            pieces[index] = choose(len(text), hidden_pieces, rng)
            weights[index] *= len(text) / len(pieces[index])
            continue
        shown[index] = 0
        if text is None and width > 1 and rng.random() < PARTIAL_PROBABILITY:
            shown[index] = int(rng.integers(1, width))
            weights[index] *= (width - 1) / PARTIAL_PROBABILITY
        elif width > 1:
            weights[index] /= 1 - PARTIAL_PROBABILITY
    return example(record, layout, columns, MaskState(shown, pieces), weights)


def example(
    record: SlotRecord,
    layout: MaskedLayout,
    columns: AllowedColumns,
    hidden: MaskState,
    weights: dict[int, float],
    only: int | None = None,
) -> Example:
    """Return the row of a partly hidden record: the next decision of each hidden cell and each hidden subword is predicted.

    Args:
        record: the whole record.
        layout: of the row.
        columns: masks of allowed columns.
        hidden: what the row does not show.
        weights: weight in the loss per hidden field index.
        only: the one field index to predict; None for all.
    """
    row = layout.row(record, hidden)
    result = Example(row.ids, [], [], [], [])
    for index, shown in hidden.shown.items():
        # A value whose further tokens are forced has nothing left to predict.
        if shown < len(record.cells[index]) and only in (None, index):
            _add_target(
                result,
                row.cells[index] + shown,
                record.cells[index][shown],
                columns.of(layout.nodes(index, record.cells[index])[shown]),
                weights[index],
            )
    for index, pieces in hidden.pieces.items():
        if only in (None, index):
            for piece in pieces:
                token = record.texts[index][piece]
                _add_target(result, row.texts[index] + piece, token, columns.text, weights[index])
    return result


def _add_target(row: Example, position: int, target: int, mask_number: int, weight: float) -> None:
    row.positions.append(position)
    row.targets.append(target)
    row.mask_numbers.append(mask_number)
    row.weights.append(weight)


def _random_positions(length: int, count: int, rng: np.random.Generator) -> list[int]:
    return sorted(rng.permutation(length)[:count].tolist())


def hidden_spans(length: int, count: int, rng: np.random.Generator) -> list[int]:
    """Draw `count` of `length` positions in spans of geometric length at random starts.

    Returns:
        Ascending positions, at least one and at most `count`.
    """
    chosen: set[int] = set()
    while len(chosen) < count:
        begin = int(rng.integers(0, length))
        size = min(int(rng.geometric(1 / MEAN_SPAN)), count - len(chosen))
        chosen.update(range(begin, min(begin + size, length)))
    return sorted(chosen)


def control_examples(
    record: SlotRecord, layout: MaskedLayout, columns: AllowedColumns, rng: np.random.Generator
) -> list[Example]:
    """Return rows whose summed weighted losses are an unbiased estimate of the likelihood bound of one record.

    Every row is a state that the sampler can be in: at most one cell is shown in part, the others are shown fully or
    not at all. The number of known cells is stratified over the rows, which reduces the variance of the estimate.
    """
    count = len(record.cells)
    rows: list[Example] = []
    offset = rng.random()
    for row in range(CONTROL_ROWS):
        known = int((row + offset) / CONTROL_ROWS * count)
        order = rng.permutation(count).tolist()
        hidden, current = sorted(order[known:]), order[known]
        shown = dict.fromkeys(hidden, 0)
        weight = count / CONTROL_ROWS
        text, width = record.texts.get(current), len(record.cells[current])
        if text is not None:
            rows += _text_examples(record, layout, columns, shown, current, weight, rng)
        elif width:
            # Each decision of the cell would need a row; one of them, drawn at random, represents all.
            shown[current] = int(rng.integers(0, width))
            rows.append(
                example(record, layout, columns, MaskState(shown), {current: weight * width}, only=current)
            )
    constant = record.constant + sum(
        math.log(1 + high - low)
        for index, ids in record.texts.items()
        for low, high in layout.lengths[layout.codec.fields[index].name].values()
        if low <= len(ids) <= high
    )
    rows = [row for row in rows if row.positions]
    return [replace(rows[0], constant=constant), *rows[1:]] if rows else []


def _text_examples(
    record: SlotRecord,
    layout: MaskedLayout,
    columns: AllowedColumns,
    shown: dict[int, int],
    current: int,
    weight: float,
    rng: np.random.Generator,
) -> list[Example]:
    """Return a row that predicts the length of a text, and one that predicts a random number of its subwords."""
    length = example(record, layout, columns, MaskState(shown), {current: weight}, only=current)
    size = len(record.texts[current])
    hidden_count = int(rng.integers(1, size + 1))
    others = {index: count for index, count in shown.items() if index != current}
    state = MaskState(others, {current: _random_positions(size, hidden_count, rng)})
    return [
        length,
        example(record, layout, columns, state, {current: weight * size / hidden_count}, only=current),
    ]


class MaskedDataset(EpochDataset[SlotRecord]):
    """Records of a masked model: rows with hidden slots.

    Attributes:
        draw: makes the rows of a record.
    """

    def __init__(
        self,
        records: Sequence[SlotRecord],
        *,
        draw: Callable[[SlotRecord, np.random.Generator], list[Example]],
        seed: int,
        redraw: Callable[[int, int], SlotRecord] | None = None,
    ) -> None:
        super().__init__(records, seed=seed, redraw=redraw)
        self.draw = draw

    def __getitem__(self, index: int) -> list[Example]:
        return self.draw(self.record(index), np.random.default_rng(self.seed_of(index)))


@dataclass(frozen=True)
class MaskedCollator:
    """Pads rows on the right and lists the slots to predict in all of them.

    Attributes:
        vocabulary: token ids of the head's rows; None for the full head.
        padding: token id at padded positions, which attention leaves out.
        decisions: mean decisions per record; the trainer divides the loss by their sum over the batch.
    """

    vocabulary: tuple[int, ...] | None
    padding: int
    decisions: int

    def __call__(self, examples: Sequence[list[Example]]) -> dict[str, torch.Tensor]:
        """Return a batch: `input_ids` and `attention_mask` of shape (rows, tokens), and one entry per slot to predict."""
        rows = [row for record in examples for row in record]
        length = max(len(row.ids) for row in rows)
        ids = np.full((len(rows), length), self.padding)
        attention = np.zeros((len(rows), length), dtype=np.int64)
        for at, row in enumerate(rows):
            ids[at, : len(row.ids)] = row.ids
            attention[at, : len(row.ids)] = 1
        targets = np.array([target for row in rows for target in row.targets])
        if self.vocabulary is not None:
            targets = np.searchsorted(self.vocabulary, targets)
        # The trainer divides by the number of labels: the same for every record, however many slots are hidden.
        counted = torch.zeros((len(examples), self.decisions), dtype=torch.int64)
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(attention),
            "rows": torch.tensor([at for at, row in enumerate(rows) for _ in row.positions]),
            "positions": torch.tensor([position for row in rows for position in row.positions]),
            "targets": torch.from_numpy(targets),
            "mask_numbers": torch.tensor([number for row in rows for number in row.mask_numbers]),
            "weights": torch.tensor([weight for row in rows for weight in row.weights], dtype=torch.float32),
            "constant": torch.tensor(sum(row.constant for row in rows)),
            "labels": counted,
            "shift_labels": counted,
        }
