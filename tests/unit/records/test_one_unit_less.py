"""Under privacy, one unit less in the source is one unit less in one split, and nothing else changes.

Every key of the recipe is tried with settings that `SETTINGS` lists, or refused as `REFUSED` lists; a new key fails the tests until
it is in one of them.
"""

import copy
import json
import sqlite3
import types
import typing
from collections.abc import Callable, Iterator
from contextlib import closing
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from paracosm.cli.app import main
from paracosm.finetune.dp.settings import as_trained
from paracosm.foundation.errors import DataError, RecipeError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import SPLITS
from paracosm.recipes.sections.data import Bounds
from paracosm.records.assembly import Prepared, assemble
from paracosm.records.formats.cells import to_separate_strings
from paracosm.records.sources.read_source import from_object, read_source

Plain = dict[str, Any]

FIELDS: Plain = {
    "age": {"type": "integer", "minimum": 0, "maximum": 120, "nullable": False},
    "ward": {"type": "category", "categories": ["a", "b", "c"], "nullable": True},
    "dose": {"type": "number", "minimum": 0.0, "maximum": 9.9, "decimals": 1, "nullable": True},
    "seen": {
        "type": "datetime",
        "minimum": "2020-01-01",
        "maximum": "2030-12-31",
        "format": "%Y-%m-%d",
        "nullable": False,
    },
    "come": {"type": "time", "format": "%H:%M", "minimum": "00:00", "maximum": "23:59", "nullable": True},
    "stay": {
        "type": "duration",
        "format": "%H:%M:%S",
        "minimum": "0:00:00",
        "maximum": "99:59:59",
        "nullable": True,
    },
    "ill": {"type": "boolean", "nullable": True},
    "note": {"type": "text", "max_length": 200, "nullable": True},
    "row": {"type": "identifier", "fresh": False},
    "patient": {"type": "identifier", "fresh": True},
}
PLAIN: Plain = {
    "name": "private",
    "data": {"source": "none.csv", "fields": FIELDS, "split": {"control": 0.2, "test": 0.2}},
    "privacy": {"epsilon": 8},
}
PATIENTS: Plain = {"data.subject": "patient"}
SEQUENCES: Plain = {"data.sequence": "seen", "data.shared": ["ward"], "data.longest_sequence": 2}
REPORT: Plain = {"data.pii.action": "report"}
ADAPTED: Plain = {"adapt.source": "corpus.txt"}
SERVER = "generate.questions.rewording.server"
SERVED: Plain = {f"{SERVER}.url": "http://localhost:1/v1", f"{SERVER}.model": "m"}
PACE: Plain = {
    "model": "n",
    "key": "KEY",
    "concurrency": 2,
    "tries": 2,
    "retries": 2,
    "timeout": 9,
    "max_tokens": 99,
    "price_input": 1,
    "price_output": 1,
}
CARD = ("title", "licence", "data_statement", "data_licence", "intended_use", "not_for")

