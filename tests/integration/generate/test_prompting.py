"""The strategies `prompt` and `chain` as whole commands: valid records, resumption after a kill, keys, refusals, publishing."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from chat_server import KEY, ChatServer, chat_server
from tiny_models import save_tiny_llama

from paracosm.cli.app import main as command
from paracosm.foundation.digests import folder_digest
from paracosm.recipes.run.directory import Run

ROWS = 120
TABLE = "age,sex,ill,note\n" + "".join(
    f"{20 + row % 50},{('female', 'male')[row % 2]},{('yes', 'no')[row % 3 > 0]},slept {('well', 'badly')[row % 5 > 2]} on day {row % 9}\n"
    for row in range(ROWS)
)


def main(arguments: list[str]) -> int:
    """Return the exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        command(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def write_recipe(folder: Path, **sections: Any) -> Path:
    (folder / "ward.csv").write_text(TABLE)
    plain = {
        "name": "ward",
        "data": {"source": "ward.csv", "target": "ill", "fields": {"note": {"type": "text"}}},
        "generate": {"records": 40},
        "eval": {"bootstrap": 100, "repeats": 1},
    }
    (folder / "ward.yaml").write_text(yaml.safe_dump(plain | sections))
    return folder / "ward.yaml"


def server_section(server: ChatServer, **more: Any) -> dict[str, Any]:
    return {"url": server.url, "model": "stand-in", "concurrency": 4, **more}


def records_of(run: Path) -> pd.DataFrame:
    return pd.concat([pd.read_parquet(path) for path in sorted(Run(run).synthetic.glob("part-*.parquet"))])


def prompting(run: Path) -> dict[str, Any]:
    return Run(run).journal.stage("generate")["facts"]["prompting"]


def prepared(recipe: Path, run: Path) -> Path:
    assert main(["finetune", str(recipe), "--run", str(run)]) == 0
    return run


STRATEGIES = ("prompt local", "prompt server", "chain local", "chain server")


@pytest.fixture(scope="module", params=STRATEGIES)
def recipe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """Yield a recipe of each strategy, with a model on this machine or a server that ignores schemas."""
    folder = tmp_path_factory.mktemp(request.param.replace(" ", "-"))
    strategy, place = request.param.split()
    save_tiny_llama(folder / "base")
    sections: dict[str, Any] = {"strategy": strategy, "model": {"base": str(folder / "base")}}
    with chat_server("ignores", faults=0.2) as server:
        if place == "server":
            sections[strategy] = {"server": server_section(server)}
        yield write_recipe(folder, **sections)


def test_rules_conditions_quotas_and_unique_fields_hold(recipe: Path, tmp_path: Path) -> None:
    overrides = [
        "generate.records=24",
        "generate.quotas={sex: {female: 0.75}}",
        "rules.checks=['age >= 25']",
        "rules.unique=[[age, sex]]",
    ]
    run = tmp_path / "run"
    assert main(["run", str(recipe), "--run", str(run), *overrides]) == 0
    table = records_of(run)
    assert len(table) == 24
    assert table["age"].min() >= 25
    assert (table["sex"] == "female").mean() == 0.75
    assert not table.duplicated(["age", "sex"]).any()
    assert set(table["ill"].astype(str)) <= {"yes", "no"}
    steps = prompting(run)["steps"]
    assert sum(step["calls"] for step in steps) > 0
    card = Run(run).card.read_text()
    assert "not trained on the real records" in card
    assert "| real rows shown to a model | **0** |" in card
    assert all(f"| {step['step']} " in card for step in steps)


def test_a_condition_is_met_and_the_same_command_gives_the_same_bytes(recipe: Path, tmp_path: Path) -> None:
    digests = []
    for name in ("a", "b"):
        run = prepared(recipe, tmp_path / name)
        assert main(["generate", str(run), "generate.records=20", "generate.where={sex: male}"]) == 0
        assert set(records_of(run)["sex"]) == {"male"}
        digests.append(folder_digest(Run(run).synthetic))
    assert digests[0] == digests[1]


def test_a_killed_generation_resumes_with_the_same_bytes_and_asks_nothing_twice(tmp_path: Path) -> None:
    with chat_server("ignores", faults=0.2) as server:
        recipe = write_recipe(
            tmp_path, strategy="prompt", prompt={"server": server_section(server, concurrency=2)}
        )
        whole = prepared(recipe, tmp_path / "whole")
        assert main(["generate", str(whole)]) == 0
        server.asked.clear()
        run = prepared(recipe, tmp_path / "killed")
        server.pause = 0.05
        arguments = [sys.executable, "-c", "from paracosm.cli.app import main; main()", "generate", str(run)]
        process = subprocess.Popen(arguments, env=os.environ, stderr=subprocess.DEVNULL)
        while len(server.asked) < 15 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.2)
        asked = len(server.asked)
        assert asked < 40
        assert main(["generate", str(run)]) == 0
    bodies = [str(body) for body in server.asked]
    # What was on its way when the process died is asked again: at most one request per connection.
    assert len(bodies) - len(set(bodies)) <= 2
    assert folder_digest(Run(run).synthetic) == folder_digest(Run(whole).synthetic)
    assert prompting(run)["steps"][0]["calls"] == prompting(whole)["steps"][0]["calls"]


