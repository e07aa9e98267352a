"""The generate stage under every strategy, with tiny models: conditions, rules, uniqueness, copies, imputation, processes, kills, engines."""

import os
import random
import shutil
import signal
import subprocess
import sys
import time
import types
from collections import Counter
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import llguidance
import numpy as np
import pandas as pd
import pytest
from tiny_models import save_tiny_llama

from paracosm.foundation.errors import DataError, ModelError, RecipeError
from paracosm.generate.engines.blocks import BlockGenerator, GenerationJob
from paracosm.generate.imputation import impute
from paracosm.generate.stage import sample
from paracosm.pipeline import run_stages
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.open_run import open_run
from paracosm.recipes.run.record_set import RecordSet
from paracosm.recipes.sections.rules import Rules
from paracosm.records.constraints.rules import kept_relations
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, to_records

RECIPE = """\
name: tiny
data:
  source: people.csv
  target: ill
  split: {{control: 0.2, test: 0.2}}
  fields: {{id: {{type: identifier, fresh: true}}}}
model: {{base: "{base}", dtype: float32}}
finetune: {{rank: 4, learning_rate: 0.01, epochs: 1, patience: null, order: {order}, warmup_steps: 2, smoothing: 0}}
generate: {{records: 96, batch_size: 16}}
"""


STRATEGIES = {
    "fixed": "",
    "shuffled": "",
    "forest": "strategy: statistical\n",
    "copula": "strategy: statistical\nstatistical: {method: copula}\n",
    "marginals": "strategy: statistical\nstatistical: {method: marginals}\n",
    "combined": "strategy: combined\n",
}
"""Name of a run -> the lines of its recipe; `fixed` and `shuffled` are orders of the columns in training."""


@pytest.fixture(params=["shuffled", "forest", "copula", "marginals", "combined"])
def kind(request: pytest.FixtureRequest) -> str:
    """Name of a run of each strategy."""
    return request.param


def people(rows: int, seed: int) -> pd.DataFrame:
    random_numbers = np.random.default_rng(seed)
    start = [date(2020, 1, 1) + timedelta(days=int(day)) for day in random_numbers.integers(0, 700, rows)]
    dose = random_numbers.integers(5, 40, rows) / 10
    return pd.DataFrame(
        {
            "id": [f"P{number:04d}" for number in range(rows)],
            "age": random_numbers.integers(20, 90, rows),
            "sex": random_numbers.choice(["Male", "Female"], rows),
            "dose": [f"{value:.1f}" for value in dose],
            "start": start,
            "end": [
                day + timedelta(days=int(stay))
                for day, stay in zip(start, random_numbers.integers(0, 40, rows), strict=True)
            ],
            "total": [f"{2 * value:.1f}" for value in dose],
            "ill": np.where(random_numbers.random(rows) < 0.1, "yes", "no"),
        }
    )


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("generation")
    base = save_tiny_llama(folder / "model")
    people(200, 0).to_csv(folder / "people.csv", index=False)
    notes = np.random.default_rng(1).choice(["was late", "is well", "came alone"], 200)
    people(200, 0).assign(note=[f"{note} {number % 7}" for number, note in enumerate(notes)]).to_csv(
        folder / "noted.csv", index=False
    )
    for name, strategy in STRATEGIES.items():
        text = RECIPE.format(base=base, order="shuffled" if name == "shuffled" else "fixed") + strategy
        if name == "combined":
            text = text.replace("people.csv", "noted.csv").replace(
                "fields: {", "fields: {note: {type: text}, "
            )
        (folder / f"{name}.yaml").write_text(text)
        run_stages(open_run(folder / f"{name}.yaml", [], folder / name), last="finetune")
    return folder


def recipe_with(trained: Path, order: str, **sections: dict[str, Any]) -> Recipe:
    """Return the recipe of a trained run with other keys in some sections."""
    plain = load_recipe(trained / f"{order}.yaml").model_dump(mode="json")
    return Recipe.model_validate(plain | {name: plain[name] | keys for name, keys in sections.items()})


