"""Statistics for the columns and an adapter for the texts, in one run: trained, drawn under conditions, published, attacked."""

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from finished_run import metrics_of

import paracosm.registry
from paracosm.cli.app import main
from paracosm.eval.attacks.target import attack_target
from paracosm.eval.measuring.context import Context
from paracosm.finetune.models.trained_model import load_codec
from paracosm.finetune.objectives.encoded_record import columns_alone, encode_record
from paracosm.foundation.errors import ModelError, ParacosmError, RecipeError
from paracosm.generate.constraints.request import Tally
from paracosm.generate.engines.blocks import BlockGenerator, GenerationJob
from paracosm.generate.statistics.stored_chain import COLUMNS, load_chain
from paracosm.generate.strategies.combined import CombinedStrategy, refuse_records
from paracosm.generate.strategies.strategy import strategy_of
from paracosm.pipeline import run_stages
from paracosm.recipes.loading.load import load_recipe, recipe_of
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import open_run
from paracosm.recipes.run.stage import run_if_stale
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema
from paracosm.records.schema.table import read_table, to_records
from paracosm.registry.card.stage import write_card

SECTIONS = {
    "name": "notes",
    "strategy": "combined",
    "data": {"source": "notes.csv", "target": "kind", "fields": {"note": {"type": "text"}}},
    "model": {"layers": 1},
    "finetune": {"epochs": 1},
    "generate": {"records": 40},
}


def write_notes(path: Path) -> None:
    random = np.random.default_rng(0)
    kinds, ages = random.choice(["loan", "card"], 120), random.integers(20, 60, 120)
    notes = [f"my {kind} was {'late' if age > 40 else 'lost'}" for kind, age in zip(kinds, ages, strict=True)]
    # The text stands first in the source, and is written last.
    pd.DataFrame({"note": notes, "age": ages, "kind": kinds}).to_csv(path, index=False)


@pytest.fixture(scope="module")
def run(tmp_path_factory: pytest.TempPathFactory) -> Run:
    folder = tmp_path_factory.mktemp("combined")
    write_notes(folder / "notes.csv")
    (folder / "notes.yaml").write_text(
        "name: notes\nstrategy: combined\ndata: {source: notes.csv, target: kind, fields: {note: {type: text}}}\n"
        "model: {layers: 1}\nfinetune: {epochs: 1}\ngenerate: {records: 40}\n"
    )
    return run_stages(open_run(folder / "notes.yaml", [], folder / "run"), last="generate")


def records_of(run: Run) -> pd.DataFrame:
    schema = Schema.load(run.schema)
    return pd.concat([read_table(path, schema) for path in sorted(run.synthetic.glob("*.parquet"))])


def test_columns_come_from_the_statistics_and_texts_from_the_adapter(run: Run) -> None:
    table = records_of(run)
    assert list(table.columns) == ["note", "age", "kind"]
    assert len(table) == 40
    assert table["note"].str.len().gt(0).all()
    chain, (codec, _) = load_chain(run.adapter, COLUMNS), load_codec(run.adapter)
    assert [field.name for field in chain.schema.modelled] == ["kind", "age"]
    assert [field.name for field in codec.fields] == ["kind", "age", "note"]
    alone = pd.DataFrame(
        [
            {name: value for name, value in record.items() if name != "note"}
            for record in to_records(table, Schema.load(run.schema))
        ]
    )
    assert np.isfinite(chain.log_likelihood(alone.to_dict("records"))).all()  # type: ignore[arg-type]
    facts = run.journal.stage("finetune")["facts"]
    assert facts["best_control_bits"] == pytest.approx(
        facts["columns_control_bits"] + facts["texts_control_bits"]
    )


