"""Targets of the three risks, cells as comparable codes, and the risk as a rate beyond that of control."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.eval.measuring.measure import too_few_control
from paracosm.eval.measuring.metric import Estimate, Obstacle, Result
from paracosm.eval.measuring.number_format import percentage
from paracosm.eval.statistics.intervals import excess
from paracosm.records.schema.schema import Field

if TYPE_CHECKING:
    from paracosm.eval.representations.row_distance import RowVectors

FEWEST_FIELDS = 3
MOST_TARGETS = 2000
MOST_TRAIN = 20_000
SAME_RANK = 0.01
"""Numbers and dates count as the same within this share of the ranks."""


def risks_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where the risks cannot be measured, or None."""
    count = len(structured_fields(context))
    if count < FEWEST_FIELDS:
        return Obstacle(
            f"they need {FEWEST_FIELDS} columns that are not text, and there are {count}", curable=False
        )
    return too_few_control(context)


def structured_fields(context: Context) -> list[Field]:
    """Return the fields that are not text."""
    return [field for field in context.fields if not field.is_text]


@dataclass(frozen=True)
class RiskTargets:
    """The real side of the three attacks, the same for all candidates."""

    vectors: RowVectors
    codes: CellCodes
    train_codes: np.ndarray
    control_codes: np.ndarray
    blocks: list[np.ndarray]
    """Vectors of the attacked records, members first, one block per field."""
    target_codes: np.ndarray
    members: int

    @classmethod
    def of(cls, context: Context) -> RiskTargets:
        """Return the targets of a context, prepared once for all three risks."""
        return context.once("risk targets", lambda: cls._prepare(context))

    @classmethod
    def _prepare(cls, context: Context) -> RiskTargets:
        from paracosm.eval.representations.row_distance import RowVectors

        fields, seed = structured_fields(context), context.settings.seed
        members = context.train.iloc[drawn_rows(len(context.train), MOST_TARGETS, seed)]
        others = context.control.iloc[drawn_rows(len(context.control), MOST_TARGETS, seed + 1)]
        train = context.train.iloc[drawn_rows(len(context.train), MOST_TRAIN, seed)]
        vectors, codes = RowVectors(fields, context.real), CellCodes(fields, context.real)
        targets = pd.concat([members, others], ignore_index=True)
        return cls(
            vectors,
            codes,
            codes(train),
            codes(context.control),
            vectors.blocks(targets),
            codes(targets),
            len(members),
        )


class CellCodes:
    """Cells as numbers that differ by at most 1 exactly where the cells count as the same.

    Numbers and dates are the same within 1% of the ranks, everything else only where it is equal.
    """

    def __init__(self, fields: Sequence[Field], real: pd.DataFrame) -> None:
        from paracosm.eval.representations.features import as_words
        from paracosm.eval.representations.row_distance import RowVectors

        self.ranks = RowVectors([field for field in fields if field.ordered], real)
        self.fields = fields
        words = {field.name: np.unique(as_words(real[field.name]).astype(str)) for field in fields}
        self.words = {
            name: {word: number for number, word in enumerate(of_field)} for name, of_field in words.items()
        }

    def __call__(self, table: pd.DataFrame) -> np.ndarray:
        """Return the codes of a table (rows x fields)."""
        from paracosm.eval.representations.features import as_words

        ranked = iter(self.ranks.blocks(table))
        columns = []
        for field in self.fields:
            if field.ordered:
                rank, absent = next(ranked).T
                columns.append(np.where(absent > 0, -1000.0, rank / SAME_RANK))
            else:
                number = self.words[field.name]
                words = as_words(table[field.name])
                columns.append([10.0 * number.get(str(word), len(number)) for word in words])
        return np.array(columns, dtype=np.float64).T


def joined(blocks: list[np.ndarray], chosen: np.ndarray) -> np.ndarray:
    """Return the vectors of some fields side by side (rows x axes)."""
    return np.hstack([blocks[number] for number in chosen])


def risk(success: np.ndarray, members: int) -> Estimate:
    """Return (rate on train - rate on control) / (1 - rate on control).

    Args:
        success: whether each trial on each target succeeds, members first (trials x targets).
        members: number of targets from train.
    """
    train, control = success[:, :members], success[:, members:]
    rates = float(train.mean()), float(control.mean())
    counts = _independent_trials(train), _independent_trials(control)
    difference = excess(rates[0] * counts[0], counts[0], rates[1] * counts[1], counts[1])
    room = max(1e-9, 1 - rates[1])
    facts = {
        "rate_on_train": rates[0],
        "rate_on_control": rates[1],
        "train_records": train.shape[1],
        "control_records": control.shape[1],
    }
    return Estimate(
        difference.value / room, difference.low / room, min(1.0, difference.high / room), facts=facts
    )


def interpret_risk(result: Result) -> str:
    """Return the sentence of a risk: the success rates on train and on control, and that of a naive guess."""
    facts = result.synthetic.facts
    return (
        f"The attack succeeds on {percentage(facts['rate_on_train'], 1)} of training records and on "
        f"{percentage(facts['rate_on_control'], 1)} of non-members; a naive guess without the synthetic records succeeds on "
        f"{percentage(facts['rate_of_naive_guess'], 1)}."
    )


def _independent_trials(success: np.ndarray) -> float:
    """Return the effective number of independent trials, since trials on the same record are correlated.

    It lies between one per record (its trials agree) and all of them, so that Wilson's interval is as wide as records vary.
    """
    trials, records = success.shape
    rate, variance = float(success.mean()), float(success.mean(axis=0).var())
    if variance <= 0:
        return float(records)
    return records * float(np.clip(rate * (1 - rate) / variance, 1, trials))
