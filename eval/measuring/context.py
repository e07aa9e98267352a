"""What every metric measures against: the real splits, the sizes, the seeds, and how anchors are made from them."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.dp_claim import Claim
from paracosm.eval.measuring.metric import Anchor
from paracosm.recipes.recipe import Evaluate
from paracosm.records.schema.schema import Field, Schema

if TYPE_CHECKING:
    from paracosm.eval.attacks.attack_training import Attackers

NUMERIC = ("integer", "number", "datetime")
DISCRETE = ("category", "boolean")


@dataclass(frozen=True, eq=False)
class Context:
    """The real records that synthetic ones are measured against. Tables are typed tables with `schema`'s columns."""

    schema: Schema
    train: pd.DataFrame
    control: pd.DataFrame
    test: pd.DataFrame | None
    target: str | None
    settings: Evaluate
    size: int
    """Rows of a candidate in one fidelity measurement; the same for synthetic, ceiling, floor and worst case."""
    subjects: Mapping[str, np.ndarray] = field(default_factory=dict)
    """Split -> whom each of its records is about, as numbers; empty where every record is its own subject."""
    identifiers: Mapping[str, Sequence[frozenset[str]]] = field(default_factory=dict)
    """Split -> the identifiers of each of its records, which no metric but their own replay sees."""
    adapter: Path | None = None
    """The adapter that made the synthetic records, where one is at hand."""
    canaries: Path | None = None
    """Records that were planted in train by coin flips, where there are some."""
    claim: Claim | None = None
    """What a private training states to have spent."""
    attackers: "Attackers | None" = None
    """With what attacks train adapters of their own; None where they may not."""
    further: Sequence[pd.DataFrame] = ()
    """Other sets of synthetic records, of the same generator with other seeds."""
    untrained: pd.DataFrame | None = None
    """What the base model writes without the adapter, where that is the floor of texts."""

    memo: dict[str, Any] = field(init=False, repr=False, default_factory=dict)
    """What metrics worked out of the real records alone, shared by all candidates."""
    locks: dict[str, AbstractContextManager[Any]] = field(init=False, repr=False, default_factory=dict)
    """One for each key of `memo`: who comes second waits for what the first one makes."""

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """Return what `make` makes, made at most once, whichever thread asks."""
        with self.locks.setdefault(key, RLock()):
            if key not in self.memo:
                self.memo[key] = make()
            return self.memo[key]

    @property
    def fields(self) -> tuple[Field, ...]:
        return self.schema.modelled

    @property
    def held_out(self) -> pd.DataFrame:
        """Every real record that never trained."""
        return self.control if self.test is None else pd.concat([self.control, self.test], ignore_index=True)

    @property
    def reference(self) -> pd.DataFrame:
        """Train, cut to at most `settings.max_rows` random rows."""
        return self.once(
            "reference", lambda: subsample(self.train, self.settings.max_rows, self.settings.seed)
        )

    @property
    def real(self) -> pd.DataFrame:
        """Every real record: what ranks and categories are learnt from where neither side may be favoured."""
        return pd.concat([self.train, self.held_out], ignore_index=True)

    def subjects_of(self, **rows: np.ndarray) -> np.ndarray | None:
        """Return the subjects of some rows of some splits, one after the other; None where records are subjects."""
        if not self.subjects:
            return None
        return np.concatenate([self.subjects[name][chosen] for name, chosen in rows.items()])

    def parts(self, table: pd.DataFrame, stream: int) -> Iterator[pd.DataFrame]:
        """Yield `settings.repeats` random parts of `size` rows; parts share no row until the table is used up."""
        random = np.random.default_rng([self.settings.seed, stream])
        size = min(self.size, len(table))
        order = np.empty(0, dtype=np.int64)
        for _ in range(self.settings.repeats):
            if len(order) < size:
                order = random.permutation(len(table))
            yield table.iloc[order[:size]].reset_index(drop=True)
            order = order[size:]

    def distinct_parts(self, table: pd.DataFrame) -> int:
        """Return how many of the parts share no row: the number of independent measurements in their average."""
        return max(1, min(self.settings.repeats, len(table) // max(1, min(self.size, len(table)))))


def subsample(table: pd.DataFrame, rows: int, seed: int) -> pd.DataFrame:
    """Return at most `rows` random rows of `table`, in their old order."""
    return (
        table if len(table) <= rows else table.iloc[drawn_rows(len(table), rows, seed)].reset_index(drop=True)
    )


def drawn_rows(count: int, rows: int, seed: int) -> np.ndarray:
    """Return at most `rows` random row numbers out of `count`, ascending."""
    if count <= rows:
        return np.arange(count)
    return np.sort(np.random.default_rng([seed, 7]).choice(count, rows, replace=False))


def independent_marginals(table: pd.DataFrame, fields: Sequence[Field], rows: int, seed: int) -> pd.DataFrame:
    """Return `rows` records whose columns are each shuffled alone: right marginals, no relation between columns.

    A text is drawn word by word from all words of its column, at the length of some text: shuffling whole texts would
    copy them. Above `len(table)` rows, whole shuffles follow each other.
    """
    random = np.random.default_rng([seed, 11])
    shuffles = -(-rows // len(table))
    columns = {}
    for each in fields:
        order = np.concatenate([random.permutation(len(table)) for _ in range(shuffles)])[:rows]
        column = table[each.name].iloc[order].reset_index(drop=True)
        columns[each.name] = _shuffled_words(column, random) if each.type == "text" else column
    return pd.DataFrame(columns)


def _shuffled_words(column: pd.Series, random: np.random.Generator) -> pd.Series:
    words = [text.split() for text in column.dropna()]
    pool = np.array([word for text in words for word in text], dtype=object)
    random.shuffle(pool)
    ends = np.cumsum([len(text) for text in words])
    texts = [" ".join(pool[end - len(text) : end]) for text, end in zip(words, ends, strict=True)]
    shuffled = column.copy()
    shuffled[column.notna()] = texts
    return shuffled


def shuffled(context: Context, rows: int) -> pd.DataFrame:
    """Return the floor: `rows` records of train with every column shuffled alone."""
    return context.once(
        f"floor of {rows}",
        lambda: independent_marginals(context.train, context.fields, rows, context.settings.seed),
    )


def fidelity_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return what is handed in as if synthetic: held-out real records, shuffled columns, a copy of train."""
    return {
        "synthetic": synthetic,
        "ceiling": context.held_out,
        "floor": shuffled(context, len(synthetic)),
        "worst": context.train,
    }


def text_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return the same for texts, whose floor can be records that the base model wrote without the adapter."""
    candidates = fidelity_candidates(context, synthetic)
    if context.untrained is not None:
        candidates["floor"] = context.untrained
    return candidates


def unseen_text_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return the same where control serves as a yardstick: the ceiling is the test split, or half of control by the other."""
    candidates = leakage_candidates(context, synthetic)
    if context.untrained is not None:
        candidates["floor"] = (context, context.untrained)
    return candidates


def utility_candidates(context: Context, synthetic: pd.DataFrame) -> dict[Anchor, pd.DataFrame]:
    """Return what learners train on: synthetic records, train itself (the ceiling), shuffled columns."""
    return {"synthetic": synthetic, "ceiling": context.train, "floor": shuffled(context, len(context.train))}


def leakage_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return what is attacked; the ceiling is the test split, or without one a half of control against the other."""
    if context.test is not None:
        clean = (context, context.test)
    else:
        known, fresh = control_halves(context)
        clean = (_with_control(context, known), context.control.iloc[fresh].reset_index(drop=True))
    return {
        "synthetic": (context, synthetic),
        "ceiling": clean,
        "floor": (context, shuffled(context, len(synthetic))),
        "worst": (context, context.train),
    }


def attack_candidates(
    context: Context, synthetic: pd.DataFrame
) -> dict[Anchor, tuple[Context, pd.DataFrame]]:
    """Return what membership attacks are tried on; the test split is their reference, or without one half of control.

    The ceiling is one half of the reference handed in as if synthetic, with the other half as its reference.
    """
    context = with_reference(context)
    assert context.test is not None
    order = np.random.default_rng([context.settings.seed, 37]).permutation(len(context.test))
    fresh, reference = np.array_split(order, 2)
    return {
        "synthetic": (context, synthetic),
        "ceiling": (
            replace(context, test=context.test.iloc[reference].reset_index(drop=True)),
            context.test.iloc[fresh].reset_index(drop=True),
        ),
        "floor": (context, shuffled(context, len(synthetic))),
        "worst": (context, context.train),
    }


def with_reference(context: Context) -> Context:
    """Return the context with a test split: its own, or else a half of control."""
    if context.test is not None:
        return context
    reference, kept = control_halves(context)
    return replace(_with_control(context, kept), test=context.control.iloc[reference].reset_index(drop=True))


def control_halves(context: Context) -> tuple[np.ndarray, np.ndarray]:
    """Return the row numbers of two random halves of control; the second may have one more."""
    order = np.random.default_rng([context.settings.seed, 13]).permutation(len(context.control))
    return order[: len(order) // 2], order[len(order) // 2 :]


def _with_control(context: Context, rows: np.ndarray) -> Context:
    """Return the context with some rows of control alone, and what is known of whom they are about."""
    subjects, identifiers = dict(context.subjects), dict(context.identifiers)
    if "control" in subjects:
        subjects["control"] = subjects["control"][rows]
    if "control" in identifiers:
        identifiers["control"] = [identifiers["control"][row] for row in rows]
    return replace(
        context,
        control=context.control.iloc[rows].reset_index(drop=True),
        subjects=subjects,
        identifiers=identifiers,
    )
