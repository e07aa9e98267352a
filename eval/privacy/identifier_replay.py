"""Identifier replay: do synthetic records repeat identifiers of a single training subject, in columns or in texts?"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from paracosm.eval.measuring.anchors import control_halves
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.found_counts import FoundCount, interpret_count
from paracosm.eval.measuring.gate import CONTROL_TEXTS, Gate
from paracosm.eval.measuring.measure import Measure, too_few_control
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle
from paracosm.eval.measuring.non_members import non_member_candidates
from paracosm.eval.privacy.identifiers_in_text import (
    SHORTEST,
    found_in,
    is_personal_number,
    of_subjects,
    read_by_model,
)
from paracosm.eval.statistics.intervals import wilson

RECORDS = "released records {holds|hold} an identifier of one training subject"
NUMBERS = "mail addresses, telephone numbers and codes of one training subject {stands|stand} in the release"
ONE_SIDED_95 = 1.645


PII_REPLAY = Metric(
    name="pii_replay",
    title="Identifier replay: personal identifiers of one subject",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Rate minus that of non-members; intervals: Newcombe 1998, Zou & Donner 2008; Fisher's exact test in the figures",
    what="Share of synthetic records that hold a name, number or code of a single training subject, minus the share that would by chance.",
    formula="share of synthetic records with an identifier of one training subject - the same of non-members x identifiers of train / "
    "theirs",
    read=interpret_count,
    zero="worst",
    unit="points",
    gates=(
        Gate(
            "at most",
            0.01,
            0.005,
            0.001,
            settled_by=CONTROL_TEXTS,
            why="A released name, number or code of one person is a disclosure to any reader.",
            excludes="{one_in} released records with an identifier of one training subject",
        ),
    ),
)


IDENTIFIER_COUNT = Metric(
    name="identifier_count",
    title="Identifier replay: mail addresses, telephone numbers and codes",
    section="privacy",
    goal="down",
    range=(-math.inf, math.inf),
    source="Count minus that by chance (Good & Turing, and non-members); lower bound: Garwood 1936, exact for a Poisson count",
    what="How many mail addresses, telephone numbers and codes of a single training subject stand in the synthetic records, beyond chance; "
    "more synthetic records do not lower it.",
    formula="addresses and numbers of 6 digits or more of one training subject found in the synthetic records - the larger of two counts "
    "by chance; limits of its lower bound: 5, 4 and 3 found where chance gives none",
    read=interpret_count,
    unit="plain",
    zero="worst",
    gates=(
        Gate(
            "at most",
            1.5,
            1.0,
            0.5,
            settled_by=CONTROL_TEXTS,
            proof_for=(),
            why="Nobody guesses a telephone number: five of them are five persons, however many records are released.",
        ),
    ),
)


@dataclass(frozen=True)
class SearchedRecords:
    """Records that are searched for identifiers.

    Attributes:
        table: their fields, texts among them.
        cells: of the identifier columns of each record; empty without such columns.
    """

    table: pd.DataFrame
    cells: Sequence[frozenset[str]] = ()


def identifier_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, SearchedRecords]]:
    """Return the candidates of privacy metrics, each with the cells of its identifier columns.

    The floor has none: a name that is shuffled to another record still belongs to somebody. The identifiers of the ceiling are
    not compared with: whatever it shares with train is what chance gives.
    """
    identifiers = context.identifiers
    if context.test is not None:
        unseen = identifiers.get("test", ())
    else:
        control = identifiers.get("control", ())
        unseen = [control[row] for row in control_halves(context)[1]] if control else ()
    of: dict[Anchor, Sequence[frozenset[str]]] = {
        "synthetic": identifiers.get("synthetic", ()),
        "ceiling": unseen,
        "worst": identifiers.get("train", ()),
    }
    candidates = non_member_candidates(context, synthetic)
    of_ceiling, table = candidates["ceiling"]
    if of_ceiling.test is not None:
        candidates["ceiling"] = (context.once("without test", lambda: replace(of_ceiling, test=None)), table)
    return {
        anchor: (of_anchor, SearchedRecords(table, of.get(anchor, ())))
        for anchor, (of_anchor, table) in candidates.items()
    }


def identifier_obstacle(context: Context) -> Obstacle | None:
    """Return an obstacle where identifiers cannot be searched for, or None."""
    if not any(field.is_text for field in context.fields):
        if not any(context.identifiers.get("train", ())):
            return Obstacle("there is no text column and no identifier column", curable=False)
        if not any(context.identifiers.get("synthetic", ())):
            return Obstacle("the synthetic records hold no identifiers and no texts", curable=False)
    return too_few_control(context)


def identifier_replay(context: Context, candidate: SearchedRecords) -> dict[str, Estimate]:
    """Return `pii_replay`, the share of records that hold an identifier of one training subject, and `identifier_count`.

    Identifiers are the cells of identifier columns, what patterns find in texts, and with the extra `pii` what Presidio's
    patterns and a language model find there. The model reads real texts only; its findings are searched for literally in the
    texts of the candidate. Nothing where there are too few identifiers that only one subject has.
    """
    from scipy.stats import fisher_exact

    own: _OwnIdentifiers = context.once("identifiers", lambda: _own_identifiers(context))
    if len(own.train) < FEWEST_ROWS or len(own.others) < FEWEST_ROWS:
        return {}
    holders = _holders(context, candidate, own)
    sides = [[name for name in side if name in holders] for side in (own.train, own.others)]
    of_train, of_others = (len(set().union(*(holders[name] for name in side))) for side in sides)
    hits, other_hits = map(len, sides)
    table = [[hits, len(own.train) - hits], [other_hits, len(own.others) - other_hits]]
    rows, ratio = len(candidate.table), len(own.train) / len(own.others)
    facts = {
        "replayed": hits,
        "identifiers": len(own.train),
        "others_replayed": other_hits,
        "identifiers_of_others": len(own.others),
        "detectors": own.detectors,
        "fisher_p": float(fisher_exact(table, alternative="greater")[1]),  # type: ignore[arg-type]
    }
    count = FoundCount(of_train, rows, ratio * of_others, RECORDS)
    return {
        "pii_replay": replace(_rate_beyond(of_train, of_others, rows, ratio), facts=facts | count.fact),
        "identifier_count": _count_beyond(context, own, sides[0], sides[1], rows),
    }


def _rate_beyond(found: int, of_others: int, rows: int, ratio: float) -> Estimate:
    """Return the rate of records with an identifier of train minus the scaled rate of non-members'.

    The interval joins Wilson's intervals of both (Zou & Donner 2008).
    """
    rate, other = found / rows, of_others / rows
    (low, high), (other_low, other_high) = wilson(found, rows), wilson(of_others, rows)
    value = rate - ratio * other
    return Estimate(
        value,
        value - math.hypot(rate - low, ratio * (other_high - other)),
        value + math.hypot(high - rate, ratio * (other - other_low)),
    )


def _count_beyond(
    context: Context, own: _OwnIdentifiers, of_train: list[str], of_others: list[str], rows: int
) -> Estimate:
    """Return how many personal addresses and numbers of train are repeated, beyond what chance gives.

    Chance is estimated twice: from those of non-members, and from the number of them that two subjects of train share (a
    switchboard); the larger estimate counts, with one standard error and a half.
    """
    from scipy.stats import chi2

    found, other = (sum(map(is_personal_number, side)) for side in (of_train, of_others))
    all_of_train, all_of_others = (sum(map(is_personal_number, side)) for side in (own.train, own.others))
    scales = (all_of_train / max(1, all_of_others), 2 * rows / max(1, len(context.train)))
    counts = (other, own.shared_numbers)
    number = int(np.argmax([scale * count for scale, count in zip(scales, counts, strict=True)]))
    chance, error = scales[number] * counts[number], scales[number] * math.sqrt(counts[number])
    low, high = (
        (float(chi2.ppf(0.025, 2 * found)) / 2 if found else 0.0),
        float(chi2.ppf(0.975, 2 * found + 2)) / 2,
    )
    count = FoundCount(found, all_of_train, chance, NUMBERS)
    value = found - chance
    return Estimate(value, min(value, low - chance - ONE_SIDED_95 * error), high - chance, facts=count.fact)


def _holders(context: Context, candidate: SearchedRecords, own: _OwnIdentifiers) -> dict[str, set[int]]:
    """Return the row numbers of the records that hold each identifier of one subject; identifiers without any are left out."""
    wanted, texts = own.train | own.others, _plain_texts(candidate.table, context)
    holders: dict[str, set[int]] = defaultdict(set)
    for row, text in enumerate(texts):
        for name in wanted.intersection(found_in(text)):
            holders[name].add(row)
    for row, cells in enumerate(candidate.cells):
        for name in wanted.intersection(cell.casefold() for cell in cells):
            holders[name].add(row)
    folded = [text.casefold() for text in texts]
    together, ends = "\n".join(folded), np.cumsum([len(text) + 1 for text in folded])
    for name in wanted & own.literal:
        for start in _positions(together, name):
            holders[name].add(int(np.searchsorted(ends, start, side="right")))
    return holders


def _positions(text: str, name: str) -> Iterator[int]:
    """Yield where `text` contains `name` between word boundaries."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        if not text[max(0, start - 1) : start].isalnum() and not text[end : end + 1].isalnum():
            yield start
        start = text.find(name, start + 1)


