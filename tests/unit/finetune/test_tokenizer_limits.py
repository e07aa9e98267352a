"""A tokenizer whose configuration holds no number as its longest text is refused when it is loaded."""

import json
from pathlib import Path

import pytest
from tiny_models import byte_tokenizer

from paracosm.finetune.models.pretrained import load_pretrained_tokenizer
from paracosm.foundation.errors import ModelError


@pytest.mark.parametrize("value", ["\x1b[31mx", [[]], {"a": 1}])
def test_a_longest_text_that_is_not_a_number_is_one_line(value: object, tmp_path: Path) -> None:
    byte_tokenizer().save_pretrained(tmp_path)
    path = tmp_path / "tokenizer_config.json"
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_max_length": value}))
    with pytest.raises(ModelError, match=r"model_max_length in tokenizer_config\.json is not a number"):
        load_pretrained_tokenizer(tmp_path)
    path.write_text(json.dumps(json.loads(path.read_text()) | {"model_max_length": 512}))
    assert load_pretrained_tokenizer(tmp_path).model_max_length == 512
