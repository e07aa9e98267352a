"""Kinds of fields: one module per type, behind the protocol `FieldKind`."""

from paracosm.records.fields.boolean import Boolean
from paracosm.records.fields.category import Category
from paracosm.records.fields.datetime import Datetime
from paracosm.records.fields.duration import Duration
from paracosm.records.fields.identifier import Identifier
from paracosm.records.fields.integer import Integer
from paracosm.records.fields.kind import register
from paracosm.records.fields.number import Number
from paracosm.records.fields.text import Text
from paracosm.records.fields.time import Time

for _kind in (
    Integer(),
    Number(),
    Category(),
    Boolean(),
    Datetime(),
    Time(),
    Duration(),
    Text(),
    Identifier(),
):
    register(_kind)