def test_the_key_is_in_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WARD_KEY", KEY)
    with chat_server("ignores", faults=0.3, key=KEY) as server:
        section = {"server": server_section(server, key="WARD_KEY", price_input=1.0, price_output=2.0)}
        recipe = write_recipe(tmp_path, strategy="prompt", prompt=section)
        run = tmp_path / "run"
        assert main(["run", str(recipe), "--run", str(run)]) == 0
        assert main(["publish", str(run), str(tmp_path / "store"), "--override", "a test"]) == 0
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any(path.name == "answers.sqlite" for path in files)
    assert [path for path in files if KEY.encode() in path.read_bytes()] == []
    step = prompting(run)["steps"][0]
    assert step["cost"] == pytest.approx((step["input_tokens"] + 2 * step["output_tokens"]) / 1e6)
    assert main(["pull", "ward@v1", "--url", str(tmp_path / "store"), "--into", str(tmp_path / "copy")]) == 0


def test_a_change_of_the_last_step_repeats_the_last_step_alone(tmp_path: Path) -> None:
    with chat_server("ignores") as server:
        steps = [
            {"kind": "draw"},
            {"kind": "think", "prompt": "What of someone aged {{ age }}?"},
            {"kind": "write", "fields": ["note"], "prompt": "{{ think }} Write the note."},
        ]
        recipe = write_recipe(
            tmp_path, strategy="chain", chain={"server": server_section(server), "steps": steps}
        )
        run = prepared(recipe, tmp_path / "run")
        assert main(["generate", str(run)]) == 0
        first = records_of(run)
        asked = len(server.asked)
        assert main(["generate", str(run)]) == 0
        assert len(server.asked) == asked
        steps[2]["prompt"] = "{{ think }} Write the note of a {{ sex }} patient."
        recipe = write_recipe(
            tmp_path, strategy="chain", chain={"server": server_section(server), "steps": steps}
        )
        assert main(["finetune", str(recipe), "--run", str(run)]) == 0
        assert main(["generate", str(run)]) == 0
        again = records_of(run)
        new = server.asked[asked:]
        assert len(new) == 40
        assert all("Write the note of a" in body["messages"][1]["content"] for body in new)
    pd.testing.assert_frame_equal(first.drop(columns="note"), again.drop(columns="note"))


