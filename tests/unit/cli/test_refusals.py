"""`validate` and `run` refuse the same things before the training, in one line with exit code 2."""

import re
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tiny_models import save_tiny_llama, save_tiny_masked

from paracosm.cli.app import main

NOTES = ["short", "the patient was seen again and again " * 40]
NOTES_CUT = 7
"""Long notes of `place`."""


@pytest.fixture(scope="module")
def place(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("refusals")
    save_tiny_llama(folder / "llama")
    save_tiny_masked(folder / "masked")
    draw = np.random.default_rng(0)
    lines = [
        f"{draw.integers(20, 90)},{draw.choice(['yes', 'no'])},{NOTES[row % 9 == 0]} {row}"
        for row in range(60)
    ]
    (folder / "people.csv").write_text("age,ill,note\n" + "\n".join(lines) + "\n")
    (folder / "tiny.csv").write_text("age,ill\n" + "".join(f"{40 + row},yes\n" for row in range(10)))
    (folder / "seeds.csv").write_text("age,colour\n30,red\n")
    for name, source, drop in (
        ("people", "people", "[note]"),
        ("notes", "people", "[]"),
        ("tiny", "tiny", "[]"),
    ):
        (folder / f"{name}.yaml").write_text(
            f"name: {name}\ndata: {{source: {source}.csv, drop: {drop}}}\nmodel: {{base: ./llama}}\n"
        )
    return folder


def without_head(base: Path) -> None:
    tensors = load_file(base / "model.safetensors")
    kept = {name: values for name, values in tensors.items() if "cls." not in name and "lm_head" not in name}
    assert kept.keys() < tensors.keys()
    save_file(kept, base / "model.safetensors", metadata={"format": "pt"})


REFUSED = {
    "tiny": ("tiny.yaml", [], "has 8 of 10 records; at least 10 are needed"),
    "where": ("people.yaml", ["generate.where.ill=maybe"], "generate.where.ill: 'maybe'"),
    "where, number": ("people.yaml", ["generate.where.age=900"], "generate.where.age: 900"),
    "quotas": ("people.yaml", ["generate.quotas.il=balanced"], "did you mean 'ill'?"),
    "no such seeds": ("people.yaml", ["generate.seeds=none.csv"], "none.csv: there is no such file"),
    "seeds": ("people.yaml", ["generate.seeds=seeds.csv"], "colour"),
    "rules": ("people.yaml", ["rules.checks=['agee > 1']"], "there is no field 'agee'"),
    "target": ("people.yaml", ["data.target=sick"], "data.target: there is no column 'sick'"),
    "profile": ("people.yaml", ["release.profile=secret"], "release.profile must be one of"),
    "extra": ("people.yaml", ["generate.engine=vllm"], "needs the extra 'vllm'"),
    "licence": ("people.yaml", ["card.licence=MIT License"], "; did you mean 'mit'?"),
    "licence, spelt": ("people.yaml", ["card.data_licence=CC BY 4.0"], "; did you mean 'cc-by-4.0'?"),
    "language": ("people.yaml", ["card.language=german"], "ISO 639-1 code such as en"),
    "gate": ("people.yaml", ["release.gates.exact=0"], "unknown gate 'exact'"),
}


@pytest.mark.parametrize("kind", REFUSED)
def test_validate_and_run_refuse_alike(
    place: Path, kind: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    recipe, overrides, message = REFUSED[kind]
    lines = []
    for command in (["validate", recipe], ["run", recipe, "--run", f"run-{len(kind)}-{kind[:3]}"]):
        with pytest.raises(SystemExit) as end:
            main([*command, *overrides])
        assert end.value.code == 2
        lines.append(capsys.readouterr().err.strip().splitlines()[-1])
    assert lines[0] == lines[1]
    assert message in lines[0]


def test_long_texts_are_written_in_passages_or_cut_or_left_out(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    with pytest.raises(SystemExit) as end:
        main(["validate", "notes.yaml"])
    assert end.value.code == 0
    assert re.search(r"passages +note: longer than the \d+ tokens", capsys.readouterr().out)
    for way in ("cut", "drop"):
        with pytest.raises(SystemExit) as end:
            main(["validate", "notes.yaml", "data.longest_text=200", f"data.long_texts={way}"])
        assert end.value.code == 0
        told = " ".join(capsys.readouterr().out.split())
        assert f"column 'note': {NOTES_CUT} of 60 texts have more than" in told
        assert "passages" not in told


def test_a_model_without_a_head_is_refused_before_the_training(
    place: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(place)
    without_head(place / "masked")
    with pytest.raises(SystemExit) as end:
        main(["validate", "people.yaml", "model.base=./masked", "finetune.objective=masked"])
    assert end.value.code == 2
    assert "has no weights for its language-model head" in capsys.readouterr().err