def generated(
    trained: Path, order: str, name: str, lines: list[str] | None = None, **sections: dict[str, Any]
) -> tuple[pd.DataFrame, dict[str, Any]]:
    """Generate in a copy of the run; return the records and the facts of the stage."""
    run = Run(trained / f"{order}-{name}")
    shutil.copytree(trained / order, run.root)
    progress = [].append if lines is None else lines.append
    sample(recipe=recipe_with(trained, order, **sections), run=run, root=trained, progress=progress)
    schema = Schema.load(run.schema)
    parts = [read_table(path, schema) for path in sorted(run.synthetic.glob("*.parquet"))]
    return pd.concat(parts, ignore_index=True), run.journal.stage("generate")["facts"]


def test_conditions_quotas_rules_and_derived_fields_hold_for_every_record(trained: Path, kind: str) -> None:
    lines: list[str] = []
    table, facts = generated(
        trained,
        kind,
        "ruled",
        lines,
        generate={"where": {"sex": "Male"}, "quotas": {"ill": "balanced"}},
        rules={
            "checks": ["end >= start", "end - start <= 60", "if ill == True then age >= 40"],
            "derived": {"total": "2 * dose"},
        },
    )
    assert len(table) == 96
    assert set(table["sex"]) == {"Male"}
    assert Counter(table["ill"]) == {True: 48, False: 48}
    assert (table["end"] >= table["start"]).all()
    assert ((table["end"] - table["start"]).dt.days <= 60).all()
    assert (table.loc[table["ill"], "age"] >= 40).all()
    np.testing.assert_allclose(table["total"], 2 * table["dose"], atol=0.051)
    assert table["id"].is_unique
    assert any(line.startswith("training records: rule 'if ill == True then age >= 40':") for line in lines)
    assert facts["attempts"] >= 96


def test_a_quota_of_one_value_leaves_the_other_records_the_other_values(trained: Path, kind: str) -> None:
    table, _ = generated(trained, kind, "share", generate={"quotas": {"ill": {"yes": 0.25}}})
    assert Counter(table["ill"]) == {True: 24, False: 72}


def test_partial_records_of_a_file_are_completed(trained: Path, kind: str) -> None:
    (trained / "seeds.csv").write_text("age,end\n33,2020-05-05\n44,\n,2021-01-01\n")
    order = {"order": ["dose"]} if kind == "shuffled" else {}
    table, _ = generated(trained, kind, "seeded", generate={"seeds": "seeds.csv", "records": 9} | order)
    assert table["age"].tolist()[:2] == [33, 44] == table["age"].tolist()[3:5]
    assert table["end"].astype(str).tolist()[2::3] == ["2021-01-01"] * 3


@pytest.mark.parametrize(
    "data",
    [
        {"source": "sqlite:///people.db", "query": "select * from people"},
        {"limit": 2},
    ],
    ids=["a query", "a limit"],
)
def test_query_and_limit_of_the_source_do_not_apply_to_partial_records(
    trained: Path, kind: str, data: dict[str, Any]
) -> None:
    (trained / "ages.csv").write_text("age\n" + "".join(f"{age}\n" for age in range(30, 60)))
    name = "counted-" + "-".join(data)
    table, _ = generated(trained, kind, name, data=data, generate={"seeds": "ages.csv", "records": None})
    assert table["age"].tolist() == list(range(30, 60))


def test_partial_records_are_found_beside_the_recipe_or_in_the_current_folder(
    trained: Path, kind: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "here.csv").write_text("age\n44\n45\n")
    monkeypatch.chdir(tmp_path)
    recipe = recipe_with(trained, kind, generate={"seeds": "here.csv", "records": None})
    run = Run(trained / f"{kind}-here")
    shutil.copytree(trained / kind, run.root)

    def ages() -> list[int]:
        return read_table(run.shard(0), Schema.load(run.schema))["age"].tolist()

    assert sample(recipe=recipe, run=run, progress=lambda _: None)
    assert ages() == [44, 45]
    assert not sample(recipe=recipe, run=run, progress=lambda _: None)
    # As many records as before, so that only the digest of the file differs.
    (tmp_path / "here.csv").write_text("age\n46\n47\n")
    assert sample(recipe=recipe, run=run, progress=lambda _: None)
    assert ages() == [46, 47]
    (trained / "here.csv").write_text("age\n48\n")
    assert sample(recipe=recipe, run=run, progress=lambda _: None)
    assert ages() == [48]
    (trained / "here.csv").unlink()
    (tmp_path / "here.csv").unlink()
    with pytest.raises(DataError, match=r"here\.csv: there is no such file"):
        sample(recipe=recipe, run=run, progress=lambda _: None)


