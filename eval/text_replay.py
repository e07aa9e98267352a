"""Do synthetic texts repeat training texts: long runs of words, and what names one person only?"""

import zlib
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pandas as pd
from scipy.stats import fisher_exact

from paracosm.eval.context import Context
from paracosm.eval.features import as_texts
from paracosm.eval.metric import FEWEST_ROWS, Estimate, Obstacle, excess
from paracosm.eval.personal_identifiers import SHORTEST, found_in, of_one_subject, read_by_model
from paracosm.eval.text_attacks import documents

RUNS = (8, 13, 50)
"""Words in a row that count as repeated; the second and the third are metrics."""
FACTOR = np.uint64(0x9E3779B97F4A7C15)


def text_replay(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `run_13` and `run_50`: the share of texts with that many words in a row from a training text, minus

    the share of control texts with such a run (boilerplate is no leak). A length that hardly any training text has is
    left out.
    """
    known = context.once("runs of train", lambda: _runs_of(documents(context.train, context.fields)))
    theirs = context.once(
        "runs of control", lambda: _repeating(documents(context.control, context.fields), known)
    )
    ours = _repeating(documents(candidate, context.fields), known)
    found = {}
    for length in RUNS:
        counts = {
            "copies": int(ours[length].sum()),
            "rows": len(candidate),
            "control_copies": int(theirs[length].sum()),
            "control_rows": len(context.control),
        }
        rate = excess(counts["copies"], len(candidate), counts["control_copies"], len(context.control))
        found[f"run_{length}"] = replace(rate, facts=counts)
    each = {f"{length} words": found[f"run_{length}"].value for length in RUNS}
    return {
        f"run_{length}": replace(found[f"run_{length}"], breakdown=each)
        for length in RUNS[1:]
        if len(known[length]) >= FEWEST_ROWS
    }


def text_obstacle(context: Context) -> Obstacle | None:
    """Return why texts cannot be compared, or None."""
    if all(each.type != "text" for each in context.fields):
        return Obstacle("there is no text column", curable=False)
    if len(context.control) < FEWEST_ROWS:
        return Obstacle(f"only {len(context.control)} control records; at least {FEWEST_ROWS} are needed")
    return None


def identifier_replay(context: Context, candidate: pd.DataFrame) -> dict[str, Estimate]:
    """Return `pii_replay`: of the identifiers that only one subject of train has, the share that a candidate's texts

    repeat, minus the same share for identifiers that only one subject of control has. Nothing where texts hold none.
    Identifiers: cells of identifier columns, then what `personal_identifiers` finds in texts by patterns, then, with the
    extra `pii`, by Presidio's patterns and a language model. The model reads real texts only: what it found there is
    looked for, word for word, in the candidate's.
    """
    known, unseen, read, detectors = context.once("identifiers", lambda: _own_identifiers(context))
    if len(known) < FEWEST_ROWS or len(unseen) < FEWEST_ROWS:
        return {}
    texts = _plain_texts(candidate, context)
    seen, together = set().union(*map(found_in, texts)), "\n".join(texts).casefold()
    spelled_out = read | {
        name.casefold() for held in context.identifiers.values() for each in held for name in each
    }
    spelled = {
        name
        for name in (known | unseen)
        if name in seen or (name in spelled_out and _stands_in(name, together))
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
    detectors = [*(["columns"] if any(context.identifiers.values()) else []), "patterns"]
    detectors += [] if by_model is None else ["presidio patterns", "language model"]
    read = iter(by_model or ())
    held: dict[str, list[set[str]]] = {}
    for name, each in texts.items():
        records = [found_in(text) | next(read, set()) for text in each]
        for record, columns in zip(records, context.identifiers.get(name, ()), strict=False):
            record |= {cell.casefold() for cell in columns if len(cell) >= SHORTEST}
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
    return ["\n".join(parts) for parts in zip(*columns, strict=True)]


def _runs_of(texts: Sequence[str]) -> dict[int, np.ndarray]:
    """Return, per length, the sorted hashes of all runs of words."""
    found: dict[int, list[np.ndarray]] = {length: [] for length in RUNS}
    for text in texts:
        words = _word_hashes(text)
        for length in RUNS:
            found[length].append(_run_hashes(words, length))
    return {length: np.unique(np.concatenate(each)) for length, each in found.items()}


def _repeating(texts: Sequence[str], known: dict[int, np.ndarray]) -> dict[int, np.ndarray]:
    """Return, per length, which texts hold a run that is known."""
    flags = {length: np.zeros(len(texts), dtype=bool) for length in RUNS}
    for number, text in enumerate(texts):
        words = _word_hashes(text)
        for length in RUNS:
            flags[length][number] = _any_known(_run_hashes(words, length), known[length])
    return flags


def _any_known(hashes: np.ndarray, known: np.ndarray) -> bool:
    if not len(known):
        return False
    place = np.minimum(np.searchsorted(known, hashes), len(known) - 1)
    return bool((known[place] == hashes).any())


def _word_hashes(text: str) -> np.ndarray:
    return np.array([zlib.crc32(word.encode()) for word in text.split()], dtype=np.uint64)


def _run_hashes(words: np.ndarray, length: int) -> np.ndarray:
    if len(words) < length:
        return np.zeros(0, dtype=np.uint64)
    mixed = np.zeros(len(words) - length + 1, dtype=np.uint64)
    for offset in range(length):
        mixed = (mixed ^ words[offset : offset + len(mixed)]) * FACTOR
        mixed ^= mixed >> np.uint64(29)
    return mixed
