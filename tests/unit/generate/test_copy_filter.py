"""The copy filter detects records that repeat a training record, and no others."""

import pytest

from paracosm.generate.constraints.copy_filter import CopyFilter
from paracosm.records.schema.schema import Field

COLUMNS = tuple(Field(name=name, type="category", categories=tuple("abcd")) for name in "vwxyz")
NOTE = Field(name="note", type="text", max_length=500)
TEXT = (
    "Patient seen after a fall at home on the stairs, reports pain in the left wrist since yesterday evening and "
    "denies any loss of consciousness, no swelling on examination, advised rest and ice."
)
TRAIN = [dict(zip("vwxyz", "abcda", strict=True)) | {"note": TEXT}]


@pytest.mark.parametrize(
    ("change", "exact", "near"),
    [
        ({}, True, True),
        ({"z": "b"}, False, True),
        ({"z": "b", "y": "a", "note": "Another note altogether."}, False, False),
        ({"z": "b", "y": "a", "note": TEXT.replace("left", "right")}, False, True),
        ({"z": "b", "y": "a", "note": " ".join(reversed(TEXT.split()))}, False, False),
        ({"z": None, "y": None, "note": None}, False, False),
    ],
)
def test_exact_and_near_copies_are_distinguished(change: dict, exact: bool, near: bool) -> None:
    record = TRAIN[0] | change
    fields = (*COLUMNS, NOTE)
    assert (CopyFilter(TRAIN, fields, "exact")(record) is not None) == exact
    assert (CopyFilter(TRAIN, fields, "near")(record) is not None) == near


def test_near_copies_need_a_minimum_number_of_fields() -> None:
    fields = COLUMNS[:3]
    assert CopyFilter(TRAIN, fields, "near")({"v": "a", "w": "b", "x": "d"}) is None
    assert CopyFilter(TRAIN, fields, "near")({"v": "a", "w": "b", "x": "c"}) == "the copy filter (exact)"