SETTINGS: dict[str, list[Any]] = {
    "name": ["other"],
    "description": ["words"],
    "data.drop": [["other"], ["note", "other"]],
    "data.nested": ["error", "json", "rows"],
    "data.subject": ["patient", None],
    "data.sequence": [PATIENTS | SEQUENCES],
    "data.longest_sequence": [2, PATIENTS | SEQUENCES | {"data.longest_sequence": 1}],
    "data.longest_text": [20, 100],
    "data.long_texts": [
        {"data.longest_text": 20, "data.long_texts": "cut"},
        {"data.longest_text": 100, "data.long_texts": "drop"},
    ],
    "data.shared": [["ward"], PATIENTS | SEQUENCES | {"data.shared": []}],
    "data.limit_order": ["random", "first"],
    **{f"data.bounds.{key}": [2 * value] for key, value in Bounds()},
    "data.target": ["ill", "age", "ward", "note"],
    "data.missing": [["0", "a"]],
    "data.fields.type": [
        {"data.fields.age": {"type": "integer", "minimum": -5, "maximum": 200, "nullable": True}},
        {
            "data.fields.age": {
                "type": "number",
                "minimum": 0,
                "maximum": 120,
                "decimals": 0,
                "nullable": False,
            }
        },
        {"data.fields.ward": {"type": "text", "max_length": 9, "nullable": True}},
        {"data.fields.ward": {"type": "identifier", "fresh": True}},
        {"data.fields.ill": {"type": "category", "categories": ["yes", "no"], "nullable": True}},
        {"data.fields.ill": {"type": "boolean", "nullable": True}},
        {"data.fields.come": FIELDS["come"]},
        {"data.fields.stay": FIELDS["stay"]},
        {"data.fields.seen": {"type": "text", "max_length": 40, "nullable": False}},
        {"data.fields.seen": FIELDS["seen"]},
    ],
    "data.fields.categories": [{"data.fields.ward.categories": ["c", "b", "a", "never"]}],
    "data.fields.minimum": [{"data.fields.age.minimum": -1}],
    "data.fields.maximum": [{"data.fields.age.maximum": 1000}],
    "data.fields.decimals": [{"data.fields.dose.decimals": decimals} for decimals in (0, 1, 5)],
    "data.fields.format": [{"data.fields.seen.format": "%Y-%m-%d", "data.fields.seen.minimum": "2019-01-01"}],
    "data.fields.max_length": [{"data.fields.note.max_length": 300}],
    "data.fields.fresh": [{"data.fields.row.fresh": fresh} for fresh in (True, False)],
    "data.fields.nullable": [{"data.fields.age.nullable": True}, {"data.fields.age.nullable": False}],
    "data.pii.action": ["report"],
    "data.pii.entities": [REPORT | {"data.pii.entities": ["name", "date"]}],
    "data.pii.columns": [REPORT | {"data.pii.columns": {"ward": "place"}}],
    "data.pii.keep": [REPORT | {"data.pii.keep": ["note"]}],
    "data.pii.language": [
        REPORT | {"data.pii.language": code} for code in ("en", "de", "es", "fr", "it", "nl", "pt")
    ],
    "data.pii.oldest_age": [REPORT | {"data.pii.oldest_age": 80}],
    # Domains are declared under privacy, so that no value is rare.
    "data.features": [{}],
    "data.sentiment_model": ["other"],
    "data.rare.action": ["drop", "merge", "keep"],
    "data.rare.subjects": [2, 50],
    "data.rare.other": ["x"],
    "data.rare.keep": [["age"]],
    "data.split.control": [0.1, 0.4],
    "data.split.test": [0.1, 0.4],
    "data.split.seed": [1, 2],
    "data.split.near_duplicates": [0.1, 1.0, None],
    "model.base": ["other"],
    "model.revision": ["other"],
    "model.layers": [2],
    "model.dtype": ["auto", "float32", "bfloat16"],
    "model.quantize": ["nf4", "int8"],
    "model.context": [128],
    "strategy": ["finetuned"],
    "track": ["none", "mlflow", "wandb", "tensorboard"],
    "adapt.source": [ADAPTED],
    "adapt.name": [ADAPTED | {"adapt.name": "notes"}],
    "adapt.column": [ADAPTED | {"adapt.column": "note"}],
    "adapt.loss": [ADAPTED | {"adapt.loss": loss} for loss in ("assistant", "all")],
    "adapt.method": [ADAPTED | {"adapt.method": method} for method in ("lora", "full")],
    "adapt.rank": [ADAPTED | {"adapt.rank": 3}],
    "adapt.alpha": [ADAPTED | {"adapt.alpha": 3}],
    "adapt.learning_rate": [ADAPTED | {"adapt.learning_rate": 0.5}],
    "adapt.warmup_steps": [ADAPTED | {"adapt.warmup_steps": 3}],
    "adapt.epochs": [ADAPTED | {"adapt.epochs": 3}],
    "adapt.block": [ADAPTED | {"adapt.block": 16}],
    "adapt.batch_size": [ADAPTED | {"adapt.batch_size": 3}],
    "adapt.limit": [ADAPTED | {"adapt.limit": 3}],
    "adapt.held_out": [ADAPTED | {"adapt.held_out": 0}],
    "adapt.gradient_checkpointing": [
        ADAPTED | {"adapt.gradient_checkpointing": value} for value in (True, False)
    ],
    "adapt.seed": [ADAPTED | {"adapt.seed": 3}],
    **{f"adapt.bounds.{key}": [ADAPTED | {f"adapt.bounds.{key}": 2 * value}] for key, value in Bounds()},
    "finetune.objective": ["causal"],
    "finetune.method": ["lora", "rslora"],
    "finetune.prompt.system": ["words"],
    "finetune.prompt.user": ["words"],
    "finetune.rank": [3],
    "finetune.alpha": [3],
    "finetune.dropout": [0.5],
    "finetune.target_modules": [["q_proj"]],
    "finetune.learning_rate": [0.5],
    "finetune.schedule": ["constant", "linear", "cosine"],
    "finetune.warmup_steps": [3],
    "finetune.weight_decay": [0.5],
    "finetune.epochs": [3],
    "finetune.max_minutes": [None],
    "finetune.average_decay": [0.5],
    "finetune.batch_size": [3],
    "finetune.micro_batch_size": [3],
    "finetune.gradient_checkpointing": [True, False],
    "finetune.packing": [False, None],
    "finetune.order": ["fixed", "shuffled", {"finetune.order": "target_first", "data.target": "ward"}],
    "finetune.numbers": ["digits"],
    "finetune.smoothing": [0, None],
    "finetune.patience": [3],
    "finetune.evaluations_per_epoch": [3],
    "finetune.seed": [3],
    "finetune.canaries": [10],
    "privacy.epsilon": [1],
    "privacy.delta": [1e-5],
    "privacy.unit": ["record", PATIENTS | {"privacy.unit": "record"}, PATIENTS | {"privacy.unit": "subject"}],
    "privacy.max_grad_norm": [0.5],
    "privacy.epochs": [3],
    "privacy.batch_size": [3],
    "privacy.learning_rate": [0.5],
    "privacy.rank": [3],
    "generate.records": [10],
    "generate.where": [{"ward": "a"}],
    "generate.quotas": [{"ward": "balanced"}],
    "generate.seeds": ["seeds.csv"],
    "generate.temperature": [0.5],
    "generate.temperatures": [{"ward": 0.5}],
    "generate.top_p": [0.5],
    "generate.top_k": [3],
    "generate.min_p": [0.5],
    "generate.order": [["ward"]],
    "generate.batch_size": [3],
    "generate.memory_gb": [0.5],
    "generate.attempts": [3],
    "generate.text_passes": [3],
    "generate.refinements": [3],
    "generate.rewrite": [0.5],
    "generate.questions.per_record": [2],
    "generate.questions.unanswerable": [0.5],
    "generate.questions.formats": [["squad"]],
    "generate.questions.rewording.server.url": [SERVED],
    **{
        f"generate.questions.rewording.server.{key}": [SERVED | {f"{SERVER}.{key}": value}]
        for key, value in PACE.items()
    },
    "generate.questions.rewording.base": ["other"],
    "generate.questions.rewording.temperature": [0.5],
    "generate.questions.rewording.instruction": ["words"],
    "generate.engine": ["local", "ray", "vllm"],
    "generate.formats": [["csv"]],
    "generate.seed": [3],
    "generate.to": [{"generate.to": "sqlite:///made.db", "generate.table": "made"}],
    "generate.table": [{"generate.to": "sqlite:///made.db", "generate.table": "made"}],
    "generate.existing_table": ["refuse", "append", "replace"],
    "rules.checks": [["age >= 1"]],
    "rules.derived": [{"dose": "age * 0.01"}],
    "rules.unique": [[["age", "ward"]]],
    "rules.references": [{"ward": "wards.txt"}],
    # No relation is searched under privacy.
    "rules.relations": ["keep", "ignore"],
    "rules.ignored_relations": [[]],
    "eval.bootstrap": [100],
    "eval.repeats": [3],
    "eval.max_rows": [100],
    "eval.seed": [3],
    "eval.embedder": ["other"],
    "eval.attacks": [["adapter", "lira", "auxiliary"]],
    "eval.shadows": [10],
    "eval.attacked_records": [50],
    "eval.generator_seeds": [3],
    "eval.floor": ["shuffled", "base"],
    "eval.show_nearest": [True, False],
    "release.what": ["records", "adapter", "both"],
    "release.profile": ["internal", "partner", "public"],
    "release.gates": [{"exact_copies": 0}],
    **{f"card.{key}": ["words"] for key in CARD},
    "card.authors": [["words"]],
    "card.tags": [["words"]],
    "card.language": ["de"],
    "card.licence": ["mit"],
    "card.data_licence": ["mit"],
}
"""Settings per key that is allowed under privacy: a value, or a dict of dotted keys if others go with it."""

