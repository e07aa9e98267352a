"""Do synthetic records repeat what names one training person only: in their identifier columns, or in their texts?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd
from scipy.stats import fisher_exact

from paracosm.eval.measuring.anchors import control_halves, leakage_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Obstacle
from paracosm.eval.privacy.identifier_detection import SHORTEST, found_in, of_one_subject, read_by_model
from paracosm.eval.representations.features import as_texts
from paracosm.eval.statistics.intervals import excess


@dataclass(frozen=True)
class Spelled:
    """Records that may spell identifiers.

    Attributes:
        table: their fields, texts among them.
        cells: of their identifier columns, in small letters.
    """

    table: pd.DataFrame
    cells: frozenset[str] = frozenset()


def identifier_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, tuple[Context, Spelled]]:
    """Return what is searched: as for other replays, each table with the cells of its identifier columns.

    Shuffled columns, the floor, have none: dealt out anew, a name is still somebody's.
    """
    cells = {name: _small(held) for name, held in context.identifiers.items()}
    if context.test is not None:
        unseen = cells.get("test", frozenset())
    else:
        held = context.identifiers.get("control", ())
        unseen = _small(held[row] for row in control_halves(context)[1]) if held else frozenset()
    of: dict[Anchor, frozenset[str]] = {
        "synthetic": cells.get("synthetic", frozenset()),
        "ceiling": unseen,
        "worst": cells.get("train", frozenset()),
    }
    return {
        anchor: (its_context, Spelled(table, of.get(anchor, frozenset())))
        for anchor, (its_context, table) in leakage_candidates(context, synthetic).items()
    }


def identifier_obstacle(context: Context) -> Obstacle | None:
    """Return why identifiers cannot be looked for, or None."""
    if all(each.type != "text" for each in context.fields):
        if not any(context.identifiers.get("train", ())):
            return Obstacle("there is no text column and no identifier column", curable=False)
        if not any(context.identifiers.get("synthetic", ())):
            return Obstacle("the synthetic records hold no identifiers and no texts", curable=False)
    if len(context.control) < FEWEST_ROWS:
        return Obstacle(f"only {len(context.control)} control records; at least {FEWEST_ROWS} are needed")
    return None


def identifier_replay(context: Context, candidate: Spelled) -> dict[str, Estimate]:
    """Return `pii_replay`: of the identifiers that only one subject of train has, the share that a candidate's columns and

    texts repeat, minus the same share for identifiers that only one subject of control has. Nothing where there are none.
    Identifiers: cells of identifier columns, then what `personal_identifiers` finds in texts by patterns, then, with the
    extra `pii`, by Presidio's patterns and a language model. The model reads real texts only: what it found there is
    looked for, word for word, in the candidate's.
    """
    known, unseen, read, detectors = context.once("identifiers", lambda: _own_identifiers(context))
    if len(known) < FEWEST_ROWS or len(unseen) < FEWEST_ROWS:
        return {}
    texts = _plain_texts(candidate.table, context)
    seen, together = set().union(*map(found_in, texts)), "\n".join(texts).casefold()
    spelled_out = read | {
        name.casefold() for held in context.identifiers.values() for each in held for name in each
    }
    spelled = {
        name
        for name in (known | unseen)
        if name in candidate.cells or name in seen or (name in spelled_out and _stands_in(name, together))
    }
    hits, control_hits = len(known & spelled), len(unseen & spelled)
    table = [[hits, len(known) - hits], [control_hits, len(unseen) - control_hits]]
    facts = {
        "replayed": hits,
        "identifiers": len(known),
        "control_replayed": control_hits,
        "control_identifiers": len(unseen),
        "detectors": detectors,
        "fisher_p": float(fisher_exact(table, alternative="greater")[1]),  # type: ignore[arg-type]
    }
    return {"pii_replay": replace(excess(hits, len(known), control_hits, len(unseen)), facts=facts)}


def _stands_in(name: str, text: str) -> bool:
    """Return whether `text` holds `name` as words of their own."""
    place = text.find(name)
    while place >= 0:
        end = place + len(name)
        if not text[max(0, place - 1) : place].isalnum() and not text[end : end + 1].isalnum():
            return True
        place = text.find(name, place + 1)
    return False


def _own_identifiers(context: Context) -> tuple[set[str], set[str], set[str], list[str]]:
    """Return the identifiers of single subjects of train, and of control; those that a model read; what looked for them."""
    tables = {
        name: table
        for name, table in (("train", context.train), ("control", context.control), ("test", context.test))
        if table is not None
    }
    texts = {name: _plain_texts(table, context) for name, table in tables.items()}
    by_model = read_by_model([text for each in texts.values() for text in each])
    detectors = [*(["columns"] if any(map(any, context.identifiers.values())) else []), "patterns"]
    detectors += [] if by_model is None else ["presidio patterns", "language model"]
    read = iter(by_model or ())
    held: dict[str, list[set[str]]] = {}
    for name, each in texts.items():
        records = [found_in(text) | next(read, set()) for text in each]
        columns = context.identifiers.get(name) or [frozenset()] * len(records)
        for record, cells in zip(records, columns, strict=True):
            record |= {cell.casefold() for cell in cells if len(cell) >= SHORTEST}
        held[name] = records
    everything = {name: set().union(*records) for name, records in held.items()}
    sides = []
    for name in ("train", "control"):
        others = set().union(*(each for other, each in everything.items() if other != name))
        subjects = context.subjects.get(name)
        sides.append(of_one_subject(held[name], None if subjects is None else subjects.tolist(), others))
    return sides[0], sides[1], set().union(*(by_model or ())), detectors


def _plain_texts(table: pd.DataFrame, context: Context) -> list[str]:
    columns = [as_texts(table[each.name]) for each in context.fields if each.type == "text"]
    return ["\n".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * len(table)


def _small(held: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset(cell.casefold() for cells in held for cell in cells)
