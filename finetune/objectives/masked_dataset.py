"""Records with hidden cells and stretches of text: what a masked model learns from, and what its likelihood is read from.

The order-agnostic objective: cells become known one after the other in a random order, a text among them by its length
first and then piece by piece in a random order, and each is predicted from all that is known before it. For one order the
summed negative log-likelihood is that of a sampler that takes this order, exactly. Its mean over all orders is an upper bound
on the negative log-likelihood of the sampler that draws the order (Jensen; Uria et al. 2014, A deep and tractable density
estimator; Hoogeboom et al. 2022, Autoregressive diffusion models). A row with k of n cells hidden, weighted by n/k, is an
unbiased draw from it.
"""

import math
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch.utils.data import Dataset

from paracosm.finetune.objectives.slot_logits import AllowedColumns
from paracosm.records.codec.masked_layout import MaskedLayout, MaskState, SlotRecord

SPANS = 0.5
"""Share of the training rows in which pieces are hidden in stretches rather than one by one."""
SPAN = 4
"""Mean pieces of a stretch."""
PARTLY = 0.5
"""Chance that a hidden cell of several slots shows its first ones, in training."""
UNKNOWN_TEXT = 0.15
"""Chance that a hidden text is not there at all, so that its length is learnt; else its pieces are."""
STATES = 8
"""Rows from which the loss of one control record is read."""


@dataclass(frozen=True)
class Example:
    """A row with what is to be predicted in it: per slot, its position, token, choice and weight.

    Attributes:
        constant: nats of what no model decides: which of the lengths of its step a text has.
    """

    ids: list[int]
    positions: list[int]
    targets: list[int]
    choices: list[int]
    weights: list[float]
    constant: float = 0.0


def training_example(
    record: SlotRecord, slots: MaskedLayout, choices: AllowedColumns, chance: np.random.Generator
) -> Example:
    """Return a record with a random number of hidden cells, every number equally likely."""
    count = len(record.cells)
    hidden_count = int(chance.integers(1, count + 1))
    places = chance.permutation(count)[:hidden_count]
    shown: dict[int, int] = {}
    pieces: dict[int, Sequence[int]] = {}
    weights: dict[int, float] = {}
    for place in sorted(places.tolist()):
        weights[place] = count / hidden_count
        text, width = record.texts.get(place), len(record.cells[place])
        if text is not None and chance.random() >= UNKNOWN_TEXT:
            rate = int(chance.integers(1, len(text) + 1))
            spans = chance.random() < SPANS
            pieces[place] = hidden_spans(len(text), rate, chance) if spans else _some(len(text), rate, chance)
            weights[place] *= len(text) / len(pieces[place])
            continue
        shown[place] = 0
        if text is None and width > 1 and chance.random() < PARTLY:
            shown[place] = int(chance.integers(1, width))
            weights[place] *= (width - 1) / PARTLY
        elif width > 1:
            weights[place] /= 1 - PARTLY
    return example(record, slots, choices, MaskState(shown, pieces), weights)


def example(
    record: SlotRecord,
    slots: MaskedLayout,
    choices: AllowedColumns,
    hidden: MaskState,
    weights: dict[int, float],
    asked: int | None = None,
) -> Example:
    """Return the row of a state, and of each hidden cell its next decision, of each text its hidden pieces.

    Args:
        record: the whole record.
        slots: the layout.
        choices: numbers of what slots may hold.
        hidden: what the row does not show.
        weights: per hidden place.
        asked: the one place to predict; None for all.
    """
    row = slots.row(record, hidden)
    found = Example(row.ids, [], [], [], [])
    for place, shown in hidden.shown.items():
        # A value whose further tokens are forced has nothing left to predict.
        if shown < len(record.cells[place]) and asked in (None, place):
            _ask(
                found,
                row.cells[place] + shown,
                record.cells[place][shown],
                choices.of(slots.nodes(place, record.cells[place])[shown]),
                weights[place],
            )
    for place, numbers in hidden.pieces.items():
        if asked in (None, place):
            for number in numbers:
                token = record.texts[place][number]
                _ask(found, row.texts[place] + number, token, choices.text, weights[place])
    return found


def _ask(found: Example, position: int, target: int, choice: int, weight: float) -> None:
    found.positions.append(position)
    found.targets.append(target)
    found.choices.append(choice)
    found.weights.append(weight)


def _some(length: int, count: int, chance: np.random.Generator) -> list[int]:
    return sorted(chance.permutation(length)[:count].tolist())


def hidden_spans(length: int, count: int, chance: np.random.Generator) -> list[int]:
    """Return about `count` of `length` places, at least one, in stretches of geometric lengths at random places."""
    chosen: set[int] = set()
    while len(chosen) < count:
        begin = int(chance.integers(0, length))
        size = min(int(chance.geometric(1 / SPAN)), count - len(chosen))
        chosen.update(range(begin, min(begin + size, length)))
    return sorted(chosen)