def test_a_fixed_order_redraws_for_late_conditions_and_advises_a_shuffled_order(trained: Path) -> None:
    table, facts = generated(trained, "fixed", "late", generate={"where": {"ill": False}, "records": 32})
    assert not table["ill"].any()
    assert facts["refused"].keys() <= {"the condition on 'ill'"}
    with pytest.raises(DataError, match=r"refused 1?\d\d\.\d%.*finetune\.order=shuffled"):
        generated(trained, "fixed", "rare", generate={"where": {"total": 4.2}, "records": 16, "attempts": 5})


@pytest.mark.parametrize(
    ("sections", "message"),
    [
        ({"generate": {"where": {"sexx": "Male"}}}, "did you mean 'sex'"),
        ({"generate": {"where": {"sex": "Mael"}}}, "did you mean 'Male'"),
        ({"generate": {"where": {"age": 200}}}, "outside the domain of the field; allowed: 20"),
        ({"generate": {"quotas": {"dose": "balanced"}}}, "a quota needs categories"),
        ({"generate": {"quotas": {"ill": {"yes": 0.7, "no": 0.7}}}}, "the shares add up to 1.4"),
        ({"generate": {"where": {"ill": True}, "quotas": {"ill": "balanced"}}}, "is fixed by generate.where"),
        ({"rules": {"checks": ["agee > 3"]}}, "did you mean 'age'"),
    ],
)
def test_a_wrong_condition_raises_and_keeps_the_earlier_records(
    trained: Path, kind: str, sections: dict, message: str
) -> None:
    run = Run(trained / kind)
    before = sorted(run.root.rglob("*"))
    with pytest.raises(RecipeError, match=message):
        sample(
            recipe=recipe_with(trained, kind, **sections),
            run=run,
            root=trained,
            progress=lambda _: None,
        )
    assert sorted(run.root.rglob("*")) == before


def test_unique_groups_are_unique_over_all_shards_and_too_few_values_raise(trained: Path, kind: str) -> None:
    table, facts = generated(
        trained, kind, "unique", rules={"unique": [["age", "sex"]]}, generate={"records": 60}
    )
    assert not table.duplicated(["age", "sex"]).any()
    assert facts["repetitions_redrawn"] > 0
    with pytest.raises(DataError, match=r"rules\.unique: \d+ of \d+ records still repeat"):
        generated(trained, kind, "twice", rules={"unique": [["sex", "ill"]]})


# A record of `combined` is only a copy if its text, which is drawn, is the same.
@pytest.mark.parametrize("kind", ["shuffled", "forest", "copula", "marginals"])
def test_the_copy_filter_replaces_copies_and_counts_them(trained: Path, kind: str) -> None:
    run = Run(trained / kind)
    schema = Schema.load(run.schema)
    first = to_records(read_table(run.split("train"), schema), schema)[0]
    where = {name: first[name] for name in ("age", "dose", "total")}
    where |= {name: schema[name].write(first[name]) for name in ("sex", "start", "end")}
    lines: list[str] = []
    table, facts = generated(
        trained, kind, "copies", lines, generate={"where": where, "records": 24, "drop_copies": "exact"}
    )
    assert (table["ill"] != first["ill"]).all()
    assert facts["refused"]["the copy filter (exact)"] > 0
    assert any("cannot see" in line for line in lines)


