"""`generate.questions` in whole runs: files beside the shards, counts in `run.json` and on the card, wording by a server, a kill."""

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from chat_server import KEY, ChatServer, chat_server

from paracosm.cli.app import main as command
from paracosm.foundation.digests import folder_digest
from paracosm.generate.questions.exports import UNKNOWN
from paracosm.recipes.run.directory import Run

TABLE = "age,sex,ill\n" + "".join(
    f"{20 + row % 50},{('female', 'male')[row % 2]},{('yes', 'no')[row % 3 > 0]}\n" for row in range(120)
)


def main(arguments: list[str]) -> int:
    """Return the exit code of a command."""
    with pytest.raises(SystemExit) as ended:
        command(arguments)
    assert isinstance(ended.value.code, int)
    return ended.value.code


def write_recipe(folder: Path, questions: dict[str, Any]) -> Path:
    (folder / "ward.csv").write_text(TABLE)
    plain = {
        "name": "ward",
        "data": {"source": "ward.csv", "target": "ill"},
        "strategy": "statistical",
        "statistical": {"method": "marginals"},
        "generate": {"records": 40, "questions": questions},
        "eval": {"bootstrap": 100, "repeats": 1},
    }
    (folder / "ward.yaml").write_text(yaml.safe_dump(plain))
    return folder / "ward.yaml"


def prepared(recipe: Path, run: Path) -> Run:
    assert main(["finetune", str(recipe), "--run", str(run)]) == 0
    return Run(run)


def served(server: ChatServer, **more: Any) -> dict[str, Any]:
    return {"rewording": {"server": {"url": server.url, "model": "stand-in", "concurrency": 2, **more}}}


def asked(run: Run) -> list[dict[str, Any]]:
    plain = json.loads((run.questions / "squad.json").read_text())
    (data,) = plain["data"]
    return [each | {"context": part["context"]} for part in data["paragraphs"] for each in part["qas"]]


def test_questions_are_written_beside_the_records_and_counted(tmp_path: Path) -> None:
    recipe = write_recipe(tmp_path, {"per_record": 2, "unanswerable": 0.5})
    run = prepared(recipe, tmp_path / "run")
    assert main(["generate", str(run.root)]) == 0
    facts = run.journal.stage("generate")["facts"]["questions"]
    questions = asked(run)
    assert facts == {
        "asked": len(questions),
        "unanswerable": sum(each["is_impossible"] for each in questions),
    }
    assert 40 < len(questions) <= 80
    assert 0.3 < facts["unanswerable"] / len(questions) < 0.7
    for each in questions:
        for answer in each["answers"]:
            assert each["context"][answer["answer_start"] :].startswith(answer["text"])
    lines = [json.loads(line) for line in (run.questions / "chat.jsonl").read_text().splitlines()]
    assert [line["messages"][1]["content"] for line in lines] == [
        each["answers"][0]["text"] if each["answers"] else UNKNOWN for each in questions
    ]
    # A reader of the folder of records does not see them.
    assert sorted(path.name for path in run.synthetic.glob("*.json*")) == []
    assert main(["generate", str(run.root), "generate.questions=null"]) == 0
    assert not run.questions.exists()


def test_a_server_words_questions_and_what_names_no_field_keeps_the_template(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WARD_KEY", KEY)
    with chat_server("ignores", faults=0.3, key=KEY) as server:
        recipe = write_recipe(tmp_path, served(server, key="WARD_KEY", tries=2))
        run = tmp_path / "run"
        assert main(["run", str(recipe), "--run", str(run)]) == 0
    facts = Run(run).journal.stage("generate")["facts"]["questions"]
    questions = asked(Run(run))
    told = sum(each["question"].startswith("Please tell me") for each in questions)
    assert facts["reworded"] == told
    assert facts["kept_plain"]["does not name its field"] > 0
    assert told + sum(facts["kept_plain"].values()) == facts["asked"] == len(questions)
    assert facts["steps"][0]["records"] == len(questions)
    # Only questions are sent, and no record.
    assert not any("age: " in body["messages"][-1]["content"] for body in server.asked)
    card = Run(run).card.read_text()
    assert f"{facts['asked']} questions" in card
    assert f"{told} in the words of a model" in card
    assert [
        path for path in tmp_path.rglob("*") if path.is_file() and KEY.encode() in path.read_bytes()
    ] == []


def test_a_killed_wording_asks_nothing_twice_and_gives_the_same_bytes(tmp_path: Path) -> None:
    with chat_server("ignores", faults=0.2) as server:
        recipe = write_recipe(tmp_path, served(server))
        whole = prepared(recipe, tmp_path / "whole")
        assert main(["generate", str(whole.root)]) == 0
        server.asked.clear()
        run = prepared(recipe, tmp_path / "killed")
        server.pause = 0.05
        arguments = [
            sys.executable,
            "-c",
            "from paracosm.cli.app import main; main()",
            "generate",
            str(run.root),
        ]
        process = subprocess.Popen(arguments, env=os.environ, stderr=subprocess.DEVNULL)
        while len(server.asked) < 15 and process.poll() is None:
            time.sleep(0.01)
        process.send_signal(signal.SIGKILL)
        process.wait()
        time.sleep(0.2)
        assert len(server.asked) < 80
        assert main(["generate", str(run.root)]) == 0
    bodies = [str(body) for body in server.asked]
    assert len(bodies) - len(set(bodies)) <= 2
    assert folder_digest(run.synthetic) == folder_digest(whole.synthetic)


@pytest.mark.parametrize(
    ("questions", "words"),
    [
        ({"formats": ["csv"]}, "generate.questions.formats"),
        ({"rewording": {"base": "a", "server": {"url": "http://h/v1", "model": "m"}}}, "name one of them"),
        (
            {"rewording": {"server": {"url": "http://h/v1", "model": "m", "key": "NO_KEY"}}},
            "NO_KEY is not set",
        ),
        ({"rewording": {"base": "nowhere-at-all"}}, "nowhere-at-all"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_one_line(
    questions: dict[str, Any], words: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    recipe = write_recipe(tmp_path, questions)
    assert main(["run", str(recipe), "--run", str(tmp_path / "run")]) == 2
    (line,) = [line for line in capsys.readouterr().err.splitlines() if line.startswith("error:")]
    assert words in line
