"""Conditions on records: the values that each record number must have, from fixed values, quotas and partial records."""

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from paracosm.foundation.errors import DataError, RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.generate.constraints.infilling import GAP
from paracosm.generate.constraints.partial_records import read_partial, seeds_file
from paracosm.generate.constraints.quotas import QuotaClasses, quota_classes, recipe_value
from paracosm.generate.constraints.record_constraints import RecordConstraints
from paracosm.generate.constraints.request import Abilities, Request
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Field, Record, Schema, SubjectSequence, Value


@dataclass(frozen=True)
class Conditions:
    """The conditions on every record number.

    Attributes:
        abilities: of the strategy that draws the records.
        shared: rules and copy filter, shared by all records.
        fixed: values that every record has.
        quotas: per field.
        seeds: partial records; number n completes the one at index n modulo their count.
        first: fields that are drawn first if the strategy can draw in any order.
        fill: whether cells that a partial record lacks may not be missing in the completed record.
        rewrite: fraction of the words of each given text that a masked model draws again; None keeps given texts.
        seed: of random orders of the fields.
    """

    abilities: Abilities
    shared: RuleConstraints
    fixed: Mapping[str, Value]
    quotas: Mapping[str, QuotaClasses]
    seeds: Sequence[Record] = ()
    first: tuple[str, ...] = ()
    fill: bool = False
    rewrite: float | None = None
    seed: int = 0

    def request(self, number: int, redraw: int = 0) -> Request:
        """Return the request for a record number."""
        conditions = {name: frozenset({value}) for name, value in self.fixed.items()}
        present = set()
        for name, quota in self.quotas.items():
            values = quota.classes[quota.class_of[number]]
            if values is None:
                present.add(name)
            else:
                conditions[name] = values
        infills: dict[int, tuple[str, float]] = {}
        if self.seeds:
            given = self.seeds[number % len(self.seeds)]
            infills = self._infills(given)
            kept = {name for name, index in self.shared.field_index.items() if index not in infills}
            conditions |= {name: frozenset({value}) for name, value in given.items() if name in kept}
        names = self.abilities.schema.names
        required = frozenset(names) - conditions.keys() if self.fill else frozenset()
        known = conditions.keys() | present
        enforced = self._enforced(known)
        asked = {name: value for name, values in conditions.items() for value in values if len(values) == 1}
        # A condition outranks a relation of the training records.
        relations = self.shared.rules.relations.without_violated(asked)
        guide = RecordConstraints(
            self.shared,
            conditions,
            enforced,
            required | (present & enforced),
            frozenset(present),
            relations,
        )
        return Request(number, self._order(known, number, redraw), guide, redraw, infills)

    def _infills(self, given: Record) -> dict[int, tuple[str, float]]:
        """Return the given texts that are rewritten, in random words or only in their gaps."""
        if not self.abilities.rewrites_texts:
            return {}
        return {
            index: (str(given[field.name]), self.rewrite or 0.0)
            for index, field in enumerate(self.shared.fields)
            if field.is_text
            and field.name in given
            and (self.rewrite is not None or GAP.search(str(given[field.name])))
        }

    def _order(self, conditions: Collection[str], number: int, redraw: int) -> tuple[int, ...] | None:
        """Return the order of the fields: conditions first, then the recipe's first fields, derived fields last."""
        if not self.abilities.any_order:
            return None
        names = [field.name for field in self.shared.fields]
        derived = self.shared.derived - frozenset(conditions)
        ordered = [name for name in names if name in conditions]
        ordered += [name for name in self.first if name not in conditions and name not in derived]
        rest = [name for name in names if name not in ordered and name not in derived]
        if self.abilities.random_order:
            # A masked model is trained on all orders, and its likelihood is that of a random one.
            key = [self.seed % 2**64, number + (redraw << 48)]
            random = np.random.Generator(np.random.Philox(key=key, counter=[0, 0, 0, 1]))
            rest = [rest[index] for index in random.permutation(len(rest))]
        ordered += self.shared.rules.relations.in_order(rest)
        ordered += [name for name, _ in self.shared.rules.derived if name in derived]
        return tuple(names.index(name) for name in ordered)

    def _enforced(self, conditions: Collection[str]) -> frozenset[str]:
        """Return the fields whose condition restricts the draw and is met exactly: those before which nothing is drawn."""
        if self.abilities.any_order:
            return frozenset(conditions)
        enforced = []
        for field in self.shared.fields:
            if field.name not in conditions:
                break
            enforced.append(field.name)
        return frozenset(enforced)

    def raise_if_unreachable(self) -> None:
        """Check that a strategy with a fixed field order can meet the conditions.

        Raises:
            DataError: a text, or a cell of a table to impute, is known but stands after fields that are sampled.
        """
        if self.abilities.any_order:
            return
        requests = [self.request(number) for number in range(max(1, len(self.seeds)))]
        for request in requests:
            assert isinstance(request.guide, RecordConstraints)
            checked_later = request.guide.conditions.keys() - request.guide.enforced
            texts = [
                name
                for name in checked_later
                if self.abilities.schema[name].is_text and request.guide.conditions[name] != {None}
            ]
            if texts or (self.fill and checked_later and not self.abilities.weighs):
                raise DataError(
                    f"generate: {min(texts or checked_later)!r} is known, but stands after fields that are not known; this"
                    f" model draws fields in table order and cannot be conditioned on it; {self.abilities.advice}"
                )