def test_missing_cells_are_filled_and_known_ones_are_kept(trained: Path) -> None:
    recipe, run = recipe_with(trained, "shuffled"), Run(trained / "shuffled")
    table = people(40, 1).astype(object)
    missing = np.random.default_rng(0).random(table.shape) < 0.3
    missing[:, 0] = False
    table = table.mask(missing)
    table.loc[3, "age"] = 999
    table.to_csv(trained / "partial.csv", index=False)
    lines: list[str] = []
    first, second = impute(
        recipe=recipe,
        run=run,
        table=trained / "partial.csv",
        out=trained / "full.csv",
        times=2,
        progress=lines.append,
    )
    before = pd.read_csv(trained / "partial.csv", dtype=str)
    filled, other = (pd.read_csv(path, dtype=str) for path in (first, second))
    assert list(filled) == list(before)
    assert not filled.isna().any().any()
    known = before.notna()
    assert (filled[known].fillna("") == before[known].fillna("")).all().all()
    assert not filled.equals(other)
    assert any("999" not in line and "training never saw" in line for line in lines)
    with pytest.raises(DataError, match=r"finetune\.order=shuffled"):
        impute(
            recipe=recipe_with(trained, "fixed"),
            run=Run(trained / "fixed"),
            table=trained / "partial.csv",
            out=trained / "never.csv",
        )
    assert not (trained / "never.csv").exists()


def command(trained: Path, kind: str, name: str, *launch: str) -> list[str]:
    shutil.copytree(trained / kind, trained / name, dirs_exist_ok=True)
    return [
        sys.executable,
        "-m",
        *launch,
        "paracosm.generate",
        str(trained / name),
        "generate.records=240",
        "generate.batch_size=8",
        "generate.quotas.ill=balanced",
        "rules.checks=[end >= start]",
    ]


ENVIRONMENT = {"OMP_NUM_THREADS": "1", "ACCELERATE_USE_CPU": "true", "HF_HUB_OFFLINE": "1"}


def shards(folder: Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in sorted((folder / "synthetic").iterdir())}


def test_two_processes_and_three_kills_give_the_bytes_of_one_undisturbed_process(
    trained: Path, kind: str
) -> None:
    environment = os.environ | ENVIRONMENT
    options: dict[str, Any] = {"env": environment, "cwd": trained, "capture_output": True, "text": True}
    single = subprocess.run(command(trained, kind, f"{kind}-single"), **options)
    assert single.returncode == 0, single.stderr[-2000:]
    expected = shards(trained / f"{kind}-single")
    assert len(expected) == 8

    launch = ("accelerate.commands.launch", "--multi_gpu", "--num_processes", "2", "--num_machines", "1")
    parallel = subprocess.run(
        command(
            trained,
            kind,
            f"{kind}-parallel",
            *launch,
            "--mixed_precision",
            "no",
            "--dynamo_backend",
            "no",
            "-m",
        ),
        **options,
    )
    assert parallel.returncode == 0, parallel.stderr[-2000:]
    assert Run(trained / f"{kind}-parallel").journal.stage("generate")["facts"]["processes"] == 2
    assert shards(trained / f"{kind}-parallel") == expected

    delays, killed = random.Random(0), 0
    resumed = command(trained, kind, f"{kind}-killed")
    for _ in range(3):
        process = subprocess.Popen(
            resumed, env=environment, cwd=trained, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
        )
        existing = set((trained / f"{kind}-killed").glob("synthetic/*.parquet"))
        while (
            process.poll() is None
            and set((trained / f"{kind}-killed").glob("synthetic/*.parquet")) == existing
        ):
            time.sleep(0.01)
        time.sleep(delays.random() * 0.2)
        killed += process.poll() is None
        process.send_signal(signal.SIGKILL)
        process.wait()
    subprocess.run(resumed, check=True, **options)
    assert killed >= 2
    assert shards(trained / f"{kind}-killed") == expected


class FakeLlm:
    """Stand-in for vLLM: takes its documented arguments and draws uniformly under the given grammar."""

    def __init__(self, generator: BlockGenerator) -> None:
        self.tokenizer = generator.strategy.adapted.masks.tokenizer
        self.end = generator.strategy.codec.tokenizer.eos_token_id
        self.random = np.random.default_rng(0)

    def generate(self, prompts: list[dict], params: list[Any], *, use_tqdm: bool) -> list[Any]:
        return [self._one(settings.structured_outputs.grammar, settings.max_tokens) for settings in params]

    def _one(self, grammar: str, most: int) -> Any:
        matcher = llguidance.LLMatcher(self.tokenizer, llguidance.LLMatcher.grammar_from_lark(grammar))
        assert not matcher.is_error(), matcher.get_error()
        ids: list[int] = []
        while not matcher.is_accepting() and len(ids) < most:
            bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8), bitorder="little")
            ids.append(int(self.random.choice(np.flatnonzero(bits))))
            assert matcher.consume_token(ids[-1])
        return types.SimpleNamespace(outputs=[types.SimpleNamespace(token_ids=(*ids, self.end))])


