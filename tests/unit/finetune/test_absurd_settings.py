"""Absurd sizes in a model's configuration, and patterns instead of names, end in one line before anything is built."""

import json
from pathlib import Path

import pytest
from tiny_models import save_tiny_llama

from paracosm.finetune.models.pretrained import load_pretrained_config
from paracosm.foundation.errors import ModelError
from paracosm.recipes.sections.finetune import Finetune

ABSURD = {
    "num_hidden_layers": 10**9,
    "hidden_size": 10**12,
    "vocab_size": 10**15,
    "intermediate_size": 10**10,
    "num_labels": 10**9,
    "num_attention_heads": -(10**9),
    "max_position_embeddings": 10**18,
}


@pytest.mark.parametrize("key", ABSURD)
def test_an_absurd_size_is_refused(tmp_path: Path, key: str) -> None:
    save_tiny_llama(tmp_path)
    load_pretrained_config(tmp_path)
    config = json.loads((tmp_path / "config.json").read_text())
    (tmp_path / "config.json").write_text(json.dumps(config | {key: ABSURD[key]}))
    with pytest.raises(ModelError, match=f"its configuration has {key} "):
        load_pretrained_config(tmp_path)


def test_a_single_layer_is_a_name_and_no_pattern() -> None:
    assert Finetune().target_modules == "all-linear"
    assert Finetune.model_validate({"target_modules": "q_proj"}).target_modules == ["q_proj"]
    assert Finetune.model_validate({"target_modules": "((.)+)+!"}).target_modules == ["((.)+)+!"]
