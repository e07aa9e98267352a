"""The `data` section: source, columns, field overrides, splits and personal data."""

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, ConfigDict, Field, WithJsonSchema, field_serializer, model_validator

from paracosm.foundation.credentials.redaction import redact_url
from paracosm.recipes.sections.section import Section

FieldType = Literal[
    "integer", "number", "category", "boolean", "datetime", "time", "duration", "text", "identifier"
]
FeatureKind = Literal["entities", "phrases", "sentiment"]
PersonalKind = Literal[
    "name",
    "email",
    "phone",
    "address",
    "place",
    "postcode",
    "national_id",
    "record_id",
    "bank_account",
    "card",
    "ip",
    "url",
    "date",
]


def _allow_short_form(schema: dict[str, Any]) -> None:
    """Let the JSON Schema accept the action alone, as the model does."""
    section = dict(schema)
    schema.clear()
    schema["anyOf"] = [section["properties"]["action"] | {"title": "Action alone"}, section]


class FieldOverride(Section):
    """Properties of one field that replace inferred ones."""

    type: FieldType | None = None
    """Type of the field; null infers it."""
    categories: list[str] | None = None
    """All allowed values of a category field."""
    minimum: int | float | str | None = None
    """Smallest allowed value of an integer, number, datetime, time or duration; times and durations in quotes."""
    maximum: int | float | str | None = None
    """Largest allowed value of an integer, number, datetime, time or duration; times and durations in quotes."""
    decimals: Annotated[int, Field(ge=0, le=12)] | None = None
    """Digits after the decimal point of a number."""
    format: str | None = None
    """Format of a datetime, time or duration, in strftime codes such as %Y-%m-%d or %H:%M; of a number, how the source writes 1234567.89, such as 1.234.567,89 €."""
    max_length: Annotated[int, Field(ge=1, le=10_000_000)] | None = None
    """Longest allowed text, in characters."""
    fresh: bool | None = None
    """Identifiers: true generates a new one for every synthetic record, false leaves the column out."""
    nullable: bool | None = None
    """Whether cells may be missing; null allows it if a training record has a missing cell."""


class Split(Section):
    """Division of the subjects into train, control and test, before any other step reads the data."""

    control: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the rows kept out of training to measure memorisation. Higher narrows the intervals of privacy metrics and leaves
    less to train on. 0 keeps none out: what compares with control records is then not measured, and training decides when to stop
    by a tenth of the training subjects, which it does not learn. Not allowed with `privacy`."""
    test: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the rows kept out of training to measure utility. Higher narrows the intervals of utility metrics and leaves
    less to train on. 0 keeps none out: utility is then not measured, and its gates are inconclusive."""
    seed: int = 0
    """Seed of the split."""
    train_rows: Annotated[int, Field(ge=1)] | None = None
    """Use at most this many training rows, of random subjects, and the same control and test rows as without it; null uses all. Shows
    how many records a strategy needs. Not allowed with `privacy`."""
    near_duplicates: Annotated[float, Field(gt=0, le=1)] | None = 0.9
    """Records whose texts are at least this similar (Jaccard similarity of word shingles) go to the same split; lower groups more
    records. null groups only exact copies."""

    @model_validator(mode="after")
    def _leaves_training_records(self) -> "Split":
        if self.control + self.test >= 0.9:
            raise ValueError(
                f"control + test must be below 0.9, so that enough training records remain; got {self.control + self.test:g}"
            )
        return self


