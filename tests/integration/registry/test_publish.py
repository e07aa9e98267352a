"""From a finished run to a published version and back: the release gate, concurrent publishers, a killed publisher."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import finished_run as stages
import numpy as np
import pandas as pd
import pytest
from finished_run import MARK, finished_run, recipe_of, without_examples
from huggingface_hub import DatasetCard, ModelCard

import paracosm.registry
from paracosm.eval.evaluation import rule_on
from paracosm.eval.measure_tables import measure
from paracosm.foundation.errors import RegistryError, RunError
from paracosm.recipes.run.directory import Run
from paracosm.recipes.run.stage import output_digests, run_if_stale
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.records.schema.schema import Field, Schema
from paracosm.registry.card.stage import write_card
from paracosm.registry.pulled import as_run
from paracosm.registry.versions.manifest import Override


def passing(tmp_path: Path) -> Run:
    return finished_run(tmp_path / "run", recipe_of())


def url_of(tmp_path: Path) -> str:
    return f"file:{tmp_path / 'store'}"


def test_publish_list_show_verify_pull(tmp_path: Path) -> None:
    run, url = passing(tmp_path), url_of(tmp_path)
    version = paracosm.registry.publish(run=run, url=url)
    assert (version.reference, version.verdict, version.override) == ("ward-notes@v1", "PASS", None)
    assert paracosm.registry.publish(run=run.root, url=url).number == 2
    assert [version.reference for version in paracosm.registry.list_versions(url=url)] == [
        "ward-notes@v1",
        "ward-notes@v2",
    ]
    assert paracosm.registry.verify(name="ward-notes@v1", url=url).files == version.files
    details = paracosm.registry.show(name="ward-notes", url=url)
    assert details.card == run.card.read_text(encoding="utf-8")
    measured = json.loads(run.metrics.read_text(encoding="utf-8"))
    assert [each.value for each in details.metrics.metrics] == [each["value"] for each in measured["metrics"]]
    assert details.metrics.distributions is None
    pulled = paracosm.registry.pull(name="ward-notes@v2", into=tmp_path / "pulled", url=url)
    assert (pulled / "adapter_model.safetensors").read_bytes() == (
        run.adapter / "adapter_model.safetensors"
    ).read_bytes()


def test_a_version_holds_no_record_and_no_path_of_this_machine(tmp_path: Path) -> None:
    folder = paracosm.registry.publish(run=passing(tmp_path), url=url_of(tmp_path)).folder
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()) == [
        "README.md", "adapter_config.json", "adapter_model.safetensors", "base.json", "codec.json",
        "dataset/README.md", "dataset/croissant.json", "dataset/records.parquet", "fidelity.png", "leakage.png",
        "manifest.json", "metrics.json", "provenance.json", "report.html", "schema.json", "utility.png",
    ]  # fmt: skip
    for path in filter(Path.is_file, folder.rglob("*")):
        content = path.read_bytes()
        assert b"secret-place" not in content
        assert b" train 0" not in content
        # The codec needs the domains, the cards show synthetic records, and so does the table.
        assert path.name in ("schema.json", "records.parquet", "README.md") or MARK.encode() not in content, (
            path
        )
    assert (
        json.loads((folder / "adapter_config.json").read_text())["base_model_name_or_path"]
        == "HuggingFaceTB/SmolLM2-135M-Instruct"
    )


def test_records_alone_are_published_without_anything_of_the_model(tmp_path: Path) -> None:
    run, url = finished_run(tmp_path / "run", recipe_of(release={"what": "records"})), url_of(tmp_path)
    version = paracosm.registry.publish(run=run, url=url)
    assert version.what == "records"
    assert sorted(version.files) == [
        "README.md", "dataset/README.md", "dataset/croissant.json", "dataset/records.parquet",
        "fidelity.png", "leakage.png", "metrics.json", "provenance.json", "report.html", "utility.png",
    ]  # fmt: skip
    pulled = paracosm.registry.pull(name="ward-notes", into=tmp_path / "pulled", url=url)
    with pytest.raises(RegistryError, match="releases records alone, so nothing can be generated") as refused:
        as_run(pulled, run=tmp_path / "again")
    assert "\n" not in str(refused.value)
    assert not (tmp_path / "again").exists()


def test_the_adapter_alone_is_published_without_records(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of(release={"what": "adapter"}))
    files = paracosm.registry.publish(run=run, url=url_of(tmp_path)).files
    assert "adapter_model.safetensors" in files
    assert not [name for name in files if name.startswith("dataset/")]


@pytest.mark.parametrize("state", ["FAIL", "INCONCLUSIVE"])
def test_a_run_that_does_not_pass_is_refused(tmp_path: Path, state: str) -> None:
    run = finished_run(tmp_path / "run", recipe_of(), state)
    with pytest.raises(RegistryError, match=f"the verdict is {state} .Exact copies .exact_copies. {state}"):
        paracosm.registry.publish(run=run, url=url_of(tmp_path))
    with pytest.raises(RegistryError, match="must not be empty"):
        paracosm.registry.publish(run=run, url=url_of(tmp_path), override="  ")
    assert not (tmp_path / "store").exists()


def test_an_override_is_on_the_first_screen_of_the_cards(tmp_path: Path) -> None:
    run = finished_run(tmp_path / "run", recipe_of(), "FAIL")
    version = paracosm.registry.publish(
        run=run, url=url_of(tmp_path), override="Only for\nthe red team\x1b[2J", by="R. Evans"
    )
    assert version.override == Override("Only for the red team[2J", "R. Evans")
    card = ModelCard.load(version.folder / "README.md")
    first_screen = card.text.lstrip().splitlines()[:6]
    assert first_screen[0] == "# Synthetic ward notes"
    assert (
        "**Published against its verdict (FAIL).** Gates that do not pass: Exact copies (exact_copies) FAIL."
        in first_screen[2]
    )
    assert "R. Evans: “Only for the red team\\[2J”" in first_screen[4]
    assert "gate-overridden" in (card.data.tags or [])
    assert len(card.data.eval_results or []) == 7
    records = DatasetCard.load(version.folder / "dataset" / "README.md")
    assert "Published against its verdict (FAIL)" in records.text.lstrip().splitlines()[2]
    assert {"gate-fail", "gate-overridden"} <= set(records.data.tags)
    assert "Published against" not in run.card.read_text(encoding="utf-8")
    assert paracosm.registry.verify(name="ward-notes", url=url_of(tmp_path)).verdict == "FAIL"


def better_metrics(run: Run) -> None:
    run.metrics.write_text(run.metrics.read_text().replace("FAIL", "PASS"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (better_metrics, r"eval/metrics\.json: is not as the eval stage left it"),
        (
            lambda run: run.card.write_text("# All is well\n"),
            r"card/README\.md: is not as the card stage left it",
        ),
        (
            lambda run: (run.adapter / "train.parquet").write_text(""),
            r"adapter/train\.parquet: is not as the finetune stage left it",
        ),
    ],
)
def test_a_run_that_was_changed_by_hand_is_not_published(tmp_path: Path, change, message: str) -> None:
    run = finished_run(tmp_path / "run", recipe_of(), "FAIL")
    change(run)
    with pytest.raises(RunError, match=message):
        paracosm.registry.publish(run=run, url=url_of(tmp_path), override="reason")


def test_a_card_of_an_earlier_evaluation_is_not_published(tmp_path: Path) -> None:
    run = passing(tmp_path)
    run_if_stale(run, "eval", {"again": 1}, lambda: stages._evaluate(run, "FAIL"))
    with pytest.raises(RegistryError, match="describes an earlier adapter, evaluation or set of records"):
        paracosm.registry.publish(run=run, url=url_of(tmp_path), override="reason")


@pytest.mark.parametrize("name", ["training_args.bin", "optimizer.pt", "train.parquet"])
def test_an_adapter_with_a_pickle_or_records_is_refused(tmp_path: Path, name: str) -> None:
    recipe, run = recipe_of(), passing(tmp_path)
    run_if_stale(
        run,
        "finetune",
        {"again": 1},
        lambda: stages._finetune(run) | ((run.adapter / name).write_bytes(b"\x80\x04.") and {}),
    )
    write_card(recipe=recipe, run=run)
    with pytest.raises(RegistryError, match=f"{name}: is of a kind that is never published"):
        paracosm.registry.publish(run=run, url=url_of(tmp_path))
    assert list((tmp_path / "store" / "ward-notes").iterdir()) == []


@pytest.mark.parametrize(
    "url", ["hf://", "mlflow:host", "file:", "file://host/x", "s3://bucket", "s3:bucket"]
)
def test_an_unknown_registry_is_named(tmp_path: Path, url: str) -> None:
    with pytest.raises(RegistryError, match="is not a registry URL"):
        paracosm.registry.publish(run=passing(tmp_path), url=url)


@pytest.mark.parametrize("url", ["file:{}/a store", "file://{}/a%20store", "{}/a store"])
def test_a_folder_is_a_registry_in_every_form_of_url(tmp_path: Path, url: str) -> None:
    assert (
        paracosm.registry.publish(run=passing(tmp_path), url=url.format(tmp_path)).folder
        == tmp_path / "a store" / "ward-notes" / "v1"
    )


def test_the_default_store_is_in_the_current_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run = passing(tmp_path)
    monkeypatch.chdir(tmp_path)
    paracosm.registry.publish(run=run)
    assert (tmp_path / "paracosm-registry" / "ward-notes" / "v1" / "README.md").is_file()


PUBLISH = "import sys; from pathlib import Path; import paracosm.registry; print(paracosm.registry.publish(run=Path(sys.argv[1]), url=sys.argv[2]).number)"


def publisher(run: Run, url: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-c", PUBLISH, str(run.root), url], stdout=subprocess.PIPE, text=True
    )


def test_ten_concurrent_publishers_get_ten_versions(tmp_path: Path) -> None:
    run, url = passing(tmp_path), url_of(tmp_path)
    publishers = [publisher(run, url) for _ in range(10)]
    numbers = sorted(int(process.communicate(timeout=120)[0]) for process in publishers)
    assert numbers == list(range(1, 11))
    assert [
        paracosm.registry.verify(name=f"ward-notes@{number}", url=url).number for number in numbers
    ] == numbers
    assert not list((tmp_path / "store").rglob(".incoming-*"))


def test_a_killed_publisher_leaves_only_complete_versions(tmp_path: Path) -> None:
    run, url = passing(tmp_path), url_of(tmp_path)
    paracosm.registry.publish(run=run, url=url)
    for delay in (0.0, 0.001, 0.003):
        victim = publisher(run, url)
        shelf, already = (
            tmp_path / "store" / "ward-notes",
            len(list((tmp_path / "store" / "ward-notes").iterdir())),
        )
        while victim.poll() is None and len(list(shelf.iterdir())) == already:
            time.sleep(0.0002)
        time.sleep(delay)
        os.kill(victim.pid, signal.SIGKILL)
        victim.communicate()
        for version in paracosm.registry.list_versions(url=url):
            paracosm.registry.verify(name=version.reference, url=url)
    after = paracosm.registry.publish(run=run, url=url)
    assert after.number == len(paracosm.registry.list_versions(url=url))


def test_a_killed_pull_leaves_no_folder_of_that_name(tmp_path: Path) -> None:
    url = url_of(tmp_path)
    paracosm.registry.publish(run=passing(tmp_path), url=url)
    code = (
        "import os, signal, sys, pathlib, paracosm.registry.verbs as verbs\n"
        "verbs.check_version = lambda version: os.kill(os.getpid(), signal.SIGKILL)\n"
        "verbs.pull(name='ward-notes', into=pathlib.Path(sys.argv[1]), url=sys.argv[2])\n"
    )
    into = tmp_path / "here" / "notes"
    victim = subprocess.run([sys.executable, "-c", code, str(into), url])
    assert victim.returncode == -signal.SIGKILL
    (left,) = into.parent.iterdir()
    assert left.name.startswith(".incoming-")
    assert paracosm.registry.pull(name="ward-notes", into=into, url=url) == into
    long_ago = time.time() - 2 * 86400
    os.utime(left, (long_ago, long_ago))
    paracosm.registry.pull(name="ward-notes", into=into.with_name("again"), url=url)
    assert sorted(path.name for path in into.parent.iterdir()) == ["again", "notes"]


def test_importing_the_registry_imports_no_heavy_package() -> None:
    heavy = ["torch", "transformers", "pandas", "huggingface_hub", "jinja2"]
    code = f"import sys, paracosm.registry; print([name for name in {heavy} if name in sys.modules])"
    assert (
        subprocess.run(
            [sys.executable, "-c", code], capture_output=True, text=True, check=True
        ).stdout.strip()
        == "[]"
    )


def test_the_card_shows_what_the_evaluation_writes(tmp_path: Path) -> None:
    random = np.random.default_rng(0)
    fields = (
        Field(name="age", type="integer", minimum=0, maximum=99),
        Field(name="ward", type="category", categories=(f"{MARK} A", f"{MARK} B")),
        Field(name="sick", type="boolean"),
    )
    tables = {}
    for name in ("train", "control", "test", "synthetic"):
        ages = random.integers(0, 100, 60)
        wards = np.where(random.random(60) < 0.5, f"{MARK} A", f"{MARK} B")
        columns = {"age": ages, "ward": wards, "sick": ages + random.normal(0, 20, 60) > 50}
        tables[name] = pd.DataFrame(columns).astype({field.name: field.kind.dtype for field in fields})
    found = rule_on(
        measure(**tables, schema=Schema(fields), target="sick", settings=Evaluate(bootstrap=100, repeats=1))
    )
    recipe, run = recipe_of(), passing(tmp_path)
    # What must be withheld follows from the schema of the records that were measured.
    Schema(fields).save(run.schema)
    records = run.journal.stage("records")
    run.journal.record("records", records | {"outputs": output_digests(run, "records")})

    def evaluate() -> None:
        run.evaluation.mkdir(exist_ok=True)
        run.metrics.write_text(found.to_json(), encoding="utf-8")

    run_if_stale(run, "eval", {"real": 1}, evaluate)
    write_card(recipe=recipe, run=run)
    card = ModelCard.load(run.card)
    results = card.data.eval_results or []
    assert {each.metric_type: each.metric_value for each in results} == {
        name: each.value for name, each in found.file.measured.items()
    }
    assert all(each.title in card.text for each in found.file.metrics)
    version = paracosm.registry.publish(
        run=run, url=url_of(tmp_path), override="so few records settle nothing"
    )
    assert version.verdict == found.verdict
    assert MARK not in without_examples(card.text)
    assert MARK not in (version.folder / "metrics.json").read_text(encoding="utf-8")
