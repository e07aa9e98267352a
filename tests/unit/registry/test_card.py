"""The model card and the data card: their content, what they must not contain, and Hugging Face's parser."""

import hashlib
import hmac
import json
from pathlib import Path

import pytest
from finished_run import MARK, evaluation_of, finished_run, metrics_of, recipe_of, without_examples
from huggingface_hub import DatasetCard, ModelCard

from paracosm.eval.gates.ruling import verdict_of_states
from paracosm.eval.results.evaluation_file import EvaluationFile
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import RunError
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import run_if_stale
from paracosm.records.schema.schema import Field, Schema
from paracosm.registry.card.facts import division, energy, published_evaluation, source_kind, unmeasured
from paracosm.registry.card.licence import adapter_licence, records_licence
from paracosm.registry.card.metadata import data_card_data, eval_results
from paracosm.registry.card.stage import cell, duration, figure, quoted, write_card


def card_of(tmp_path: Path, state: str = "PASS", **sections: object) -> str:
    return finished_run(tmp_path / "run", recipe_of(**sections), state).card.read_text(encoding="utf-8")


def between(card: str, start: str, end: str) -> str:
    return card.split(start, 1)[1].split(end, 1)[0]


def test_hugging_faces_parser_reads_the_card_and_writes_the_same_text(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of())
    card = ModelCard.load(run.card)
    front = card.data.to_dict()
    assert front["license"] == "cc-by-4.0"
    assert front["base_model"] == "HuggingFaceTB/SmolLM2-135M-Instruct"
    assert (front["library_name"], front["pipeline_tag"], front["language"]) == (
        "peft",
        "text-generation",
        "en",
    )
    assert {"paracosm", "synthetic-data", "gate-pass", "medical"} <= set(front["tags"])
    assert str(card) == run.card.read_text(encoding="utf-8")


def test_every_measured_metric_is_in_the_model_index(tmp_path: Path) -> None:
    results = ModelCard(card_of(tmp_path)).data.eval_results
    assert results is not None
    found = {result.metric_type: result for result in results}
    measured = [each for each in metrics_of()["metrics"] if each["value"] is not None]
    assert {name: result.metric_value for name, result in found.items()} == {
        each["name"]: each["value"] for each in measured
    }
    assert found["c2st_auc"].metric_args == {
        "interval": [0.49, 0.571],
        "ceiling": 0.501,
        "floor": 0.91,
        "worst": 0.03,
        "normalised": 0.924,
    }
    assert found["utility_skill"].dataset_split == "test"


def test_no_value_of_any_record_reaches_the_card(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of())
    assert MARK in run.schema.read_text(encoding="utf-8")
    card = without_examples(run.card.read_text(encoding="utf-8"))
    for planted in (MARK, "1701791", "4479113", "9808913", "secret-place"):
        assert planted not in card


def test_no_value_of_any_record_reaches_the_files_beside_the_card(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of())
    written = [path for path in run.card_folder.rglob("*") if path.suffix in (".md", ".json", ".png")]
    assert {path.name for path in written} == {
        "README.md", "provenance.json", "croissant.json", "fidelity.png", "utility.png", "leakage.png",
    }  # fmt: skip
    for path in (*written, run.card_folder / "report.html"):
        text = without_examples(path.read_bytes().decode("utf-8", errors="replace"))
        for planted in (MARK, "1701791", "4479113", "9808913", "secret-place"):
            assert planted not in text, path


def test_a_card_begins_with_use_examples_and_the_four_verdicts(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of())
    for path in (run.card, run.data_card):
        card = path.read_text(encoding="utf-8")
        order = [
            card.index(part)
            for part in ("### How to use", "**Example records**", "### Verdicts", "## Release gates")
        ]
        assert order == sorted(order)
        assert card.count("| Privacy of the records |") == 1
    alone = finished_run(tmp_path / "alone", recipe_of(release={"what": "records"})).card.read_text(
        encoding="utf-8"
    )
    assert "paracosm pull" not in alone
    assert "from_pretrained" not in alone
    adapter = finished_run(tmp_path / "adapter", recipe_of(release={"what": "adapter"}))
    assert "Example records" not in adapter.card.read_text(encoding="utf-8")