def test_a_check_blames_and_refine_mends_the_blamed_field_alone(tmp_path: Path) -> None:
    with chat_server("ignores") as server:
        steps = [{"kind": "draw"}, {"kind": "write"}, {"kind": "check"}, {"kind": "refine", "times": 2}]
        recipe = write_recipe(
            tmp_path, strategy="chain", chain={"server": server_section(server), "steps": steps}
        )
        run = prepared(recipe, tmp_path / "run")
        assert main(["generate", str(run)]) == 0
    found = {step["kind"]: step for step in prompting(run)["steps"]}
    assert found["draw"]["calls"] == 0
    assert 0 < found["refine"]["blamed"] < 40
    assert 0 < found["refine"]["mended"] <= found["refine"]["blamed"]
    assert found["refine"]["calls"] >= found["refine"]["blamed"]
    asked = [body["messages"][-1]["content"] for body in server.asked]
    refined = [text for text in asked if "does not fit the others" in text]
    assert refined
    assert all('{"note": <' in text and '"age": <' not in text for text in refined)


REFUSED = {
    "unreachable": (
        {
            "strategy": "prompt",
            "prompt": {"server": {"url": "http://127.0.0.1:9/v1", "model": "m", "retries": 0}},
        },
        "cannot be reached",
    ),
    "real rows off this machine": (
        {
            "strategy": "prompt",
            "prompt": {"examples": "real", "server": {"url": "https://models.example/v1", "model": "m"}},
        },
        "set prompt.real_may_leave to true",
    ),
    "no key": (
        {
            "strategy": "prompt",
            "prompt": {"server": {"url": "http://h/v1", "model": "m", "key": "NO_SUCH_KEY"}},
        },
        "NO_SUCH_KEY is not set",
    ),
    "draw after write": (
        {"strategy": "chain", "chain": {"steps": [{"kind": "write", "fields": ["note"]}, {"kind": "draw"}]}},
        "a draw comes first and only once",
    ),
    "refine without check": (
        {"strategy": "chain", "chain": {"steps": [{"kind": "draw"}, {"kind": "write"}, {"kind": "refine"}]}},
        "refine needs a check before it",
    ),
    "unknown field of a template": (
        {
            "strategy": "chain",
            "chain": {"steps": [{"kind": "draw"}, {"kind": "write", "prompt": "{{ agee }}"}]},
        },
        "chain.steps.1.prompt: 'agee' is not known at this step; did you mean 'age'?",
    ),
    "unsafe template": (
        {
            "strategy": "chain",
            "chain": {
                "steps": [{"kind": "draw"}, {"kind": "write", "prompt": "{{ record.__class__.__mro__ }}"}]
            },
        },
        "chain.steps.1.prompt: cannot be filled in",
    ),
    "unknown field": (
        {"strategy": "chain", "chain": {"steps": [{"kind": "draw", "fields": ["agee"]}]}},
        "unknown field 'agee'",
    ),
    "drawn text": (
        {"strategy": "chain", "chain": {"steps": [{"kind": "draw", "fields": ["note"]}]}},
        "do not draw free text",
    ),
    "field that no step makes": (
        {"strategy": "chain", "chain": {"steps": [{"kind": "draw"}]}},
        "no step makes 'note'",
    ),
    "no adapter": (
        {
            "strategy": "chain",
            "chain": {"steps": [{"kind": "draw"}, {"kind": "write", "adapter": "nowhere"}]},
        },
        "holds no adapter",
    ),
    "privacy": ({"strategy": "prompt", "privacy": {"epsilon": 3}}, "has no differential privacy"),
    "top_k on a server": (
        {
            "strategy": "prompt",
            "generate": {"top_k": 5},
            "prompt": {"server": {"url": "http://h/v1", "model": "m"}},
        },
        "generate.top_k: is for models on this machine",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_cannot_work_is_refused_in_one_line(
    case: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    sections, words = REFUSED[case]
    recipe = write_recipe(tmp_path, **sections)
    assert main(["run", str(recipe), "--run", str(tmp_path / "run")]) == 2
    line = capsys.readouterr().err.strip().splitlines()[-1]
    assert line.startswith("error:")
    assert words in line
    assert not Run(tmp_path / "run").synthetic.is_dir() or not list(
        Run(tmp_path / "run").synthetic.glob("part-*")
    )
