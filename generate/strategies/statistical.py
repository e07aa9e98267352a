"""The strategy `statistical`: draws field after field from fitted statistics, many records at once."""

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from paracosm.finetune.models.chat_prompt import ordered
from paracosm.foundation.errors import RecipeError
from paracosm.generate.constraints.allowed_values import AllowedValues
from paracosm.generate.constraints.guide import Guide, NoConstraints
from paracosm.generate.constraints.request import Abilities, Request, Tally
from paracosm.generate.redraws.retries import draw_until_accepted
from paracosm.generate.redraws.unused_settings import refuse_unused
from paracosm.generate.statistics.chain import UNIFORMS, Chain
from paracosm.generate.statistics.stored_chain import load_chain
from paracosm.recipes.sections.generate import Generate
from paracosm.records.schema.schema import Record, Schema, Value

BATCH = 4096
UNUSED = ("temperature", "temperatures", "top_p", "top_k", "min_p", "rewrite")
"""Settings of a language model, which statistics do not have."""
ADVICE = "put the field into data.target, which is drawn first, or raise generate.attempts"


class StatisticalStrategy:
    """Fitted statistics, loaded when they are first needed; see `Strategy`.

    Attributes:
        folder: written by the finetune stage.
        settings: of the recipe's `generate` section.
    """

    def __init__(self, folder: Path, settings: Generate) -> None:
        refuse_settings(settings)
        self.folder = folder
        self.settings = settings

    @cached_property
    def chain(self) -> Chain:
        return load_chain(self.folder)

    @property
    def abilities(self) -> Abilities:
        return Abilities(self.chain.schema, advice=ADVICE)

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size or BATCH

    def records(self, requests: Sequence[Request], *, seed: int, tally: Tally) -> list[list[Record]]:
        groups: list[list[Record]] = []
        for begin in range(0, len(requests), self.batch_size):
            drawn = draw_until_accepted(
                requests[begin : begin + self.batch_size],
                lambda missing, attempt: draw(self.chain, missing, seed, attempt, tally),
                tally,
                attempts=self.settings.attempts,
            )
            groups += [[record] for record in drawn]
        return groups

    def facts(self) -> dict[str, Any]:
        return {}


def abilities_for(schema: Schema, target: str | None) -> Abilities:
    """Return what statistics of some records can be asked for, after checking that they can be fitted.

    Args:
        schema: in the order of the source.
        target: the column that is drawn first; None for none. Fields that are computed from others come after these.

    Raises:
        RecipeError: one is a free text, or records form sequences.
    """
    texts = [field.name for field in schema.modelled if field.is_text]
    if texts:
        raise RecipeError(
            f"strategy: statistical does not write free text, and {texts[0]!r} is one; name it in data.drop, or use strategy finetuned"
        )
    if schema.sequence is not None:
        raise RecipeError(
            "strategy: statistical makes single records, not the sequences of data.sequence; leave out data.sequence, or use"
            " strategy finetuned"
        )
    return Abilities(ordered(schema, target), advice=ADVICE)


def refuse_settings(settings: Generate) -> None:
    """Check that the recipe sets nothing that only a language model has.

    Raises:
        RecipeError: it does.
    """
    refuse_unused(
        settings, UNUSED, "statistical", "is for language models; leave it out with strategy statistical"
    )


def draw(
    chain: Chain, requests: Sequence[Request], seed: int, attempt: int, tally: Tally
) -> list[Record | None]:
    """Draw every request once; None for a record that a constraint refuses.

    Args:
        chain: the fitted statistics.
        requests: for the records.
        seed: of the random numbers.
        attempt: 0, or how often these requests were refused before.
        tally: counts attempts, accepted records and refusals.
    """
    fields = chain.schema.modelled
    uniforms = _uniforms(requests, seed, attempt, UNIFORMS * len(fields))
    known = np.full((len(requests), len(fields)), np.nan)
    guides: list[Guide] = [request.guide or NoConstraints() for request in requests]
    records: list[dict[str, Value]] = [{} for _ in requests]
    left = np.arange(len(requests))
    tally.attempts += len(requests)
    for index, field in enumerate(fields):
        groups, refused = _grouped(index, left, guides, records, tally)
        left = np.setdiff1d(left, refused, assume_unique=True)
        column = chain.columns[index]
        for allowed, rows in groups.items():
            of_field = uniforms[rows, UNIFORMS * index : UNIFORMS * (index + 1)]
            if allowed.everything:
                drawn = chain.draw(index, known[rows, :index], of_field)
            else:
                drawn = chain.draw_allowed(index, known[rows, :index], of_field, allowed)
            known[rows, index] = column.positions(drawn.numbers, drawn.absent)
            value = column.grid.value
            for row, number, absent in zip(
                rows.tolist(), drawn.numbers.tolist(), drawn.absent.tolist(), strict=True
            ):
                records[row][field.name] = None if absent else value(number)
        left = _unviolated(index, left, guides, records, tally)
    accepted = set(left.tolist())
    tally.finished += len(accepted)
    return [record if row in accepted else None for row, record in enumerate(records)]


def _uniforms(requests: Sequence[Request], seed: int, attempt: int, count: int) -> np.ndarray:
    """Return the random numbers of each record, which follow from its number, its redraw and the attempt alone."""
    return np.stack(
        [
            np.random.Generator(
                np.random.Philox(
                    key=[seed % 2**64, request.number + (request.redraw << 48)], counter=[0, 0, 0, attempt]
                )
            ).random(count)
            for request in requests
        ]
    )


def _grouped(
    index: int,
    rows: np.ndarray,
    guides: Sequence[Guide],
    records: Sequence[Mapping[str, Value]],
    tally: Tally,
) -> tuple[dict[AllowedValues, np.ndarray], list[int]]:
    """Return the rows by the values that their constraints leave the field, and the rows that are left none."""
    groups: dict[AllowedValues, list[int]] = {}
    refused = []
    for row in rows.tolist():
        allowed = guides[row].allowed(index, records[row], {})
        if allowed is None:
            tally.refusals[guides[row].conflict(index, records[row])] += 1
            refused.append(row)
        else:
            groups.setdefault(allowed, []).append(row)
    return {allowed: np.array(members) for allowed, members in groups.items()}, refused


def _unviolated(
    index: int,
    rows: np.ndarray,
    guides: Sequence[Guide],
    records: Sequence[Mapping[str, Value]],
    tally: Tally,
) -> np.ndarray:
    """Return the rows that violate no constraint now that the field at `index` is known."""
    kept = []
    for row in rows.tolist():
        violation = guides[row].violation(index, records[row])
        if violation is None:
            kept.append(row)
        else:
            tally.refusals[violation] += 1
    return np.array(kept, dtype=np.int64)
