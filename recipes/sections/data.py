"""The `data` section: the source, field overrides, splits and personal data."""

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, model_validator

from paracosm.recipes.sections.section import Section, Share

FieldType = Literal["integer", "number", "category", "boolean", "datetime", "text", "identifier"]
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


def _short_form_allowed(schema: dict[str, Any]) -> None:
    """Let the JSON Schema take the bare word too, as the model does."""
    section = dict(schema)
    schema.clear()
    schema["anyOf"] = [section["properties"]["action"] | {"title": "Action alone"}, section]


class FieldOverride(Section):
    """What the user knows better than inference about one field."""

    type: FieldType | None = None
    """What the field holds; inferred when absent."""
    categories: list[str] | None = None
    """Every allowed value of a category field."""
    minimum: int | float | str | None = None
    """Smallest allowed value (integer, number, datetime)."""
    maximum: int | float | str | None = None
    """Largest allowed value (integer, number, datetime)."""
    decimals: Annotated[int, Field(ge=0, le=12)] | None = None
    """Digits after the decimal point of a number."""
    format: str | None = None
    """How a datetime is written, in strftime codes."""
    max_length: Annotated[int, Field(ge=1)] | None = None
    """Longest allowed text, in characters."""
    fresh: bool | None = None
    """Identifier: true makes a new one for every synthetic record, false leaves the column out."""
    nullable: bool | None = None
    """Whether a cell may be missing; found in the training records when absent."""


class Split(Section):
    """How subjects are divided, before anything else looks at the data."""

    control: Share = 0.1
    """Share of the rows that measure memorisation and never train."""
    test: Share = 0.1
    """Share of the rows that judge usefulness and never train."""
    seed: int = 0
    """Seed of the division."""
    near_duplicates: Annotated[float, Field(gt=0, le=1)] | None = 0.9
    """Records at least this similar (word-shingle Jaccard of their text fields) stay on one side; null: only exact copies."""

    @model_validator(mode="after")
    def _leaves_something_to_train_on(self) -> "Split":
        if self.control + self.test >= 0.9:
            raise ValueError(
                f"control + test must be below 0.9, so that records are left to train on; got {self.control + self.test:g}"
            )
        return self


class Pii(Section):
    """What names a person, and what becomes of it before anything trains; the bare action stands for the section."""

    model_config = ConfigDict(json_schema_extra=_short_form_allowed)

    action: Literal["replace", "drop", "report"]
    """`replace` puts invented values in their place, `drop` leaves columns out and masks texts, `report` only counts."""
    entities: Annotated[list[PersonalKind], Field(min_length=1)] | None = None
    """Which kinds are looked for; null looks for all of them. The dates of a subject move together; a place is a town."""
    columns: dict[str, PersonalKind] = {}
    """Per column: the kind that it holds, where names and values do not tell."""
    keep: list[str] = []
    """Columns that are left as they are, their texts too."""
    language: Literal["en", "de", "es", "fr", "it", "nl", "pt"] = "en"
    """Of the texts, and of the invented names."""
    oldest_age: Annotated[int, Field(ge=1, le=120)] | None = None
    """Ages above this one become the next year: 89 writes 90 for 93. null leaves ages alone."""

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, given: Any) -> Any:
        return {"action": given} if isinstance(given, str) else given


class Data(Section):
    """Where the records come from and what their columns are."""

    source: str
    """A path or glob (CSV, TSV, JSONL, Parquet, gzipped or not), `sample:NAME`, `hf://ORG/NAME`, or an SQLAlchemy URL."""
    query: str | None = None
    """The SELECT to run, when the source is a database URL."""
    hub_split: str = "train"
    """Which split of a Hub data set to read."""
    drop: list[str] = []
    """Columns that are left out altogether."""
    subject: str | None = None
    """Column that names whom a record is about; a row is its own subject when absent."""
    sequence: str | None = None
    """Column that orders the records of a subject, which are then modelled as one sequence; needs `subject`."""
    longest_sequence: Annotated[int, Field(ge=1)] | None = None
    """A subject with more records than this is cut after so many; null keeps all."""
    shared: list[str] | None = None
    """Sequences: fields that all records of a subject have in common; found in the training records when absent."""
    target: str | None = None
    """Column that a downstream model would predict; splits are stratified on it."""
    missing: list[str] = ["", "NA", "N/A", "n/a", "NaN", "nan", "null", "NULL", "None", "<NA>", "#N/A"]
    """Cells of a CSV or TSV file that mean `not there`."""
    fields: dict[str, FieldOverride] = {}
    """Per column: what inference should not decide alone."""
    limit: Annotated[int, Field(ge=1)] | None = None
    """Read at most this many rows."""
    pii: Pii | None = None
    """What is done about names, numbers and addresses of persons: replace, drop, report; null looks for none."""
    split: Split = Split()