@pytest.mark.parametrize(("method", "meant"), [("lora", "this one"), ("full", "the published one")])
def test_a_card_says_which_base_model_the_evaluation_means(tmp_path: Path, method: str, meant: str) -> None:
    recipe = recipe_of(finetune={"method": method}, adapt={"source": "letters.txt"})
    run = Run.create(tmp_path / "run")
    facts = {
        "documents": 9,
        "held_back_documents": 0,
        "tokens": 700,
        "method": "lora",
        "steps": 4,
        "conversations": False,
    }
    run_if_stale(run, "adapt", {"fake": 1}, lambda: facts)
    card = finished_run(tmp_path / "run", recipe).card.read_text(encoding="utf-8")
    assert f'"Base model" in the evaluation means {meant}' in card


def test_published_metrics_hold_no_values_of_records(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of())
    figures = json.loads(published_evaluation(run).to_json())
    assert MARK in run.metrics.read_text(encoding="utf-8")
    assert MARK not in json.dumps(figures)
    told = {each["name"]: each for each in figures["metrics"]}
    assert told["exact_copies"]["reading"] == "Most often repeated: [a value of the records]."
    assert told["c2st_auc"]["breakdown"] == {"ward": 0.5}
    assert told["c2st_auc"]["facts"] == {"rows": 3}
    assert told["c2st_auc"]["anchors"]["floor"] == {"value": 0.91, "interval": [0.9, 0.92]}


def test_digests_of_private_data_cannot_be_guessed(tmp_path: Path) -> None:
    first, second = (finished_run(tmp_path / name, recipe_of()) for name in ("one", "two"))
    told = [json.loads(run.provenance.read_text()) for run in (first, second)]
    plain = file_digest(first.split("train"))
    assert plain == file_digest(second.split("train"))
    keyed = [each["data"]["splits"]["train"] for each in told]
    assert plain not in keyed
    assert keyed[0] != keyed[1]
    salt = bytes.fromhex(first.journal.read()["salt"])
    assert keyed[0] == hmac.new(salt, plain.encode(), hashlib.sha256).hexdigest()
    assert told[0]["code"] == told[1]["code"]
    assert told[0]["seeds"] == {"split": 0, "finetune": 0, "generate": 0, "eval": 0}
    public = finished_run(tmp_path / "public", recipe_of(data={"source": "hf://org/name"}))
    origin = json.loads(public.provenance.read_text())["data"]
    assert origin["splits"]["train"] == file_digest(public.split("train"))


@pytest.mark.parametrize(
    ("said", "adapter", "records"),
    [
        ({}, "other", "other"),
        ({"licence": "mit"}, "mit", "mit"),
        ({"data_licence": "apache-2.0"}, "apache-2.0", "apache-2.0"),
        ({"data_licence": "cc-by-4.0"}, ["cc-by-4.0", "apache-2.0"], "cc-by-4.0"),
        ({"data_licence": "cc-by-4.0", "licence": "cc-by-nc-4.0"}, "cc-by-nc-4.0", "cc-by-nc-4.0"),
    ],
)
def test_licences_are_inherited_from_data_and_base_model(
    said: dict[str, str], adapter: str | list[str], records: str
) -> None:
    recipe = recipe_of(card=said)
    assert adapter_licence(recipe) == adapter
    assert records_licence(recipe) == records


def test_the_licence_of_a_base_model_in_a_folder_is_read_from_its_card(tmp_path: Path) -> None:
    (tmp_path / "config.json").write_text("{}")
    recipe = recipe_of(card={"data_licence": "mit"}, model={"base": str(tmp_path)})
    assert adapter_licence(recipe) == "other"
    (tmp_path / "README.md").write_text("---\nlicense: llama3.1\n---\n\n# Base\n")
    assert adapter_licence(recipe) == ["mit", "llama3.1"]


def test_hugging_faces_parser_keeps_two_inherited_licences(tmp_path: Path) -> None:
    card = card_of(tmp_path, card={"data_licence": "cc-by-4.0"})
    assert ModelCard(card).data.to_dict()["license"] == ["cc-by-4.0", "apache-2.0"]
    assert "inherited from the data; inherited from the base model (apache-2.0)" in card


def test_the_synthetic_records_have_a_data_card(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of())
    path = run.data_card
    card = DatasetCard.load(path)
    front = card.data.to_dict()
    assert front["license"] == "cc-by-4.0"
    assert front["size_categories"] == "n<1K"
    assert front["task_categories"] == ["text-classification"]
    assert front["configs"] == [{"config_name": "default", "data_files": "records.parquet"}]
    assert {"synthetic-data", "gate-pass", "medical"} <= set(front["tags"])
    assert str(card) == path.read_text(encoding="utf-8")
    for part in (
        "Verdict: ✅ PASS",
        "Staffing decisions.",
        "../fidelity.png",
        "## Limits",
        "records.parquet",
    ):
        assert part in card.text