@dataclass(frozen=True)
class _OwnIdentifiers:
    """Identifiers that one subject has, case-folded.

    Attributes:
        train: those of one subject of train.
        others: those of one non-member.
        literal: those that are searched for literally, because a model or a column gave them.
        shared_numbers: addresses and numbers that two subjects of train share and nobody else has.
        detectors: what found them.
    """

    train: set[str]
    others: set[str]
    literal: set[str]
    shared_numbers: int
    detectors: list[str]


def _own_identifiers(context: Context) -> _OwnIdentifiers:
    """Return the identifiers that one subject has."""
    tables = {
        name: table
        for name, table in (("train", context.train), ("control", context.control), ("test", context.test))
        if table is not None
    }
    texts = {name: _plain_texts(table, context) for name, table in tables.items()}
    by_model = read_by_model([text for split in texts.values() for text in split], context.language)
    detectors = [*(["columns"] if any(map(any, context.identifiers.values())) else []), "patterns"]
    detectors += [] if by_model is None else ["presidio patterns", "language model"]
    read = iter(by_model or ())
    identifiers: dict[str, list[set[str]]] = {}
    for name, split in texts.items():
        records = [found_in(text) | next(read, set()) for text in split]
        columns = context.identifiers.get(name) or [frozenset()] * len(records)
        for record, cells in zip(records, columns, strict=True):
            record |= {cell.casefold() for cell in cells if len(cell) >= SHORTEST}
        identifiers[name] = records
    subjects = {name: None if (of := context.subjects.get(name)) is None else of.tolist() for name in texts}
    everything = {name: set().union(*records) for name, records in identifiers.items()}
    elsewhere = {
        name: set().union(*(names for other, names in everything.items() if other != name)) for name in texts
    }
    train, others = (
        of_subjects(identifiers[name], subjects[name], elsewhere[name], 1) for name in ("train", "control")
    )
    shared = of_subjects(identifiers["train"], subjects["train"], elsewhere["train"], 2)
    cells = {cell.casefold() for records in context.identifiers.values() for row in records for cell in row}
    literal = set().union(*(by_model or ())) | cells
    return _OwnIdentifiers(train, others, literal, sum(map(is_personal_number, shared)), detectors)


def _plain_texts(table: pd.DataFrame, context: Context) -> list[str]:
    """Return the texts of each record, joined by line breaks."""
    from paracosm.eval.representations.features import as_texts

    columns = [as_texts(table[field.name]) for field in context.fields if field.is_text]
    return ["\n".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * len(table)


MEASURE = Measure(
    identifier_replay,
    (PII_REPLAY, IDENTIFIER_COUNT),
    identifier_candidates,
    identifier_obstacle,
    Obstacle("too few identifiers of a single subject were found", curable=False),
)
