"""Identifier replay: do synthetic records repeat identifiers of a single training subject, in columns or in texts?"""

from collections.abc import Iterable
from dataclasses import dataclass, replace

import pandas as pd

from paracosm.eval.measuring.anchors import control_halves, leakage_candidates
from paracosm.eval.measuring.context import Context
from paracosm.eval.measuring.gate import CONTROL_TEXTS, Gate
from paracosm.eval.measuring.measure import Measure, too_few_control
from paracosm.eval.measuring.metric import FEWEST_ROWS, Anchor, Estimate, Metric, Obstacle, Result
from paracosm.eval.measuring.readings import agreeing
from paracosm.eval.privacy.identifiers_in_text import SHORTEST, found_in, of_one_subject, read_by_model
from paracosm.eval.statistics.intervals import excess


def _interpret(result: Result) -> str:
    facts = result.synthetic.facts
    return (
        f"{facts['replayed']:,} of {facts['identifiers']:,} identifiers of a single training subject are in the synthetic "
        f"records; so {agreeing('{is|are}', facts['control_replayed'])} {facts['control_replayed']:,} of "
        f"{facts['control_identifiers']:,} of non-members."
    )


PII_REPLAY = Metric(
    name="pii_replay",
    title="Identifier replay: personal identifiers of one subject",
    section="privacy",
    goal="down",
    range=(-1.0, 1.0),
    source="Rate minus control's; intervals: Newcombe 1998; Fisher's exact test in the figures",
    what="Share of the names, numbers and codes of a single training subject that synthetic records repeat, minus that of non-members.",
    formula="share of identifiers of one training subject found in the synthetic records - that of one control subject; Newcombe",
    read=_interpret,
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
            excludes="{percent} of the identifiers of single persons",
        ),
    ),
)


@dataclass(frozen=True)
class SearchedRecords:
    """Records that are searched for identifiers.

    Attributes:
        table: their fields, texts among them.
        cells: of their identifier columns, case-folded.
    """

    table: pd.DataFrame
    cells: frozenset[str] = frozenset()


def identifier_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, SearchedRecords]]:
    """Return the candidates of privacy metrics, each with the cells of its identifier columns.

    The floor has none: a name that is shuffled to another record still belongs to somebody.
    """
    cells = {name: _folded(records) for name, records in context.identifiers.items()}
    if context.test is not None:
        unseen = cells.get("test", frozenset())
    else:
        control = context.identifiers.get("control", ())
        unseen = _folded(control[row] for row in control_halves(context)[1]) if control else frozenset()
    of: dict[Anchor, frozenset[str]] = {
        "synthetic": cells.get("synthetic", frozenset()),
        "ceiling": unseen,
        "worst": cells.get("train", frozenset()),
    }
    return {
        anchor: (of_anchor, SearchedRecords(table, of.get(anchor, frozenset())))
        for anchor, (of_anchor, table) in leakage_candidates(context, synthetic).items()
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
    """Return `pii_replay`: the share of identifiers of one training subject that a candidate repeats, minus that of control.

    Identifiers are the cells of identifier columns, what patterns find in texts, and with the extra `pii` what Presidio's
    patterns and a language model find there. The model reads real texts only; its findings are searched for literally in the
    texts of the candidate. Nothing where there are too few identifiers that only one subject has.
    """
    from scipy.stats import fisher_exact

    of_train, of_control, read, detectors = context.once("identifiers", lambda: _own_identifiers(context))
    if len(of_train) < FEWEST_ROWS or len(of_control) < FEWEST_ROWS:
        return {}
    texts = _plain_texts(candidate.table, context)
    seen, together = set().union(*map(found_in, texts)), "\n".join(texts).casefold()
    literal = read | {
        name.casefold() for records in context.identifiers.values() for names in records for name in names
    }
    repeated = {
        name
        for name in (of_train | of_control)
        if name in candidate.cells or name in seen or (name in literal and _contains(together, name))
    }
    hits, control_hits = len(of_train & repeated), len(of_control & repeated)
    table = [[hits, len(of_train) - hits], [control_hits, len(of_control) - control_hits]]
    facts = {
        "replayed": hits,
        "identifiers": len(of_train),
        "control_replayed": control_hits,
        "control_identifiers": len(of_control),
        "detectors": detectors,
        "fisher_p": float(fisher_exact(table, alternative="greater")[1]),  # type: ignore[arg-type]
    }
    return {"pii_replay": replace(excess(hits, len(of_train), control_hits, len(of_control)), facts=facts)}


def _contains(text: str, name: str) -> bool:
    """Return whether `text` contains `name` between word boundaries."""
    start = text.find(name)
    while start >= 0:
        end = start + len(name)
        if not text[max(0, start - 1) : start].isalnum() and not text[end : end + 1].isalnum():
            return True
        start = text.find(name, start + 1)
    return False


def _own_identifiers(context: Context) -> tuple[set[str], set[str], set[str], list[str]]:
    """Return the identifiers that one subject of train has, or of control; those that the model found; the detectors used."""
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
    everything = {name: set().union(*records) for name, records in identifiers.items()}
    sides = []
    for name in ("train", "control"):
        others = set().union(*(names for other, names in everything.items() if other != name))
        subjects = context.subjects.get(name)
        sides.append(
            of_one_subject(identifiers[name], None if subjects is None else subjects.tolist(), others)
        )
    return sides[0], sides[1], set().union(*(by_model or ())), detectors


def _plain_texts(table: pd.DataFrame, context: Context) -> list[str]:
    """Return the texts of each record, joined by line breaks."""
    from paracosm.eval.representations.features import as_texts

    columns = [as_texts(table[field.name]) for field in context.fields if field.is_text]
    return ["\n".join(parts) for parts in zip(*columns, strict=True)] if columns else [""] * len(table)


def _folded(records: Iterable[frozenset[str]]) -> frozenset[str]:
    return frozenset(cell.casefold() for cells in records for cell in cells)


MEASURE = Measure(
    identifier_replay,
    (PII_REPLAY,),
    identifier_candidates,
    identifier_obstacle,
    Obstacle("too few identifiers of a single subject were found", curable=False),
)
