"""A damaged or foreign file of a trained model is named in one line, and none of its text is shown."""

from pathlib import Path

import pytest
from tiny_models import save_tiny_llama

from paracosm.finetune.models.trained_model import base_settings, load_codec, load_trained, objective_of
from paracosm.foundation.errors import ModelError

DAMAGED = ["", "{", "[]", "null", "[" * 100_000, '{"layout": "a private text', "\xff\xfe", "9" * 5000]


@pytest.mark.parametrize("content", DAMAGED)
@pytest.mark.parametrize(("name", "read"), [("codec.json", objective_of), ("base.json", base_settings)])
def test_a_damaged_settings_file_is_named(tmp_path: Path, name: str, read: object, content: str) -> None:
    (tmp_path / name).write_text(content, encoding="latin-1")
    with pytest.raises(ModelError, match=rf"{name}: is (not|nested)") as error:
        read(tmp_path)  # type: ignore[operator]
    assert "private" not in str(error.value)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of a full model, with a tokenizer and without a valid codec."""
    return save_tiny_llama(tmp_path_factory.mktemp("models") / "tiny")


@pytest.mark.parametrize("content", ["{}", '{"layout": "slots"}', '{"schema": {"fields": [3]}}', *DAMAGED])
def test_a_foreign_codec_is_named(folder: Path, content: str) -> None:
    (folder / "base.json").write_text("{}")
    (folder / "codec.json").write_text(content, encoding="latin-1")
    with pytest.raises(ModelError, match=r"codec\.json: is (not|nested)"):
        load_codec(folder)


def test_foreign_base_settings_are_named(folder: Path) -> None:
    (folder / "codec.json").write_text("{}")
    (folder / "base.json").write_text('{"base": 3, "dropped": true}')
    with pytest.raises(ModelError, match=r"base\.json: is not the `model` section of a recipe"):
        load_trained(folder, None)