def test_conditions_quotas_and_rules_hold(run: Run) -> None:
    recipe = recipe_of(
        SECTIONS
        | {
            "generate": {"where": {"kind": "card"}, "quotas": {"age": {"33": 0.5}}},
            "rules": {"checks": ["age >= 30"]},
        }
    )
    generator = BlockGenerator(GenerationJob(recipe, run.root, run.root, 24))
    rows = [record for (record,) in generator.records(range(24))[0]]
    assert {row["kind"] for row in rows} == {"card"}
    assert sum(row["age"] == 33 for row in rows) == 12
    assert min(int(row["age"]) for row in rows) >= 30  # type: ignore[arg-type]
    again = generator.strategy.records(
        [generator.conditions.request(5)], seed=recipe.generate.seed, tally=Tally()
    )
    assert again == [[rows[5]]]


def test_the_loss_leaves_out_the_columns(run: Run) -> None:
    codec, masks = load_codec(run.adapter)
    record = {"kind": "loan", "age": 30, "note": "my loan was lost"}
    whole = encode_record(record, codec, masks)
    texts = columns_alone(whole, codec, [field.name for field in codec.fields if field.is_text])
    assert texts.ids == whole.ids
    assert texts.decisions == sum(number != texts.masks[0][0] for number in whole.masks[2]) < whole.decisions


def test_attacks_read_both_likelihoods(run: Run) -> None:
    schema = Schema.load(run.schema)
    train, control, test = (read_table(run.split(name), schema) for name in ("train", "control", "test"))
    context = Context(schema, train, control, test, None, Evaluate(), 12, adapter=run.adapter)
    target = attack_target(context)
    assert [field.name for field in target.fields] == ["kind", "age", "note"]
    for likelihoods in (target.adapter, target.base, target.memorised):
        assert {int(index) for index in likelihoods[0].field_index} == {0, 1, 2}
        assert (likelihoods[0].field_index < 2).sum() == 2


def test_a_pulled_version_makes_the_same_records(
    run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copytree(run.root, tmp_path / "finished")
    finished = Run(tmp_path / "finished")

    def write_metrics() -> dict[str, object]:
        finished.evaluation.mkdir()
        finished.metrics.write_text(json.dumps(metrics_of()))
        return {}

    run_if_stale(finished, "eval", {"state": "PASS"}, write_metrics)
    write_card(recipe=load_recipe(finished.recipe), run=finished)
    paracosm.registry.publish(run=finished, url=str(tmp_path / "store"))
    monkeypatch.chdir(tmp_path)
    folder = paracosm.registry.pull(name="notes", into=tmp_path / "pulled", url=str(tmp_path / "store"))
    assert all((folder / name).is_file() for name in COLUMNS)
    with pytest.raises(SystemExit) as ended:
        main(["generate", "pulled", "generate.records=40"])
    assert ended.value.code == 0
    made = Run(tmp_path / "runs" / "notes-v1")
    assert not made.split("train").exists()
    pd.testing.assert_frame_equal(records_of(made), records_of(run))


def test_a_run_is_refused_under_the_other_strategy(run: Run) -> None:
    with pytest.raises(ModelError, match="was made with strategy=combined"):
        strategy_of(recipe_of(SECTIONS | {"strategy": "finetuned"}), run)
    assert isinstance(strategy_of(recipe_of(SECTIONS), run), CombinedStrategy)


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ((Field(name="age", type="integer", minimum=0, maximum=9),), "these records have none"),
        ((Field(name="note", type="text", max_length=9),), "texts alone"),
    ],
)
def test_records_without_texts_or_without_columns_are_refused(fields: tuple[Field, ...], words: str) -> None:
    with pytest.raises(RecipeError, match=words):
        refuse_records(Schema(fields))


@pytest.mark.parametrize(
    "change",
    [
        {"finetune": {"order": "shuffled"}},
        {"finetune": {"canaries": 10}},
        {"privacy": {"epsilon": 8, "delta": 1e-5}},
    ],
)
def test_what_combined_cannot_do_is_refused(change: dict[str, object]) -> None:
    with pytest.raises(ParacosmError, match=r"strategy"):
        recipe_of(SECTIONS | change)
