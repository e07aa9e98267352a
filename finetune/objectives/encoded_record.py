"""Encoded records of a causal model: token ids and mask numbers of a record, of a subject's records, or of the windows of a document."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TypeVar

from paracosm.foundation.errors import DataError
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.passages import PassageLayout
from paracosm.records.codec.sequence_codec import sequence_segments
from paracosm.records.codec.token_masks import FORCED, TokenMasks
from paracosm.records.schema.schema import Record
from paracosm.records.splitting.sequences import sequences


@dataclass(frozen=True)
class EncodedRecord:
    """Token ids and mask numbers of a record, per modelled field in schema order.

    Attributes:
        ids: token ids of each field.
        masks: mask number at each of these tokens.
        opening: number of tokens before the first field: the start token, or a prompt.
        in_place: number of fields at the end that keep their place where the order of fields is random: those in passages.
        constants: of each field, nats that no model can change: those of its value inside its bin. Empty for none.
    """

    ids: tuple[tuple[int, ...], ...]
    masks: tuple[tuple[int, ...], ...]
    opening: int = 1
    in_place: int = 0
    constants: tuple[float, ...] = ()

    @property
    def tokens(self) -> int:
        """Tokens of the whole record, with the start token or prompt."""
        return self.opening + sum(len(segment) for segment in self.ids)

    @property
    def longest(self) -> int:
        """Tokens that the model reads at once."""
        return self.tokens

    @property
    def decisions(self) -> int:
        """Number of tokens at which the grammar allows more than one token."""
        return sum(number != FORCED for segment in self.masks for number in segment)

    def with_columns(self, columns: "EncodedRecord") -> "EncodedRecord":
        """Return this window of a document with other columns before its passage; they count where they counted before."""
        count = len(self.ids) - self.in_place
        counted = any(number != FORCED for segment in self.masks[:count] for number in segment)
        masks = columns.masks if counted else tuple((FORCED,) * len(ids) for ids in columns.ids)
        return replace(
            self,
            ids=(*columns.ids, *self.ids[count:]),
            masks=(*masks, *self.masks[count:]),
            constants=columns.constants if counted else (),
        )


@dataclass(frozen=True)
class EncodedDocument:
    """A record with texts that are longer than the model's input.

    Attributes:
        windows: one for each passage; every token of the record is predicted in one of them.
    """

    windows: tuple[EncodedRecord, ...]

    @property
    def tokens(self) -> int:
        """Tokens that the model reads: those of all windows."""
        return sum(window.tokens for window in self.windows)

    @property
    def longest(self) -> int:
        """Tokens of the longest window."""
        return max(window.tokens for window in self.windows)

    @property
    def decisions(self) -> int:
        """Number of tokens at which the grammar allows more than one token."""
        return sum(window.decisions for window in self.windows)


def windows(records: Sequence[EncodedRecord | EncodedDocument]) -> tuple[list[EncodedRecord], list[int]]:
    """Return what the model reads at once, and for each of these the index of its record."""
    parts = [record.windows if isinstance(record, EncodedDocument) else (record,) for record in records]
    return [window for part in parts for window in part], [
        index for index, part in enumerate(parts) for _ in part
    ]


def encode_record(record: Record, codec: Codec, masks: TokenMasks) -> EncodedRecord:
    """Encode one record with its masks.

    Raises:
        DataError: a value lies outside its domain.
    """
    return _encoded(range(len(codec.fields)), record, codec, masks)


def encode_columns(record: Record, codec: Codec, masks: TokenMasks) -> EncodedRecord:
    """Encode the columns of a record that stand before its passages.

    Raises:
        DataError: a value lies outside its domain.
    """
    return _encoded(
        [index for index in range(len(codec.fields)) if index not in PassageLayout(codec).indices],
        record,
        codec,
        masks,
    )


def _encoded(fields: Iterable[int], record: Record, codec: Codec, masks: TokenMasks) -> EncodedRecord:
    ids, numbers, constants = [], [], []
    for index in fields:
        value = codec.encode_value(index, record[codec.fields[index].name])
        value_masks = masks.of_value(index, value)
        ids.append((codec.markers[index], *value) if codec.markers else tuple(value))
        numbers.append((FORCED, *value_masks) if codec.markers else tuple(value_masks))
        constants.append(-codec.value_log_probability(index, record[codec.fields[index].name]))
    return EncodedRecord(tuple(ids), tuple(numbers), len(codec.opening), constants=tuple(constants))


def encode_document(record: Record, codec: Codec, masks: TokenMasks) -> EncodedDocument:
    """Encode a record of a codec with passages: a window for each of them.

    Raises:
        DataError: a value lies outside its domain, or the columns are longer than those of all training records.
    """
    layout = PassageLayout(codec)
    columns = encode_columns(record, codec, masks)
    if columns.tokens > layout.sizes.head:
        raise DataError(
            "the columns beside its long texts take more tokens than those of all training records"
        )
    read = tuple((FORCED,) * len(ids) for ids in columns.ids)
    parts, before = [], list[int]()
    for at, index in enumerate(layout.indices):
        value = codec.encode_value(index, record[codec.fields[index].name])
        numbers = masks.of_value(index, value)
        begin = 0
        for number, end in enumerate(layout.ends(value)):
            prefix = layout.prefix(index, number, before)
            others = len(layout.indices) - at - 1
            texts = (*[()] * at, (*prefix, *value[begin:end]), *[()] * others)
            text_masks = (*[()] * at, (*[FORCED] * len(prefix), *numbers[begin:end]), *[()] * others)
            parts.append(
                EncodedRecord(
                    (*columns.ids, *texts),
                    (*(read if parts else columns.masks), *text_masks),
                    columns.opening,
                    len(layout.indices),
                    () if parts else columns.constants,
                )
            )
            before += value[begin:end]
            begin = end
    return EncodedDocument(tuple(parts))


EncodedType = TypeVar("EncodedType", EncodedRecord, EncodedDocument, EncodedRecord | EncodedDocument)


def columns_alone(record: EncodedType, codec: Codec, columns: Collection[str]) -> EncodedType:
    """Return an encoded record of which a model reads all fields and predicts those named; not for sequences."""
    if isinstance(record, EncodedDocument):
        return replace(
            record, windows=tuple(columns_alone(window, codec, columns) for window in record.windows)
        )
    masks = tuple(
        numbers if field.name in columns else (FORCED,) * len(numbers)
        for field, numbers in zip(codec.fields, record.masks, strict=False)
    )
    constants = tuple(
        nats if field.name in columns else 0.0
        for field, nats in zip(codec.fields, record.constants, strict=False)
    )
    return replace(record, masks=masks, constants=constants)


def turns_alone(
    record: EncodedRecord,
    codec: Codec,
    turns: Mapping[str, Collection[str]] | None,
    columns: Collection[str] | None,
) -> EncodedRecord:
    """Return an encoded sequence of which a model reads everything and predicts some fields of some records.

    Args:
        record: the records of one subject, from `encode_sequence`.
        codec: of the records.
        turns: field -> its values in the records to predict, each with whether another record follows it; None predicts all.
        columns: names of the fields to predict; None predicts all.
    """
    shared, own = codec.sequence_fields
    wanted = {index: (turns or {}).get(codec.fields[index].name) for index in own}
    masks = list(record.masks)

    def limit(at: int, index: int, learnt: bool) -> None:
        if not learnt or (columns is not None and codec.fields[index].name not in columns):
            masks[at] = (FORCED,) * len(masks[at])

    for at, index in enumerate(shared):
        limit(at, index, turns is None)
    for begin in range(len(shared), len(masks), len(own) + 1):
        end = begin + len(own)
        values = {
            index: codec.read_value(index, ids, 0)[0]
            for index, ids in zip(own, record.ids[begin:end], strict=True)
        }
        learnt = all(allowed is None or str(values[index]) in allowed for index, allowed in wanted.items())
        for at, index in enumerate(own, start=begin):
            limit(at, index, learnt)
        if end < len(masks) and not learnt:
            masks[end] = (FORCED,) * len(masks[end])
    return replace(record, masks=tuple(masks))


def encode_sequence(records: Sequence[Record], codec: Codec, masks: TokenMasks) -> EncodedRecord:
    """Encode the ordered records of one subject with their masks.

    Raises:
        DataError: a value lies outside its domain.
    """
    continuation = masks.of_choice(tuple(codec.continuation.edges))
    ids, numbers = [], []
    for field_index, segment in sequence_segments(codec, records):
        ids.append(tuple(segment))
        numbers.append(
            (continuation,) if field_index is None else tuple(masks.of_value(field_index, segment))
        )
    return EncodedRecord(tuple(ids), tuple(numbers), len(codec.opening))


def encode_all(
    records: Sequence[Record], codec: Codec, masks: TokenMasks
) -> list[EncodedRecord | EncodedDocument]:
    """Encode training records one by one, in passages if they are long; under `data.sequence` those of a subject together.

    Raises:
        DataError: a value lies outside its domain.
    """
    if codec.passages is not None:
        return [encode_document(record, codec, masks) for record in records]
    if codec.schema.sequence is None:
        return [encode_record(record, codec, masks) for record in records]
    return [encode_sequence(group, codec, masks) for group in sequences(records, codec.schema.sequence)]


def encode_held_out(
    records: Sequence[Record], codec: Codec, masks: TokenMasks
) -> tuple[list[EncodedRecord | EncodedDocument], int]:
    """Encode held-out records, and count those that cannot be encoded.

    A record with a value outside the domain that training fixed has no likelihood.

    Returns:
        The encoded records, and the number of records (or subjects) left out.
    """
    sequence = codec.schema.sequence
    groups = [[record] for record in records] if sequence is None else sequences(records, sequence)
    encoded: list[EncodedRecord | EncodedDocument] = []
    unencodable = 0
    for group in groups:
        try:
            encoded.extend(encode_all(group, codec, masks))
        except DataError:
            unencodable += 1
    return encoded, unencodable