class Pii(Section):
    """Detection of personal data, and what to do with it before training. `pii: replace` is short for {action: replace}."""

    model_config = ConfigDict(json_schema_extra=_allow_short_form)

    action: Literal["replace", "drop", "report"]
    """`replace` substitutes invented values, `drop` leaves out columns and masks passages of texts, `report` only counts."""
    entities: Annotated[list[PersonalKind], Field(min_length=1)] | None = None
    """Kinds to detect; null detects all. All dates of a subject are shifted by the same amount; `place` means a town."""
    columns: dict[str, PersonalKind] = {}
    """Per column: its kind of personal data, where detection misses it or is wrong."""
    keep: list[str] = []
    """Columns that are not searched or changed."""
    language: Literal["en", "de", "es", "fr", "it", "nl", "pt"] = "en"
    """Language of the texts and of invented names."""
    oldest_age: Annotated[int, Field(ge=1, le=120)] | None = None
    """Replace higher ages by this age plus one (top-coding): 89 writes 90 for 93. null keeps all ages."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        return {"action": given} if isinstance(given, str) else given


class Rare(Section):
    """Values that few subjects have: rare categories, and extreme numbers and dates. `rare: keep` is short for {action: keep}."""

    model_config = ConfigDict(json_schema_extra=_allow_short_form)

    action: Literal["drop", "merge", "keep"] = "drop"
    """`drop` makes cells of rare categories missing, `merge` gives them the category `other`; both move numbers and dates beyond
    what enough subjects reach to the value that they reach. `keep` changes nothing: adapter, synthetic records and report can
    then hold what one person alone has."""
    subjects: Annotated[int, Field(ge=2)] = 5
    """Fewest subjects (rows without `data.subject`) that a value needs. Higher protects more and changes more cells."""
    other: Annotated[str, Field(min_length=1)] = "other"
    """Category that `merge` writes."""
    keep: list[str] = []
    """Columns whose values are kept; declared categories and the target's classes always are."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        return {"action": given} if isinstance(given, str) else given


class Bounds(Section):
    """Largest sources that are read, so that a damaged or hostile one ends in a message instead of filling the memory."""

    gigabytes: Annotated[float, Field(gt=0)] = 4
    """Size of a file, after decompression."""
    expansion: Annotated[float, Field(gt=1)] = 200
    """How many times its own size a compressed file may become; the first 64 MB are not counted. Tables become 3 to 30 times as large."""
    files: Annotated[int, Field(ge=1)] = 10_000
    """Files of a glob or a folder. At most a hundred times as many entries of folders are looked at."""
    rows: Annotated[int, Field(ge=1)] = 10_000_000
    """Rows that are read; `data.limit_order: first` reads only as many as `data.limit`."""
    columns: Annotated[int, Field(ge=1)] = 10_000
    """Columns, with those of nested objects."""
    cells: Annotated[int, Field(ge=1)] = 100_000_000
    """Rows times columns of the table, after `data.limit`."""
    depth: Annotated[int, Field(ge=1, le=400)] = 100
    """Objects and arrays inside each other in JSON."""


SEVERAL = "\n"
"""Character between the paths of a source that is a list; no path has it."""
SOURCE_SCHEMA: dict[str, Any] = {
    "anyOf": [{"type": "string"}, {"type": "array", "items": {"type": "string"}, "minItems": 1}]
}


def joined_sources(given: Any) -> Any:
    """Return a list of sources as one text, and everything else unchanged."""
    if isinstance(given, list) and given and all(isinstance(path, str) for path in given):
        return SEVERAL.join(given)
    return given


