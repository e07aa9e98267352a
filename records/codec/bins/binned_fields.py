"""Which fields of a table are written as bins, and their bins, fitted to training records."""

from collections import Counter
from collections.abc import Sequence

from paracosm.recipes.recipe import Recipe
from paracosm.records.codec.automata.automaton import depth
from paracosm.records.codec.bins.fit_bins import Occurrence, fit_histogram
from paracosm.records.codec.bins.histogram import Histogram
from paracosm.records.codec.tokens.symbol_tokens import SymbolTokens, Tokenizer
from paracosm.records.relations.dependencies import Dependency
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.products import Product
from paracosm.records.relations.search import from_plain
from paracosm.records.schema.schema import Field, Record, Schema


def bins_of(
    recipe: Recipe, schema: Schema, records: Sequence[Record], tokenizer: Tokenizer
) -> dict[str, Histogram]:
    """Return the bins of the fields that a recipe's model writes as bins, by name.

    Args:
        recipe: `data` and `finetune.numbers` are read.
        schema: of the records.
        records: the training records.
        tokenizer: of the base model.
    """
    if recipe.finetune.numbers == "digits":
        return {}
    data = recipe.data
    return fit_bins(schema, records, tokenizer, subject=data.subject, fewest=data.rare.subjects)


def fit_bins(
    schema: Schema, records: Sequence[Record], tokenizer: Tokenizer, *, subject: str | None, fewest: int
) -> dict[str, Histogram]:
    """Return the bins of the fields that are written as bins, by name.

    Left out are fields that one token writes in any case; codes; and fields that an equation, an order or a code ties to another
    field, because their differences matter below the width of a bin.

    Args:
        schema: of the records.
        records: the training records.
        tokenizer: of the base model.
        subject: column of the subject of a record; None if every record is a subject.
        fewest: subjects that a bin or a part of it holds at least.
    """
    tied: set[str] = set()
    for relation in from_plain(schema.relations):
        if isinstance(relation, Linear | Product | Dependency):
            tied |= relation.fields
    alphabet = SymbolTokens.of(tokenizer)
    bins = {}
    for field in schema.modelled:
        if not field.ordered or field.width or field.name in tied:
            continue
        if depth(field.kind.code(field, tokenizer, alphabet).root, {}) < 2:
            continue
        found = _occurrences(field, records, subject)
        if found:
            number = field.kind.numbering(field)[0]
            low, high = (
                number(field.kind.round_inward(field, bound, up=up))
                for bound, up in ((field.minimum, True), (field.maximum, False))
            )
            bins[field.name] = fit_histogram(found, low, high, fewest)
    return bins


def _occurrences(field: Field, records: Sequence[Record], subject: str | None) -> list[Occurrence]:
    """Return the numbers of a column, ascending, with their records and subjects."""
    number = field.kind.numbering(field)[0]
    rows: Counter[int] = Counter()
    persons: dict[int, set[object]] = {}
    for at, record in enumerate(records):
        value = record[field.name]
        if value is None:
            continue
        one = number(value)
        rows[one] += 1
        person = None if subject is None else record.get(subject)
        persons.setdefault(one, set()).add((at,) if person is None else person)
    return [Occurrence(one, rows[one], len(persons[one])) for one in sorted(rows)]