REFUSED: dict[str, tuple[list[Any], str]] = {
    "data.control": (["control.csv"], r"data\.control: under privacy"),
    "data.test": (["test.csv"], r"data\.test: under privacy"),
    "data.limit": ([1, 50, 10**6], r"data\.limit leaves out rows"),
    "data.pii.action": (["replace", "drop"], r"data\.pii: (replace|drop) uses all records together"),
    "data.features": ([{"note": ["phrases"]}, {"note": ["entities"]}], r"data\.features\.note: "),
    "data.split.train_rows": ([20], r"data\.split\.train_rows leaves out rows"),
    "strategy": (
        ["statistical", "combined", "prompt", "chain", "augment"],
        r"privacy: is for the strategy finetuned",
    ),
    "finetune.objective": (["masked"], r"privacy: is for causal models"),
    "finetune.method": (["dora", "full"], r"finetune\.method: "),
    "finetune.loss.columns": ([["note"]], r"finetune\.loss: is for causal models"),
    "finetune.loss.turns": ([{"ward": ["a"]}], r"finetune\.loss: is for causal models"),
    "finetune.packing": ([True], r"finetune\.packing: "),
    "finetune.numbers": (["bins"], r"finetune\.numbers: "),
    "finetune.smoothing": ([3], r"finetune\.smoothing: "),
    "finetune.max_minutes": ([3], r"finetune\.max_minutes: "),
    "generate.drop_copies": (["exact", "near"], r"generate\.drop_copies: "),
}
"""Settings that a private recipe refuses, and the message."""