def test_croissant_describes_the_records_and_mlcroissant_reads_them(tmp_path: Path) -> None:
    import mlcroissant

    run = finished_run(tmp_path / "run", recipe_of())
    path = run.croissant
    described = mlcroissant.Dataset(jsonld=str(path))
    assert described.metadata.ctx.issues.errors == set()
    assert [field.name for field in described.metadata.record_sets[0].fields] == [
        "patient", "age", "ward", "note|html", "sick",
    ]  # fmt: skip
    rows = list(described.records("records"))
    assert [row["records/1"] for row in rows] == [1701791, 4479113, 9808913]
    assert [row["records/4"] for row in rows] == [True, False, True]


def test_croissant_detects_changed_records(tmp_path: Path) -> None:
    import mlcroissant

    run = finished_run(tmp_path / "run", recipe_of())
    folder = run.dataset
    (folder / "records.parquet").write_bytes((folder / "records.parquet").read_bytes() + b"PAR1")
    described = mlcroissant.Dataset(jsonld=str(folder / "croissant.json"))
    with pytest.raises(mlcroissant.GenerationError, match=r"records\.parquet"):
        list(described.records("records"))


def test_the_energy_is_an_estimate_that_states_its_assumptions(tmp_path: Path) -> None:
    stages = {
        "finetune": {"wall_seconds": 3600.0, "facts": {"device": "cuda", "processes": 2}},
        "eval": {"wall_seconds": 0.0},
    }
    told = energy(stages)
    assert told is not None
    assert told["kilowatt_hours"] == pytest.approx(0.065 + 2 * 0.4)
    assert (
        "65 W for the host and 400 W for each of 2 accelerators, assumed and not metered"
        in told["assumption"]
    )
    assert energy({"finetune": {}}) is None
    assert "kWh**, an estimate: wall time of all stages at 65 W" in card_of(tmp_path)


def test_a_limit_set_in_the_recipe_is_marked(tmp_path: Path) -> None:
    card = card_of(tmp_path, release={"gates": {"c2st_auc": 0.99, "pairs": 0.8}})
    assert card.count("(limit set in the recipe, not by the profile)") == 1


def test_the_password_of_a_database_is_not_on_the_card(tmp_path: Path) -> None:
    data = {"source": "postgresql://clerk:hunter2@db.internal/ward", "query": "SELECT secret FROM ward"}
    card = card_of(tmp_path, data=data)
    assert "a query on a database" in card
    assert not any(word in card for word in ("hunter2", "clerk", "db.internal", "SELECT"))


def test_a_base_model_in_a_folder_is_named_without_its_path(tmp_path: Path) -> None:
    card = card_of(tmp_path, model={"base": "/home/someone/secret-place/own-model"})
    assert "base_model" not in ModelCard(card).data.to_dict()
    assert "own-model" in card
    assert "secret-place" not in card


def test_statements_of_the_authors_are_quoted_and_separate_from_measurements(tmp_path: Path) -> None:
    card = card_of(tmp_path)
    said = between(card, "## What the authors say", "## What the run measured")
    measured = between(card, "## What the run measured", "## Limits")
    for sentence in (
        "Testing the admission software.",
        "Staffing decisions.",
        "Admissions of 2019",
        "A. Author",
    ):
        assert sentence in said
        assert sentence not in measured
    assert "> \\## Gates that always pass" in said
    assert "**0.532** [0.490, 0.571] | 0.910 | 0.501 | 0.030 | 92%" in measured


@pytest.mark.parametrize(
    ("state", "first"),
    [
        ("PASS", "every gate passes"),
        ("FAIL", "Gates that do not pass: Exact copies (exact_copies)"),
        ("INCONCLUSIVE", "Gates that do not pass: Exact copies (exact_copies)"),
    ],
)
def test_the_card_starts_with_the_verdict(tmp_path: Path, state: str, first: str) -> None:
    opening = between(card_of(tmp_path, state), "# Synthetic ward notes", "## Release gates")
    assert state in opening
    assert first in opening


