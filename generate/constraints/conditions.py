"""Conditions: which values each record number has to have, from fixed values, quotas and a file of partial records."""

import zlib
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.generate.constraints.guide import RecordConstraints, RuleConstraints
from paracosm.generate.constraints.infilling import GAP
from paracosm.generate.constraints.partial_records import domain_shown, read_partial, seeds_file
from paracosm.generate.constraints.request import Request
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.generate import Quota
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.restriction import all_values
from paracosm.records.schema.schema import Field, Record, Schema, SubjectSequence, Value
from paracosm.records.schema.table import read_cell

MOST_CLASSES = 1000


@dataclass(frozen=True)
class Shares:
    """The quota of one field: which values the record numbers get.

    Attributes:
        classes: allowed values per class; the last one may hold all values that no share names.
        of: per record number, its class.
    """

    classes: tuple[frozenset[Value], ...]
    of: NDArray[np.int32]


@dataclass(frozen=True)
class Conditions:
    """What each record number has to have.

    Attributes:
        codec: of the records.
        limits: rules, the same for all.
        fixed: values that every record has.
        quotas: per field.
        seeds: partial records; number n completes the one at n modulo their count.
        first: fields that are written first when any order is possible.
        fill: whether a cell that a partial record lacks may not be missing again.
        rewrite: share of the words of each given text that a masked model draws again; None keeps given texts.
        seed: of the orders in which a masked model fills what is not given.
    """

    codec: Codec
    limits: RuleConstraints
    fixed: Mapping[str, Value]
    quotas: Mapping[str, Shares]
    seeds: Sequence[Record] = ()
    first: tuple[str, ...] = ()
    fill: bool = False
    rewrite: float | None = None
    seed: int = 0

    def request(self, number: int, again: int = 0) -> Request:
        """Return the request for a record number."""
        wanted = {name: frozenset({value}) for name, value in self.fixed.items()}
        for name, shares in self.quotas.items():
            wanted[name] = shares.classes[shares.of[number]]
        drafts: dict[int, tuple[str, float]] = {}
        if self.seeds:
            given = self.seeds[number % len(self.seeds)]
            drafts = self._drafts(given)
            fixed = {name for place, name in enumerate(self.limits.places) if place not in drafts}
            wanted |= {name: frozenset({value}) for name, value in given.items() if name in fixed}
        names = self.codec.schema.names
        present = frozenset(names) - wanted.keys() if self.fill else frozenset()
        guide = RecordConstraints(self.limits, wanted, self._forced(wanted), present)
        return Request(number, self._order(wanted, number, again), guide, again, drafts)

    def _drafts(self, given: Record) -> dict[int, tuple[str, float]]:
        """Return the given texts that are to be written anew, wholly or in their gaps."""
        if self.codec.objective == "causal":
            return {}
        return {
            place: (str(given[each.name]), self.rewrite or 0.0)
            for place, each in enumerate(self.codec.fields)
            if each.type == "text"
            and each.name in given
            and (self.rewrite is not None or GAP.search(str(given[each.name])))
        }

    def _order(self, wanted: Mapping[str, object], number: int, again: int) -> tuple[int, ...] | None:
        """Return what is known first, then the fields that the recipe puts first, derived fields last."""
        if not self.codec.markers:
            return None
        names = [each.name for each in self.codec.fields]
        late = self.limits.derived - wanted.keys()
        ordered = [name for name in names if name in wanted]
        ordered += [name for name in self.first if name not in wanted and name not in late]
        rest = [name for name in names if name not in ordered and name not in late]
        if self.codec.objective == "masked":
            # A masked model learns every order, and its likelihood is that of a random one.
            key = [self.seed % 2**64, number + (again << 48)]
            chance = np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, 1]))
            rest = [rest[at] for at in chance.permutation(len(rest))]
        ordered += rest
        ordered += [name for name, _ in self.limits.rules.derived if name in late]
        return tuple(names.index(name) for name in ordered)

    def _forced(self, wanted: Mapping[str, object]) -> frozenset[str]:
        """Return the conditions that masking meets exactly: those before which nothing is drawn."""
        if self.codec.markers:
            return frozenset(wanted)
        forced = []
        for each in self.codec.fields:
            if each.name not in wanted:
                break
            forced.append(each.name)
        return frozenset(forced)

    def refuse_impossible(self) -> None:
        """Check that a fixed field order allows the conditions.

        Raises:
            DataError: a text would have to be drawn by chance.
        """
        if self.codec.markers:
            return
        requests = [self.request(number) for number in range(max(1, len(self.seeds)))]
        for request in requests:
            assert isinstance(request.guide, RecordConstraints)
            open_fields = request.guide.wanted.keys() - request.guide.forced
            hard = [name for name in open_fields if self.codec.schema[name].type == "text"]
            if hard or (self.fill and open_fields):
                raise DataError(
                    f"generate: {min(hard or open_fields)!r} is known, but stands after fields that are not; this adapter"
                    " writes fields in table order, so it cannot be conditioned on it: train with finetune.order=shuffled"
                )