OF_OTHER_STRATEGIES = ("statistical.", "prompt.", "chain.", "generate.augment.")
"""Beginnings of keys that strategies read which a private recipe refuses."""
BY_READER = {"data.source", "data.query", "data.hub_split", "data.passages"}
"""Keys that `READERS` tries: they choose a reader."""


def keys(model: type[BaseModel] = Recipe, prefix: str = "") -> Iterator[tuple[str, Any]]:
    """Yield the dotted name and the annotation of every key of a recipe that has no keys below it."""
    for name, field in model.model_fields.items():
        below = [part for part in parts(field.annotation) if issubclass_safe(part, BaseModel)]
        for section in below:
            yield from keys(section, f"{prefix}{name}.")
        if not below:
            yield f"{prefix}{name}", field.annotation


def parts(annotation: Any) -> Iterator[Any]:
    """Yield an annotation and everything that it consists of, such as the members of a union."""
    yield annotation
    for part in () if get_origin(annotation) is Literal else get_args(annotation):
        yield from parts(part)


def issubclass_safe(part: Any, base: type) -> bool:
    return isinstance(part, type) and not isinstance(part, types.GenericAlias) and issubclass(part, base)


def choices(annotation: Any) -> set[Any]:
    """Return the values of a key that holds one of few values; empty for other keys."""
    members = (
        get_args(annotation) if get_origin(annotation) in (types.UnionType, typing.Union) else (annotation,)
    )
    members = [
        get_args(member)[0] if get_origin(member) is typing.Annotated else member for member in members
    ]
    values: set[Any] = {True, False} if bool in members else set()
    return values.union(*(get_args(member) for member in members if get_origin(member) is Literal))


KEYS = {key: kind for key, kind in keys() if not key.startswith(OF_OTHER_STRATEGIES)}
CASES = [(key, setting) for key, settings in SETTINGS.items() for setting in settings]
REFUSALS = [(key, setting, says) for key, (settings, says) in REFUSED.items() for setting in settings]


