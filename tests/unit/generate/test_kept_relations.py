"""Relations of the training records hold in every record, whatever the model, at the first try and with any condition."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from tiny_models import byte_tokenizer, llama

from paracosm.finetune.models.restricted_head import restrict_head
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.quotas import quota_classes
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.loaded_model import AdaptedModel, abilities_of
from paracosm.recipes.sections.rules import Rules
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.constraints.rules import read_rules
from paracosm.records.relations.dependencies import Dependency
from paracosm.records.relations.linear import Linear
from paracosm.records.relations.missingness import MissingTogether, MissingWhere
from paracosm.records.relations.narrowing import Relations
from paracosm.records.relations.products import Product
from paracosm.records.relations.relation import Relation
from paracosm.records.relations.search import to_plain
from paracosm.records.schema.schema import Field, Record, Schema, Value

CITIES = tuple(f"city {letter}" for letter in "abcdefgh")
NUMBERS = {"decimals": 2, "minimum": 0.0}
FIELDS = (
    Field(name="city", type="category", categories=(*CITIES, "hamlet")),
    Field(name="zip", type="integer", minimum=1000, maximum=9999),
    Field(name="amount", type="number", maximum=900.0, **NUMBERS),
    Field(name="price", type="number", maximum=90.0, **NUMBERS),
    Field(name="count", type="integer", minimum=1, maximum=9),
    Field(name="net", type="number", maximum=1000.0, **NUMBERS),
    Field(name="tax", type="number", maximum=200.0, **NUMBERS),
    Field(name="total", type="number", maximum=1200.0, **NUMBERS),
    Field(name="came", type="datetime", format="%Y-%m-%d", minimum=datetime(2020, 1, 1), maximum=datetime(2023, 12, 31)),
    Field(name="left", type="datetime", format="%Y-%m-%d", minimum=datetime(2020, 1, 1), maximum=datetime(2024, 1, 31)),
    Field(name="days", type="integer", minimum=0, maximum=40),
    Field(name="sex", type="category", categories=("f", "m")),
    Field(name="births", type="integer", minimum=0, maximum=9, nullable=True),
    Field(name="age_first", type="integer", minimum=14, maximum=50, nullable=True),
)  # fmt: skip
RELATIONS: tuple[Relation, ...] = (
    Dependency("city", "zip", tuple((city, 1111 + 97 * n) for n, city in enumerate(CITIES)), whole=False),
    Product("price", "count", "amount", 1.0, 0.005),
    Linear((("tax", 1.0), ("net", -0.19)), -0.005, 0.005, "abs(tax - 0.19 * net) <= 0.005"),
    Linear((("total", 1.0), ("net", -1.19)), -0.005, 0.005, "abs(total - 1.19 * net) <= 0.005"),
    Linear((("net", 1.0), ("tax", 1.0), ("total", -1.0)), 0.0, 0.0, "net + tax == total"),
    Linear((("came", 1.0), ("left", -1.0), ("days", 1.0)), 0.0, 0.0, "days == left - came"),
    Linear((("left", 1.0), ("came", -1.0)), 0.0, None, "left >= came"),
    MissingWhere("births", "sex", ("m",), ("f",)),
    MissingTogether("births", "age_first"),
)
SCHEMA = Schema(FIELDS, relations=to_plain(RELATIONS))
KEPT = Relations(SCHEMA, RELATIONS)
RECORDS = 60


def decoder_of(layout: str, rules: Rules) -> tuple[Decoder, RuleConstraints]:
    """Return a decoder over random weights: nothing but the constraints can make its records keep a relation."""
    tokenizer = byte_tokenizer()
    names = KEPT.in_order(SCHEMA.names)
    codec = Codec(replace(SCHEMA, fields=tuple(SCHEMA[name] for name in names)), tokenizer, layout)  # type: ignore[arg-type]
    model = llama(tokenizer).eval()
    restrict_head(model, codec.vocabulary)
    shared = RuleConstraints(codec.schema, read_rules(rules, codec.schema, Path()))
    return Decoder(AdaptedModel(model, codec, TokenMasks(codec)), batch_size=RECORDS), shared


def drawn(
    layout: str = "places",
    rules: Rules = Rules(),  # noqa: B008  # frozen
    *,
    where: Mapping[str, Value] | None = None,
    quotas: Mapping[str, object] | None = None,
    seeds: Sequence[Record] = (),
) -> tuple[list[Record], Decoder]:
    decoder, shared = decoder_of(layout, rules)
    classes = {
        name: quota_classes(SCHEMA[name], quota, count=RECORDS, seed=0)  # type: ignore[arg-type]
        for name, quota in (quotas or {}).items()
    }
    conditions = Conditions(
        abilities_of(decoder.adapted.codec), shared, where or {}, classes, seeds, fill=bool(seeds)
    )
    requests = [conditions.request(number) for number in range(RECORDS)]
    return [group[0] for group in decoder.records(requests, seed=0)], decoder


def broken(records: Sequence[Record]) -> dict[str, int]:
    return {text: count for text, count in KEPT.counts(records).items() if count}


@pytest.mark.parametrize("layout", ["places", "markers"])
def test_untrained_weights_keep_every_relation_at_the_first_try(layout: str) -> None:
    records, decoder = drawn(layout)
    assert broken(records) == {}
    assert decoder.tally.attempts <= RECORDS + 3
    assert len({record["city"] for record in records}) > 4
    assert len({record["zip"] for record in records}) == len({record["city"] for record in records})


def test_the_recipe_can_ignore_them() -> None:
    records, _ = drawn(rules=Rules(relations="ignore"))
    assert len(broken(records)) == len(RELATIONS)
    records, _ = drawn(rules=Rules(ignored_relations=["left >= came", "days == left - came"]))
    assert broken(records).keys() == {"left >= came", "days == left - came"}


def test_conditions_on_any_field_keep_them() -> None:
    where = {"zip": 1111 + 97 * 3, "total": 119.0, "days": 12, "births": None}
    records, _ = drawn("markers", where=where)
    assert broken(records) == {}
    assert all(record.items() >= where.items() for record in records)
    assert {record["city"] for record in records} == {CITIES[3]}
    assert {(record["net"], record["tax"], record["sex"]) for record in records} == {(100.0, 19.0, "m")}


def test_quotas_keep_them() -> None:
    records, _ = drawn("markers", quotas={"sex": "balanced", "city": {CITIES[1]: 0.5, CITIES[2]: 0.5}})
    assert broken(records) == {}
    assert sum(record["sex"] == "m" for record in records) == RECORDS // 2
    assert sum(record["zip"] == 1208 for record in records) == RECORDS // 2


def test_a_value_without_an_entry_is_drawn_only_on_demand() -> None:
    records, _ = drawn()
    assert "hamlet" not in {record["city"] for record in records}
    records, _ = drawn(where={"city": "hamlet"})
    assert {record["city"] for record in records} == {"hamlet"}


def test_given_values_outrank_relations() -> None:
    given = {"city": CITIES[0], "zip": 5555, "net": 100.0, "tax": 50.0, "came": datetime(2022, 5, 5)}
    records, _ = drawn("markers", seeds=[given])
    assert all(record.items() >= given.items() for record in records)
    assert broken(records).keys() == {"city determines zip", RELATIONS[2].text, RELATIONS[3].text}
    assert all(record["total"] == 150.0 for record in records)


def test_a_relation_that_no_record_meets_is_given_up() -> None:
    records, decoder = drawn(rules=Rules(checks=["total < net"]))
    assert all(record["total"] < record["net"] for record in records)
    assert decoder.tally.finished == RECORDS
    assert broken(records)