class Data(Section):
    """The records: their source, their columns and their splits."""

    source: Annotated[str, BeforeValidator(joined_sources), WithJsonSchema(SOURCE_SCHEMA)]
    """A path, a glob or a list of paths with one schema (CSV, TSV, JSON, JSONL, Parquet; compressed too), a folder or
    glob of documents (.txt, .md, .html, .docx, .pdf; extra `documents`), a folder of `Dataset.save_to_disk`, `sample:NAME`, `hf://ORG/NAME`, or an SQLAlchemy URL. `${NAME}` is
    replaced by the environment variable NAME at the moment of use and never stored; write passwords in this way."""
    query: str | None = None
    """A single SELECT statement, if the source is a database URL; it cannot change the database. With `privacy`, it must
    select each row by the row alone: no LIMIT, no window and no aggregate over rows of several subjects."""
    hub_split: str = "train"
    """Split to read of a Hugging Face data set."""
    control: str | None = None
    """Source of ready-made control records, with the columns of `source`; then no rows of `source` become control, whatever
    `split.control` says. Not allowed with `privacy`."""
    test: str | None = None
    """Source of ready-made test records, as `control`."""
    drop: list[str] = []
    """Columns to leave out."""
    nested: Literal["error", "json", "rows"] = "error"
    """Arrays inside records (JSON, Parquet, objects in memory): `error` refuses them, `json` reads and writes each as JSON text in
    one cell; `rows` reads JSON lists of messages (`messages`, `conversations`) and of questions (`paragraphs`, `answers`) as one record
    a message or question, and other arrays as `json` does. Nested objects always become columns with dotted names."""
    passages: Annotated[int, Field(ge=100)] | None = None
    """Text documents: divide each into passages of at most this many characters, at headings, paragraphs, sentences or words, one
    record a passage. null makes one record a document."""
    subject: str | None = None
    """Column that identifies the subject (person) of each record; all records of a subject go to the same split. null treats every
    row as a subject."""
    sequence: str | None = None
    """Column that orders the records of a subject; they are then modelled as one sequence. Needs `subject`."""
    longest_sequence: Annotated[int, Field(ge=1)] | None = None
    """Largest number of records per subject; further records are dropped. null keeps all."""
    longest_text: Annotated[int, Field(ge=20)] | None = None
    """Most characters of a text; null keeps all. Records that the base model cannot read are refused, and the message names a number
    that fits."""
    long_texts: Literal["cut", "drop"] = "cut"
    """What becomes of texts above `longest_text`: `cut` ends them after a sentence, or else after a word; `drop` leaves out their
    records."""
    shared: list[str] | None = None
    """Sequences: fields with the same value in all records of a subject; null detects them in the training records."""
    target: str | None = None
    """Column that a downstream model would predict; utility metrics need it, and splits are stratified by it."""
    missing: list[str] = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A"]
    """Cells of a CSV or TSV file that mean a missing value."""
    fields: dict[str, FieldOverride] = {}
    """Per column: properties that replace inferred ones."""
    features: dict[str, Annotated[list[FeatureKind], Field(min_length=1)]] = {}
    """Per column of texts: columns to derive from it before the split, such as {note: [entities, phrases, sentiment]}. They are modelled
    like any other column and stand before their text; docs/augmentation.md. `sentiment` needs the extra `features`, `entities` the
    extra `pii`."""
    sentiment_model: str | None = None
    """Hub id or folder of a text classifier with a positive and a negative class, for the feature `sentiment`; null uses VADER."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Use at most this many rows, with `sequence` of whole subjects; null uses all. Not allowed with `privacy`, where no row may decide whether another one is used:
    raise `split.test` instead."""
    limit_order: Literal["random", "first"] = "random"
    """Which rows `limit` leaves. `random` draws them by `split.seed`, whatever their order, and reads the whole source; `first` reads
    no further than needed, and a source in order of time or class then gives one part of it."""
    bounds: Bounds = Bounds()
    pii: Pii | None = None
    """Personal data: replace, drop or report; null does not search for it."""
    rare: Rare = Rare()
    """Values that fewer than five subjects have are not kept unless this says so. Not read with `privacy`, where domains are
    declared."""
    split: Split = Split()

    @field_serializer("source", when_used="json")
    def _without_password(self, source: str) -> str | list[str]:
        """Hide a password: this form is stored in the run directory and in digests."""
        return source.split(SEVERAL) if SEVERAL in source else redact_url(source)

    @field_serializer("control", "test", when_used="json")
    def _splits_without_password(self, source: str | None) -> str | None:
        """Hide a password, as in the source."""
        return None if source is None else redact_url(source)

    def __repr_args__(self) -> Any:
        """Return the fields as pydantic does, with the password of the source hidden."""
        for name, value in super().__repr_args__():
            is_source = name in ("source", "control", "test") and isinstance(value, str)
            yield name, redact_url(value) if is_source else value