def recipe_with(key: str, setting: Any, **more: Any) -> Recipe:
    plain = copy.deepcopy(PLAIN)
    whole = setting if isinstance(setting, dict) and any("." in name for name in setting) else {key: setting}
    for dotted, value in (more | whole).items():
        at, *below = reversed(dotted.split("."))
        section = plain
        for name in reversed(below):
            section = section.setdefault(name, {})
        section[at] = value
    for name in plain["data"].get("drop", []):
        plain["data"]["fields"].pop(name, None)
    return Recipe.model_validate(plain)


def people(seed: int, rows: int = 90) -> pd.DataFrame:
    """Return a table of strings with exact copies, near-duplicate texts, missing cells and rows without a patient."""
    draw = np.random.default_rng(seed)
    patients = draw.integers(0, rows // 3, rows)
    days = np.datetime64("2024-01-01") + draw.integers(0, 365, rows)
    table = pd.DataFrame(
        {
            "age": draw.integers(0, 100, rows).astype(str),
            "ward": draw.choice(["a", "b", "c"], rows, p=[0.7, 0.28, 0.02]),
            "dose": [f"{dose:.1f}" for dose in draw.random(rows) * 9],
            "seen": days.astype(str),
            "come": [f"{hour:02d}:{hour * 7 % 60:02d}" for hour in draw.integers(0, 24, rows)],
            "stay": [f"{hour:02d}:{hour % 60:02d}:30" for hour in draw.integers(0, 99, rows)],
            "ill": draw.choice(["yes", "no"], rows, p=[0.05, 0.95]),
            "note": [
                f"seen by Dr Anna Miller in the {'very ' * (kind % 3)}busy ward of York" for kind in patients
            ],
            "patient": [f"p{number}" for number in patients],
            "other": draw.choice(["x", "y"], rows),
        }
    ).astype(object)
    for name in ("dose", "ward", "note", "ill", "patient"):
        table.loc[draw.random(rows) < 0.1, name] = None
    copies = draw.integers(0, rows, (2, rows // 6))
    table.iloc[copies[0]] = table.iloc[copies[1]].to_numpy()
    return table.assign(row=[f"r{number}" for number in range(rows)])


def unit_rows(recipe: Recipe, table: pd.DataFrame, row: int) -> list[int]:
    """Return the positions of the rows of the unit that holds a row."""
    subject = recipe.data.subject
    assert recipe.privacy is not None
    if subject is None or recipe.privacy.unit == "record" or pd.isna(table[subject].iloc[row]):
        return [row]
    return np.flatnonzero((table[subject] == table[subject].iloc[row]).to_numpy()).tolist()


def check_one_less(whole: Prepared, rest: Prepared, gone: set[str]) -> None:
    assert rest.schema == whole.schema
    for name in SPLITS:
        expected = whole.splits[name]
        expected = expected[~expected["row"].isin(gone)].reset_index(drop=True)
        pd.testing.assert_frame_equal(rest.splits[name], expected)
    assert sum(len(whole.splits[name]) - len(rest.splits[name]) for name in SPLITS) == len(gone)


def check_units(recipe: Recipe, table: pd.DataFrame, rows: list[int]) -> None:
    """Check that a table without the unit of each of some rows gives the same splits without this unit."""
    whole = assemble(recipe, table)
    for row in rows:
        unit = unit_rows(recipe, table, row)
        rest = table.drop(index=unit).reset_index(drop=True)
        check_one_less(whole, assemble(recipe, rest), set(table["row"].iloc[unit]))


def test_every_key_is_tried_or_refused() -> None:
    listed = SETTINGS.keys() | REFUSED.keys() | BY_READER
    assert KEYS.keys() - listed == set(), "decide whether privacy allows these keys, and list them"
    assert listed - KEYS.keys() == set(), "no longer in the recipe"


@pytest.mark.parametrize("key", [key for key, annotation in KEYS.items() if choices(annotation)])
def test_every_choice_is_tried_or_refused(key: str) -> None:
    settings = [*SETTINGS.get(key, []), *REFUSED.get(key, ([], ""))[0]]
    name = key.rpartition(".")[2]
    tried = set()
    for setting in settings:
        for dotted, value in (setting if isinstance(setting, dict) else {key: setting}).items():
            if dotted.rpartition(".")[2] == name:
                tried.add(value)
            elif isinstance(value, dict):
                tried.add(value.get(name))
    assert choices(KEYS[key]) - tried == set()


@pytest.mark.parametrize("subject", [None, "patient"])
@pytest.mark.parametrize(
    ("key", "setting"), CASES, ids=[f"{key}-{number}" for number, (key, _) in enumerate(CASES)]
)
def test_one_unit_less_is_one_unit_less(key: str, setting: Any, subject: str | None) -> None:
    recipe = recipe_with(key, setting, **{"data.drop": ["other"], "data.subject": subject})
    as_trained(recipe)
    # Another random table for every length of a key.
    table = people(len(key))
    draw = np.random.default_rng(len(key))
    check_units(recipe, table, [0, *draw.choice(len(table), 2, replace=False)])


@pytest.mark.parametrize(("key", "setting", "says"), REFUSALS)
def test_what_couples_units_is_refused(key: str, setting: Any, says: str) -> None:
    def prepared() -> Prepared:
        return assemble(as_trained(recipe_with(key, setting, **{"data.drop": ["other"]})), people(0))

    with pytest.raises((RecipeError, ValidationError), match=says):
        prepared()


def test_a_limited_private_recipe_ends_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    people(0).to_csv(tmp_path / "people.csv", index=False)
    plain = PLAIN | {"data": PLAIN["data"] | {"source": "people.csv", "drop": ["other"]}}
    (tmp_path / "recipe.yaml").write_text(json.dumps(plain))
    for command in (["validate"], ["run"]):
        with pytest.raises(SystemExit) as end:
            main([*command, str(tmp_path / "recipe.yaml"), "data.limit=50"])
        assert end.value.code == 2
        error = capsys.readouterr().err
        assert "data.limit leaves out rows" in error
        assert error.count("\n") == 1


@hypothesis_settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 10**6), rows=st.integers(40, 120), subject=st.sampled_from([None, "patient"]))
def test_any_table(seed: int, rows: int, subject: str | None) -> None:
    recipe = recipe_with("data.drop", ["other"], **{"data.subject": subject, "data.split.seed": seed})
    table = people(seed, rows)
    try:
        check_units(recipe, table, [0, seed % rows, rows - 1])
    except DataError as error:
        # A record that leaves a split or a column empty is an error; errors are public.
        assert "split is empty" in str(error) or "no training record has a value" in str(error)  # noqa: PT017


def typed(table: pd.DataFrame) -> list[Plain]:
    """Return rows with numbers and dates in place of strings."""
    types_of = {"age": int, "dose": float, "seen": datetime.fromisoformat}
    rows = []
    for cells in table.itertuples(index=False):
        named = zip(map(str, table.columns), cells, strict=True)
        rows.append({name: None if pd.isna(cell) else types_of.get(name, str)(cell) for name, cell in named})
    return rows


def as_csv(folder: Path, table: pd.DataFrame) -> Plain:
    table.to_csv(folder / "people.csv", index=False)
    return {"data.source": "people.csv"}


def as_tsv(folder: Path, table: pd.DataFrame) -> Plain:
    table.to_csv(folder / "people.tsv.gz", index=False, sep="\t")
    return {"data.source": "people.tsv.gz"}


def as_glob(folder: Path, table: pd.DataFrame) -> Plain:
    table.iloc[:40].to_csv(folder / "part1.csv", index=False)
    table.iloc[40:, ::-1].to_csv(folder / "part2.csv", index=False)
    return {"data.source": "part*.csv"}


def as_jsonl(folder: Path, table: pd.DataFrame) -> Plain:
    lines = []
    for row in typed(table):
        known = {
            name: str(cell)[:10] if name == "seen" else cell for name, cell in row.items() if cell is not None
        }
        names = list(known)[:: 1 if int(row["row"][1:]) % 3 else -1]
        lines.append(json.dumps({name: known[name] for name in names}))
    (folder / "people.jsonl").write_text("\n".join(lines))
    return {"data.source": "people.jsonl"}


def as_parquet(folder: Path, table: pd.DataFrame) -> Plain:
    arrow = pa.Table.from_pylist(typed(table), schema=ARROW)
    pq.write_table(arrow, folder / "people.parquet")
    return {"data.source": "people.parquet"}


def as_parquet_glob(folder: Path, table: pd.DataFrame) -> Plain:
    whole = typed(table)
    for row in whole:
        row["patient"] = row["patient"] and int(row["patient"][1:])
    for number, kind in enumerate([pa.int64(), pa.float64()]):
        part = [row for row in whole if int(row["row"][1:]) % 2 == number]
        schema = ARROW.set(ARROW.get_field_index("patient"), pa.field("patient", kind))
        pq.write_table(pa.Table.from_pylist(part, schema=schema), folder / f"part{number}.parquet")
    return {"data.source": "part*.parquet"}


def as_database(folder: Path, table: pd.DataFrame) -> Plain:
    with closing(sqlite3.connect(folder / "people.db")) as connection:
        table.to_sql("people", connection, index=False)
    return {"data.source": "sqlite:///people.db", "data.query": "select * from people where age >= 0"}


def as_hub_split(folder: Path, table: pd.DataFrame) -> Plain:
    (folder / "hub").mkdir()
    arrow = pa.Table.from_pylist(typed(table), schema=ARROW)
    pq.write_table(arrow, folder / "hub" / "validation.parquet")
    pq.write_table(arrow.slice(0, 20), folder / "hub" / "train.parquet")
    return {"data.source": f"hf://{folder / 'hub'}", "data.hub_split": "validation"}


def as_dicts(folder: Path, table: pd.DataFrame) -> list[Plain]:
    rows = typed(table)
    for row in rows:
        row["patient"] = row["patient"] and int(row["patient"][1:])
        if int(row["row"][1:]) % 3 == 0:
            row["age"] = row.pop("age")
    return rows


def as_frame(folder: Path, table: pd.DataFrame) -> pd.DataFrame:
    frame = pd.DataFrame(typed(table))
    frame["seen"] = frame["seen"].dt.tz_localize("Europe/Berlin")
    # Floats if a cell is missing, as any reader of pandas returns integers.
    frame["patient"] = pd.to_numeric(frame["patient"].str[1:])
    return frame


ARROW = pa.schema(
    [
        ("age", pa.int32()),
        ("ward", pa.string()),
        ("dose", pa.float32()),
        ("seen", pa.timestamp("us")),
        ("come", pa.string()),
        ("stay", pa.string()),
        ("ill", pa.string()),
        ("note", pa.string()),
        ("patient", pa.string()),
        ("other", pa.string()),
        ("row", pa.string()),
    ]
)
READERS: list[Callable[[Path, pd.DataFrame], Any]] = [
    as_csv,
    as_tsv,
    as_glob,
    as_jsonl,
    as_parquet,
    as_parquet_glob,
    as_database,
    as_hub_split,
    as_dicts,
    as_frame,
]


def read_as(
    reader: Callable[[Path, pd.DataFrame], Any], folder: Path, table: pd.DataFrame, **keys: Any
) -> Prepared:
    folder.mkdir()
    source = reader(folder, table)
    settings = source if isinstance(source, dict) else {}
    recipe = recipe_with("data.drop", ["other"], **keys, **settings)
    raw = read_source(recipe.data, root=folder) if settings else from_object(source, drop=recipe.data.drop)
    return assemble(recipe, raw)


@pytest.mark.parametrize("subject", [None, "patient"])
@pytest.mark.parametrize("reader", READERS)
def test_a_source_of_each_kind_is_read_row_by_row(
    tmp_path: Path, reader: Callable[[Path, pd.DataFrame], Any], subject: str | None
) -> None:
    table = people(3)
    # Rows that alone decide on types, formats or the order of keys of a whole column elsewhere.
    last = len(table) - 1
    for name in ("patient", "dose"):
        table[name] = table[name].fillna("p99" if name == "patient" else "1.5")
        table.loc[[0, last], name] = None
    keys = {"data.subject": subject}
    whole = read_as(reader, tmp_path / "whole", table, **keys)
    for row in (0, 7, last):
        unit = unit_rows(recipe_with("data.subject", subject), table, row)
        rest = table.drop(index=unit).reset_index(drop=True)
        check_one_less(
            whole, read_as(reader, tmp_path / f"rest{row}", rest, **keys), set(table["row"].iloc[unit])
        )
    both = table.drop(index=[0, last]).reset_index(drop=True)
    check_one_less(whole, read_as(reader, tmp_path / "both", both, **keys), {"r0", f"r{last}"})


MOMENT = datetime(2024, 3, 1)
ODD_MOMENTS = {
    "time": MOMENT + timedelta(hours=5),
    "microseconds": MOMENT + timedelta(microseconds=5),
    "summer": datetime(2024, 7, 1),
}


@pytest.mark.parametrize("kind", ["text", "category", "subject"])
@pytest.mark.parametrize("odd", ODD_MOMENTS)
@pytest.mark.parametrize("dtype", ["object", "datetime64[us]", "datetime64[us, Europe/Berlin]"])
def test_one_moment_does_not_change_how_others_are_written(kind: str, odd: str, dtype: str) -> None:
    moments = [MOMENT + timedelta(days=day % 9) for day in range(80)] + [ODD_MOMENTS[odd]]
    column = pd.Series(moments, dtype="datetime64[us]")
    if "Berlin" in dtype:
        column = column.dt.tz_localize("Europe/Berlin")
    table = (
        people(0, 81)
        .drop(columns="patient")
        .assign(when=column.astype(dtype if dtype == "object" else column.dtype))
    )
    zone = "+01:00" if "Berlin" in dtype else ""
    shown = [f"{MOMENT + timedelta(days=day)}{zone}" for day in range(9)]
    shown.append(f"{ODD_MOMENTS[odd]}{'+02:00' if zone and odd == 'summer' else zone}")
    declared = {
        "text": {"type": "text", "max_length": 40, "nullable": False},
        "category": {"type": "category", "categories": shown, "nullable": False},
        "subject": {"type": "identifier", "fresh": True},
    }[kind]
    fields = {name: FIELDS[name] for name in FIELDS if name != "patient"} | {"when": declared}
    recipe = recipe_with(
        "data.fields",
        fields,
        **{"data.drop": ["other"], "data.subject": "when" if kind == "subject" else None},
    )
    check_one_less(assemble(recipe, table), assemble(recipe, table.head(80)), {"r80"})


def test_a_declared_format_writes_each_moment_alone() -> None:
    form = "%Y-%m-%d %H:%M:%S"
    zone = timezone(timedelta(hours=2))
    midnight = pd.Series([MOMENT, MOMENT + timedelta(hours=1)], dtype=object)
    assert list(to_separate_strings(midnight, form)) == ["2024-03-01 00:00:00", "2024-03-01 01:00:00"]
    assert list(to_separate_strings(midnight, "%Y-%m-%d")) == ["2024-03-01", "2024-03-01 01:00:00"]
    zoned = pd.Series([MOMENT, MOMENT.replace(tzinfo=zone)], dtype=object)
    assert list(to_separate_strings(zoned, f"{form}+02:00")) == [
        "2024-03-01 00:00:00",
        "2024-03-01 00:00:00+02:00",
    ]
    assert list(to_separate_strings(zoned, form)) == ["2024-03-01 00:00:00"] * 2


def test_a_whole_number_is_written_alike_in_every_type() -> None:
    for dtype in ("float64", "Float64", "float32", object):
        column = pd.Series([1.0, -0.0, 2.5, None], dtype=dtype)
        assert list(to_separate_strings(column).fillna("-")) == ["1", "0", "2.5", "-"]
    assert list(to_separate_strings(pd.Series([1, None, "1.0", 1e20, 0.1], dtype=object)).fillna("-")) == [
        "1",
        "-",
        "1.0",
        "1e+20",
        "0.1",
    ]