def read_conditions(
    recipe: Recipe, abilities: Abilities, shared: RuleConstraints, *, count: int, root: Path
) -> Conditions:
    """Read the conditions of a recipe and check them against its schema.

    Args:
        recipe: its `generate` section is read.
        abilities: of the strategy that draws the records.
        shared: rules and copy filter.
        count: number of records that will be generated.
        root: base of relative paths.

    Raises:
        RecipeError: a condition names an unknown field or value, or contradicts another one.
        DataError: the file of partial records does not fit the schema.
    """
    schema, settings = abilities.schema, recipe.generate
    if schema.sequence is not None:
        _check_sequence(recipe, schema.sequence)
    fixed = {
        name: recipe_value(_field(name, schema, "generate.where"), value, f"generate.where.{name}")
        for name, value in settings.where.items()
    }
    if both := sorted(settings.where.keys() & settings.quotas.keys()):
        raise RecipeError(f"generate.quotas: {both[0]!r} is fixed by generate.where already")
    quotas = {
        name: quota_classes(_field(name, schema, "generate.quotas"), quota, count=count, seed=settings.seed)
        for name, quota in settings.quotas.items()
    }
    for name in (*settings.order, *settings.temperatures):
        _field(name, schema, "generate.order" if name in settings.order else "generate.temperatures")
    if settings.order and not abilities.any_order:
        raise RecipeError(f"generate.order: this model draws fields in table order; {abilities.advice}")
    seeds: Sequence[Record] = []
    if settings.seeds is not None:
        seeds = read_partial(seeds_file(settings.seeds, root), schema, recipe.data.missing).given
    clash = {name for given in seeds for name in given} & (fixed.keys() | quotas.keys())
    if clash:
        raise RecipeError(f"generate.seeds: {min(clash)!r} is set by generate.where or generate.quotas too")
    if settings.rewrite is not None:
        _check_rewrite(abilities, seeds)
    conditions = Conditions(
        abilities,
        shared,
        fixed,
        quotas,
        seeds,
        tuple(settings.order),
        rewrite=settings.rewrite,
        seed=settings.seed,
    )
    conditions.raise_if_unreachable()
    return conditions


def _check_rewrite(abilities: Abilities, seeds: Sequence[Record]) -> None:
    """Check that the model is masked and that there are texts to rewrite."""
    if not abilities.rewrites_texts:
        raise RecipeError(
            "generate.rewrite: needs a masked model, which this run does not have; train with finetune.objective=masked"
        )
    texts = [field.name for field in abilities.schema.modelled if field.is_text]
    if not any(name in given for given in seeds for name in texts):
        raise RecipeError(
            f"generate.rewrite: needs generate.seeds, a file with texts in {' or '.join(map(repr, texts)) or 'a text field'}"
        )


def _check_sequence(recipe: Recipe, sequence: SubjectSequence) -> None:
    """Check that conditions on sequences only set fields that all records of a subject share."""
    settings = recipe.generate
    for where, names in (("where", settings.where), ("quotas", settings.quotas)):
        for name in names:
            if name not in sequence.shared:
                raise RecipeError(
                    f"generate.{where}: {name!r} differs between the records of a subject; in sequences, only fields that all"
                    f" records of a subject share can be set ({', '.join(sequence.shared) or 'this table has none'})"
                )
    for key, value in (("generate.seeds", settings.seeds), ("rules.unique", recipe.rules.unique)):
        if value:
            raise RecipeError(f"{key}: is for single records, not for sequences (data.sequence)")


def _field(name: str, schema: Schema, where: str) -> Field:
    names = [field.name for field in schema.modelled]
    if name not in names:
        raise RecipeError(
            f"{where}: unknown field {name!r}{did_you_mean(name, names) or '; fields: ' + ', '.join(names[:12])}"
        )
    return schema[name]