@pytest.mark.parametrize("order", ["fixed", "shuffled"])
def test_vllm_gets_the_grammar_and_the_given_values_and_its_records_are_checked(
    trained: Path, order: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    vllm, params = types.ModuleType("vllm"), types.ModuleType("vllm.sampling_params")
    vllm.__spec__ = types.SimpleNamespace(name="vllm")  # type: ignore[assignment]
    vllm.SamplingParams = params.StructuredOutputsParams = types.SimpleNamespace  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "vllm", vllm)
    monkeypatch.setitem(sys.modules, "vllm.sampling_params", params)
    from paracosm.generate.engines.vllm import VllmEngine, merged

    first = {"age": 50} if order == "fixed" else {"ill": True}
    recipe = recipe_with(trained, order, generate={"where": first}, rules={"checks": ["dose < 3"]})
    generator = BlockGenerator(GenerationJob(recipe, trained / order, trained, 30))
    engine = VllmEngine(generator)
    engine.__dict__["llm"] = FakeLlm(generator)
    blocks = list(engine.generate(range(len(generator.blocks))))
    records = [record for block in blocks for (record,) in block.records]
    assert len(records) == 30
    assert all(generator.strategy.codec.schema.allows(record) and record["dose"] < 3 for record in records)
    assert all(record[name] == value for record in records for name, value in first.items())
    assert sum(block.tally.refusals["rule 'dose < 3'"] for block in blocks) > 0
    folder = merged(generator)
    assert (folder / "config.json").is_file()
    assert (folder / "tokenizer.json").is_file()


def test_a_missing_engine_raises_with_the_install_command(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import importlib.util

    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    from paracosm.generate.engines.engine import engine_of

    for name in ("ray", "vllm"):
        job = GenerationJob(
            recipe_with(trained, "shuffled", generate={"engine": name}), trained / "shuffled", trained, 4
        )
        with pytest.raises(ModelError, match=rf"pip install 'paracosm\[{name}\]'"):
            engine_of(job, BlockGenerator(job))


def test_a_ray_cluster_of_two_nodes_gives_the_bytes_of_one_process(
    trained: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ray = pytest.importorskip("ray")
    from ray.cluster_utils import Cluster

    # Ray's workers have a low priority by default, so on a busy machine they hardly run.
    monkeypatch.setenv("RAY_worker_niceness", "0")
    # Ray's workers import from the driver's folder first, where a checkout would hide the installed package.
    monkeypatch.chdir(trained)
    one, _ = generated(trained, "shuffled", "alone")
    cluster = Cluster(initialize_head=True, head_node_args={"num_cpus": 2, "include_dashboard": False})
    try:
        cluster.add_node(num_cpus=2)
        ray.init(address=cluster.address, log_to_driver=False)
        two, facts = generated(trained, "shuffled", "cluster", generate={"engine": "ray"})
        assert sum(node["Alive"] for node in ray.nodes()) == 2
    finally:
        ray.shutdown()
        cluster.shutdown()
    assert facts["engine"] == "ray"
    pd.testing.assert_frame_equal(one, two)
    assert shards(trained / "shuffled-alone") == shards(trained / "shuffled-cluster")


@pytest.mark.parametrize("order", STRATEGIES)
def test_relations_of_the_training_records_hold_in_all_records(trained: Path, order: str) -> None:
    run = Run.create(trained / order)
    schema = Schema.load(run.schema)
    relations = kept_relations(Rules(), schema)
    assert {"end >= start", "total == 2 * dose"} <= set(relations.lines)
    folder = RecordSet(trained / f"{order}-relations")
    sample(recipe=recipe_with(trained, order), run=run, root=trained, into=folder, progress=lambda _: None)
    records = to_records(read_table(folder.shard(0), schema), schema)
    assert len(records) >= 16
    assert set(relations.counts(records).values()) == {0}