def read_conditions(
    recipe: Recipe, codec: Codec, limits: RuleConstraints, *, count: int, root: Path
) -> Conditions:
    """Check the conditions of a recipe against its schema.

    Args:
        recipe: its `generate` section matters here.
        codec: of the records.
        limits: rules.
        count: how many records there will be.
        root: where relative paths begin.

    Raises:
        RecipeError: a condition names what is not there.
        DataError: the file of partial records does not fit.
    """
    schema, settings = codec.schema, recipe.generate
    if schema.sequence is not None:
        _check_sequence(recipe, schema.sequence)
    fixed = {
        name: _value(_field(name, schema, "generate.where"), value, f"generate.where.{name}")
        for name, value in settings.where.items()
    }
    if both := sorted(settings.where.keys() & settings.quotas.keys()):
        raise RecipeError(f"generate.quotas: {both[0]!r} is fixed by generate.where already")
    quotas = {
        name: shares(_field(name, schema, "generate.quotas"), quota, count=count, seed=settings.seed)
        for name, quota in settings.quotas.items()
    }
    for name in (*settings.order, *settings.temperatures):
        _field(name, schema, "generate.order" if name in settings.order else "generate.temperatures")
    if settings.order and not codec.markers:
        raise RecipeError(
            "generate.order: this adapter writes fields in table order; train with finetune.order=shuffled"
        )
    seeds: Sequence[Record] = []
    if settings.seeds is not None:
        seeds = read_partial(seeds_file(settings.seeds, root), schema, recipe.data.missing).given
    clash = {name for given in seeds for name in given} & (fixed.keys() | quotas.keys())
    if clash:
        raise RecipeError(f"generate.seeds: {min(clash)!r} is set by generate.where or generate.quotas too")
    if settings.rewrite is not None:
        _check_rewrite(codec, seeds)
    conditions = Conditions(
        codec,
        limits,
        fixed,
        quotas,
        seeds,
        tuple(settings.order),
        rewrite=settings.rewrite,
        seed=settings.seed,
    )
    conditions.refuse_impossible()
    return conditions


def _check_rewrite(codec: Codec, seeds: Sequence[Record]) -> None:
    """Check that there are texts to rewrite and a model that can."""
    if codec.objective == "causal":
        raise RecipeError(
            "generate.rewrite: this adapter is causal and writes texts from their beginning; train with finetune.objective=masked"
        )
    texts = [each.name for each in codec.fields if each.type == "text"]
    if not any(name in given for given in seeds for name in texts):
        raise RecipeError(
            f"generate.rewrite: needs generate.seeds, a file with texts in {' or '.join(map(repr, texts)) or 'a text field'}"
        )