def control_examples(
    record: SlotRecord, slots: MaskedLayout, choices: AllowedColumns, chance: np.random.Generator
) -> list[Example]:
    """Return rows whose weighted losses add up to an unbiased estimate of the bound on one record's likelihood.

    Every row is a state that the sampler passes: one cell may be shown in part, the others wholly or not at all. The
    numbers of known cells are spread evenly over the rows, which narrows the estimate.
    """
    count = len(record.cells)
    found = []
    offset = chance.random()
    for state in range(STATES):
        known = int((state + offset) / STATES * count)
        order = chance.permutation(count).tolist()
        hidden, current = sorted(order[known:]), order[known]
        shown = dict.fromkeys(hidden, 0)
        weight = count / STATES
        text, width = record.texts.get(current), len(record.cells[current])
        if text is not None:
            found += _text_states(record, slots, choices, shown, current, weight, chance)
        elif width:
            # Its decisions one by one would need a row each; one of them stands for all.
            shown[current] = int(chance.integers(0, width))
            found.append(
                example(record, slots, choices, MaskState(shown), {current: weight * width}, asked=current)
            )
    constant = sum(
        math.log(1 + high - low)
        for place, ids in record.texts.items()
        for low, high in slots.lengths[slots.codec.fields[place].name].values()
        if low <= len(ids) <= high
    )
    kept = [each for each in found if each.positions]
    return [replace(kept[0], constant=constant), *kept[1:]] if kept else []


def _text_states(
    record: SlotRecord,
    slots: MaskedLayout,
    choices: AllowedColumns,
    shown: dict[int, int],
    current: int,
    weight: float,
    chance: np.random.Generator,
) -> list[Example]:
    """Return the state in which a text's length is next, and one in which some of its pieces are."""
    length = example(record, slots, choices, MaskState(shown), {current: weight}, asked=current)
    size = len(record.texts[current])
    hidden_count = int(chance.integers(1, size + 1))
    others = {place: count for place, count in shown.items() if place != current}
    state = MaskState(others, {current: _some(size, hidden_count, chance)})
    return [
        length,
        example(record, slots, choices, state, {current: weight * size / hidden_count}, asked=current),
    ]


class MaskedDataset(Dataset):
    """Records with hidden parts for a trainer; what is hidden is a function of (seed, epoch, record).

    Attributes:
        records: as they stand in the table.
        draw: makes the rows of a record.
        redraw: gives record `index` as it is in `epoch`; None when records do not change.
    """

    def __init__(
        self,
        records: Sequence[SlotRecord],
        *,
        draw: Callable[[SlotRecord, np.random.Generator], list[Example]],
        seed: int,
        redraw: Callable[[int, int], SlotRecord] | None = None,
    ) -> None:
        self.records = records
        self.draw = draw
        self.seed = seed
        self.redraw = redraw
        self.epoch = 0

    def begin_epoch(self, epoch: int) -> None:
        """Draw other values and other hidden parts."""
        self.epoch = epoch

    def __len__(self) -> int:
        return len(self.records)

    def __getitem__(self, index: int) -> list[Example]:
        record = self.records[index] if self.redraw is None else self.redraw(index, self.epoch)
        key = zlib.crc32(f"{self.seed}/{self.epoch}/{index}".encode())
        return self.draw(record, np.random.default_rng(key))


@dataclass(frozen=True)
class MaskedCollator:
    """Pad rows on the right, and list the asked slots of all of them.

    Attributes:
        vocabulary: token ids of the head's rows; None when the head is whole.
        padding: token of the padding, which attention leaves out.
        decisions: mean decisions of a record, by which the trainer divides.
    """

    vocabulary: tuple[int, ...] | None
    padding: int
    decisions: int

    def __call__(self, examples: Sequence[list[Example]]) -> dict[str, torch.Tensor]:
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
        # The trainer divides by the labels that it counts: as many a record, however many were hidden.
        counted = torch.zeros((len(examples), self.decisions), dtype=torch.int64)
        return {
            "input_ids": torch.from_numpy(ids),
            "attention_mask": torch.from_numpy(attention),
            "rows": torch.tensor([at for at, row in enumerate(rows) for _ in row.positions]),
            "positions": torch.tensor([position for row in rows for position in row.positions]),
            "targets": torch.from_numpy(targets),
            "choices": torch.tensor([choice for row in rows for choice in row.choices]),
            "weights": torch.tensor([weight for row in rows for weight in row.weights], dtype=torch.float32),
            "constant": torch.tensor(sum(row.constant for row in rows)),
            "labels": counted,
            "shift_labels": counted,
        }
