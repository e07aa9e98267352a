"""Every reader of foreign bytes ends well or in one line, whatever it reads; `python bench/security/fuzz.py` goes on from here."""

import random
from itertools import islice
from pathlib import Path

import pytest
from fuzz_targets import TARGETS, Target, execute, inputs

INPUTS = 60


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_a_reader_ends_well_or_in_one_line(target: Target) -> None:
    draw = random.Random(target.name)
    for content in islice(inputs(target, draw), INPUTS):
        assert execute(target, content) is None, content[:2000]


@pytest.mark.parametrize("target", TARGETS, ids=lambda target: target.name)
def test_valid_inputs_are_read(target: Target, tmp_path: Path) -> None:
    path = tmp_path / f"input{target.suffix}"
    for content in target.seeds():
        path.write_bytes(content)
        target.read(path)


def test_a_defect_and_a_hang_are_findings() -> None:
    def spins(_: object) -> None:
        while True:
            pass

    assert "KeyError" in (execute(Target("defect", lambda path: {}[path], list), b"") or "")
    assert "_Hang" in (execute(Target("hang", spins, list), b"", patience=0.2) or "")