def test_a_gate_that_can_only_block_a_release_is_marked(tmp_path: Path) -> None:
    gates = between(card_of(tmp_path), "## Release gates", "## What the authors say")
    assert "| C2st auc (c2st_auc) | ✅ PASS | at most 0.750 | c2st_auc is 0.532" in gates
    assert "| C2st auc (twins) | NO OBJECTION | at least 0.400 |" in gates


def test_the_card_lists_what_was_not_measured(tmp_path: Path) -> None:
    missing = between(card_of(tmp_path), "### Not measured", "### Training")
    assert "| Differential privacy | none" in missing
    assert "| Rows alike | not measured: too few records \\| for it |" in missing


def test_what_was_not_measured_for_one_reason_shares_a_row() -> None:
    plain = metrics_of()
    entry = plain["metrics"][-1]
    plain["metrics"].append(entry | {"name": "columns_alike", "title": "Columns alike"})
    plain["metrics"].append(entry | {"name": "texts", "title": "Texts", "reason_not_measured": "no text"})
    found = EvaluationFile.model_validate_json(json.dumps(plain))
    assert unmeasured(found) == [
        ("Rows alike; Columns alike", "too few records | for it"),
        ("Texts", "no text"),
    ]


def test_an_anchor_that_a_metric_does_not_have_is_a_dash(tmp_path: Path) -> None:
    rows = between(card_of(tmp_path), "### Fidelity", "### Utility")
    assert "| Marginals (higher is better) | **0.965** [0.955, 0.975] | 0.600 | 0.970 | - | - |" in rows


def test_a_category_that_reads_like_a_state_changes_no_verdict(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of())
    Schema((Field(name="result", type="category", categories=("PASS", "FAIL", "Exact")),)).save(run.schema)
    published = published_evaluation(run)
    assert published.verdict == "PASS"
    assert {gate.state for gate in published.gates} == {"PASS"}


@pytest.mark.parametrize(
    ("target", "task"),
    [
        ("sick", "tabular-classification"),
        ("grade", "tabular-classification"),
        ("income", "tabular-regression"),
        ("weight", "tabular-regression"),
    ],
)
def test_the_task_follows_from_the_values_of_the_target(target: str, task: str) -> None:
    schema = Schema(
        (
            Field(name="sick", type="boolean"),
            Field(name="grade", type="integer", minimum=1, maximum=5),
            Field(name="income", type="integer", minimum=0, maximum=100_000),
            Field(name="weight", type="number", minimum=0.0, maximum=9.0, decimals=1),
        )
    )
    recipe = recipe_of(data={"source": "x.csv", "target": target})
    assert data_card_data(recipe, schema, "PASS", rows=3).task_categories == [task]
    results = eval_results(recipe, schema, evaluation_of())
    assert {each.task_type for each in results} == {"other"}


@pytest.mark.parametrize(("method", "tag"), [("lora", "lora"), ("full", "full-finetune")])
def test_the_tags_name_the_method_of_training(tmp_path: Path, method: str, tag: str) -> None:
    tags = ModelCard(card_of(tmp_path, finetune={"method": method})).data.tags or []
    assert [each for each in tags if each in ("lora", "full-finetune")] == [tag]


def test_the_split_is_described(tmp_path: Path) -> None:
    split = between(card_of(tmp_path), "### The data and its split", "### Fidelity")
    assert (
        "The records were read from CSV files, without 1 of its columns. They were split by subject (column `patient`), stratified on `sick`"
        in split
    )
    assert "1 of 9 rows is a copy of another row, and 2 pairs of texts are near-duplicates" in split
    assert (
        "A value outside the domains of the training records occurs in 1 control and 0 test records" in split
    )
    assert "| train | 3 |" in split


@pytest.mark.parametrize(("groups", "apart"), [(95, False), (96, True), (None, None)])
def test_copies_in_different_splits_are_detected(groups: int | None, apart: bool | None) -> None:
    stages = {"records": {"facts": {"rows": {"all": 100}, "exact_duplicates": 5, "groups": groups}}}
    assert division(stages)["apart"] is apart


def test_the_card_states_training_facts_and_marks_missing_ones(tmp_path: Path) -> None:
    training = between(card_of(tmp_path), "### Training", "### Generation")
    assert "stopped at epoch 3 of at most 8: control bits per record rose while train bits fell" in training
    assert "**41.2** at the best evaluation (epoch 2); 60.2 at the first, 43.5 at the last" in training
    assert "| trainable parameters | 1,536 |" in training
    assert "| tokens per second | not measured |" in training
    assert "| base weights | not recorded |" in training