def _check_sequence(recipe: Recipe, sequence: SubjectSequence) -> None:
    """Check that conditions on a subject's sequence speak of what all its records share."""
    settings = recipe.generate
    for where, names in (("where", settings.where), ("quotas", settings.quotas)):
        for name in names:
            if name not in sequence.shared:
                raise RecipeError(
                    f"generate.{where}: {name!r} differs between the records of a subject; in sequences, fields that all of"
                    f" a subject's records share can be set ({', '.join(sequence.shared) or 'here there are none'})"
                )
    for key, value in (("generate.seeds", settings.seeds), ("rules.unique", recipe.rules.unique)):
        if value:
            raise RecipeError(f"{key}: is for single records, not for sequences (data.sequence)")


def _field(name: str, schema: Schema, where: str) -> Field:
    names = [each.name for each in schema.modelled]
    if name not in names:
        raise RecipeError(
            f"{where}: there is no field {name!r}{did_you_mean(name, names) or '; there are: ' + ', '.join(names[:12])}"
        )
    return schema[name]


def _read(field: Field, text: str, *, has_unit: bool) -> Value:
    """Read text that can have the unit of the field; a key of a quota is text, but can be a number without unit."""
    with_unit = f"{field.prefix}{text}{field.suffix}"
    if has_unit:
        with suppress(ValueError, KeyError):
            return read_cell(field, text)
    return read_cell(field, with_unit)


def _value(field: Field, given: Any, where: str) -> Value:
    """Read a value as the recipe writes it: as the source would."""
    text = {True: field.true, False: field.false}[given] if isinstance(given, bool) else str(given)
    if field.type == "boolean" and text not in (field.true, field.false):
        text = {"true": field.true, "false": field.false}.get(text.lower(), text)
    try:
        value = _read(field, text, has_unit=isinstance(given, str))
    except (ValueError, KeyError) as fault:
        raise RecipeError(f"{where}: {given!r} is no {field.type} as the field writes it") from fault
    if not field.allows(value):
        raise RecipeError(f"{where}: {given!r} is outside the domain of the field{domain_shown(field, text)}")
    return value


def shares(field: Field, quota: Quota, *, count: int, seed: int) -> Shares:
    """Deal the classes of a quota to record numbers: exact counts (largest remainders), in an order of the seed's.

    Raises:
        RecipeError: the field has no classes, or the shares are more than the whole.
    """
    where = f"generate.quotas.{field.name}"
    domain = all_values(field, MOST_CLASSES)
    if domain is None:
        raise RecipeError(
            f"{where}: the field is {field.type}; a quota needs categories, a boolean or a few integers"
        )
    if quota == "balanced":
        known = [value for value in domain if value is not None]
        parts: dict[frozenset[Value], float] = {frozenset({value}): 1 / len(known) for value in known}
    else:
        assert isinstance(quota, dict)
        parts = {frozenset({_value(field, text, where)}): share for text, share in quota.items()}
        rest = 1 - sum(parts.values())
        if rest < -1e-9:
            raise RecipeError(f"{where}: the shares add up to {1 - rest:g}; at most 1 is allowed")
        others = frozenset(domain) - frozenset().union(*parts)
        if rest > 1e-9:
            if not others:
                raise RecipeError(f"{where}: the shares of all values add up to {1 - rest:g}, not to 1")
            parts[others] = rest
    exact = [share * count for share in parts.values()]
    counts = [int(part) for part in exact]
    by_remainder = sorted(range(len(exact)), key=lambda at: (counts[at] - exact[at], at))
    for at in by_remainder[: count - sum(counts)]:
        counts[at] += 1
    dealt = np.repeat(np.arange(len(counts), dtype=np.int32), counts)
    chance = np.random.Generator(np.random.Philox(key=[seed % 2**64, zlib.crc32(field.name.encode())]))
    return Shares(tuple(parts), chance.permutation(dealt))
