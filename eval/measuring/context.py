"""The context of an evaluation: the real splits that synthetic records are measured against, sizes and seeds."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from pathlib import Path
from threading import RLock
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from paracosm.eval.measuring.dp_claim import Claim
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema

if TYPE_CHECKING:
    from paracosm.eval.measuring.attack_settings import AttackSettings


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
    """Split -> the subject of each of its records, as numbers; empty where every record is its own subject."""
    synthetic_subjects: np.ndarray | None = None
    """The subject of each synthetic record, as numbers; None where there are no subjects."""
    identifiers: Mapping[str, Sequence[frozenset[str]]] = field(default_factory=dict)
    """Split -> the identifiers of each of its records; used by `pii_replay` alone."""
    adapter: Path | None = None
    """Folder of the adapter that made the synthetic records, where there is one."""
    statistics: Path | None = None
    """Folder of the fitted statistics that made them instead."""
    canaries: Path | None = None
    """Table of the canaries of the run, where there are some."""
    kept_away: bool = True
    """Whether the generator is known not to have seen control and test; otherwise nothing about privacy is measured."""
    claim: Claim | None = None
    """The privacy budget that a private training claims."""
    attackers: "AttackSettings | None" = None
    """Settings of attacks that train adapters; None where there are none."""
    further: Sequence[pd.DataFrame] = ()
    """Other sets of synthetic records, made by the same generator with other seeds."""
    untrained: pd.DataFrame | None = None
    """Records written by the base model without the adapter, where they are the floor of texts."""

    memo: dict[str, Any] = field(init=False, repr=False, default_factory=dict)
    """Results that depend on the real records alone, shared by all candidates."""
    locks: dict[str, AbstractContextManager[Any]] = field(init=False, repr=False, default_factory=dict)
    """One lock for each key of `memo`: a second thread waits for the result of the first."""

    def once(self, key: str, make: Callable[[], Any]) -> Any:
        """Return the result of `make`, computed at most once in this context, by any thread."""
        with self.locks.setdefault(key, RLock()):
            if key not in self.memo:
                self.memo[key] = make()
            return self.memo[key]

    @property
    def fields(self) -> tuple[Field, ...]:
        """The fields that are measured: all but identifiers."""
        return self.schema.modelled

    @property
    def language(self) -> str:
        """Language of the texts, as a code of two letters: that of the run's recipe, or English without a recipe."""
        return "en" if self.attackers is None else self.attackers.recipe.language

    @property
    def held_out(self) -> pd.DataFrame:
        """Every real record that never trained."""
        return self.control if self.test is None else pd.concat([self.control, self.test], ignore_index=True)

    @property
    def with_one_fit(self) -> "Context":
        """The context with one fit of each classifier (`settings.repeats`)."""
        settings = self.settings.model_copy(update={"repeats": 1})
        return self.once("with one fit", lambda: replace(self, settings=settings))

    @property
    def reference(self) -> pd.DataFrame:
        """Train, cut to at most `settings.max_rows` random rows."""
        return self.once(
            "reference", lambda: subsample(self.train, self.settings.max_rows, self.settings.seed)
        )

    @property
    def real(self) -> pd.DataFrame:
        """Every real record: the basis of ranks and categories where neither side may be favoured."""
        return pd.concat([self.train, self.held_out], ignore_index=True)

    def subjects_of(self, **rows: np.ndarray) -> np.ndarray | None:
        """Return the subjects of given rows of given splits, concatenated; None where every record is its own subject."""
        if not self.subjects:
            return None
        return np.concatenate([self.subjects[name][chosen] for name, chosen in rows.items()])

    def parts(self, table: pd.DataFrame, stream: int) -> Iterator[pd.DataFrame]:
        """Yield `settings.repeats` random parts of `size` rows; parts are disjoint until the table is used up."""
        random = np.random.default_rng([self.settings.seed, stream])
        size = min(self.size, len(table))
        order = np.empty(0, dtype=np.int64)
        for _ in range(self.settings.repeats):
            if len(order) < size:
                order = random.permutation(len(table))
            yield table.iloc[order[:size]].reset_index(drop=True)
            order = order[size:]

    def distinct_parts(self, table: pd.DataFrame) -> int:
        """Return the number of disjoint parts: the number of independent measurements in their average."""
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