def test_the_card_marks_statements_that_the_recipe_lacks(tmp_path: Path) -> None:
    said = between(card_of(tmp_path, card={}), "## What the authors say", "## What the run measured")
    assert said.count("> (Not stated in the recipe.)") == 3
    assert (
        "**Licence of the adapter:** not stated (`other`) (the licence of the data was not stated; inherited from"
        in said
    )


def test_the_stage_is_not_repeated_until_its_inputs_change(tmp_path: Path) -> None:
    recipe = recipe_of()
    run = finished_run(tmp_path / "run", recipe)
    assert write_card(recipe=recipe, run=run) is False
    assert write_card(recipe=recipe_of(description="Another sentence."), run=run) is True
    assert "Another sentence." in run.card.read_text(encoding="utf-8")


def test_a_run_without_an_evaluation_gets_no_card(tmp_path: Path) -> None:
    with pytest.raises(RunError, match="needs a finished records stage"):
        write_card(recipe=recipe_of(), run=Run.create(tmp_path / "run"))


def test_metrics_of_an_unknown_layout_are_refused(tmp_path: Path) -> None:
    recipe = recipe_of()
    run = finished_run(tmp_path / "run", recipe)
    run_if_stale(
        run,
        "eval",
        {"state": "new"},
        lambda: (
            run.evaluation.mkdir(exist_ok=True)
            or (run.metrics.write_text(json.dumps({"schema_version": 99})) and None)
        ),
    )
    with pytest.raises(RunError, match="schema_version 99"):
        write_card(recipe=recipe, run=run)


@pytest.mark.parametrize(
    ("states", "verdict"),
    [
        ([], "INCONCLUSIVE"),
        (["PASS"], "PASS"),
        (["PASS", "INCONCLUSIVE"], "INCONCLUSIVE"),
        (["INCONCLUSIVE", "FAIL", "PASS"], "FAIL"),
        (["PASS", "pass"], "INCONCLUSIVE"),
    ],
)
def test_the_worst_gate_is_the_verdict(states: list[str], verdict: str) -> None:
    assert verdict_of_states(states) == verdict


def test_numbers_are_formatted_for_readers() -> None:
    assert [figure(value) for value in (None, 0.98765, 0.0, 12, 1628160, 12345.6, 0.00012)] == [
        "not measured",
        "0.988",
        "0",
        "12",
        "1,628,160",
        "12,346",
        "0.00012",
    ]
    assert [duration(value) for value in (None, 3.21, 75, 7300)] == [
        "not measured",
        "3.2 s",
        "1 min 15 s",
        "2 h 1 min",
    ]
    assert cell("a|b\n<script>") == "a\\|b &lt;script>"
    assert cell("![x](https://example.org/p.png)") == "\\!\\[x\\](https://example.org/p.png)"
    assert quoted("one\n\n# two") == "> one\n>\n> \\# two"


@pytest.mark.parametrize(
    ("source", "kind"),
    [
        ("sample:heart", "the sample `heart`"),
        ("hf://org/name", "the Hub data set `org/name`"),
        ("sqlite:///x/y.db", "a query on a database"),
        ("../a/*.jsonl.gz", "JSONL files"),
        ("C:/data/x.csv", "CSV files"),
    ],
)
def test_a_source_is_described_without_its_path(source: str, kind: str) -> None:
    assert source_kind(source) == kind


def test_the_card_counts_personal_data_that_was_replaced_before_training(tmp_path: Path) -> None:
    assert "Personal data before training" not in card_of(tmp_path)
    run = Run(tmp_path / "run")
    journal = run.journal.read()
    journal["stages"]["records"]["facts"]["pii"] = {
        "action": "replace",
        "columns": [{"column": "patient_name", "kind": "name", "cells": 60, "share": 1.0, "by": "name"}],
        "texts": {"note": {"date": 4, "name": 20}, "letter": {"name": 3}},
        "detectors": ["cells", "presidio-analyzer 2.2.366"],
    }
    run.journal.write(journal)
    assert write_card(recipe=recipe_of(), run=run)
    told = between(run.card.read_text(encoding="utf-8"), "### Personal data before training", "### Training")
    assert "**replaced by invented values**" in told
    assert "1 column (patient_name: name), and in texts 4 x date, 23 x name." in told
    assert "presidio-analyzer 2.2.366" in told
