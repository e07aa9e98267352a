"""Folders and models that cannot be a base: one line that says what is wrong and what to do, before anything is trained."""

import json
import os
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import load_file, save_file
from tiny_models import byte_tokenizer, save_tiny_llama
from transformers import (
    BartConfig,
    BartForConditionalGeneration,
    CTRLConfig,
    CTRLLMHeadModel,
    CTRLTokenizer,
    FalconH1Config,
    FalconH1ForCausalLM,
    GPTNeoXConfig,
    GPTNeoXForCausalLM,
    LlamaConfig,
    LlamaModel,
    MambaConfig,
    MambaForCausalLM,
    PreTrainedModel,
)

from paracosm.finetune.models.base_model import check_objective, load_base, load_tokenizer
from paracosm.finetune.refusals import refuse_model
from paracosm.foundation.errors import ModelError
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.model import Model

LFS = "version https://git-lfs.github.com/spec/v1\noid sha256:" + "a" * 64 + "\nsize 123456\n"
SIZES: dict[str, Any] = {"hidden_size": 32, "intermediate_size": 64, "num_hidden_layers": 2}
VOCABULARY = len(byte_tokenizer())


def recipe_of(folder: Path) -> Recipe:
    return Recipe(name="x", data=Data(source="x.csv"), model=Model(base=str(folder), dtype="float32"))


def refused(folder: Path) -> str:
    """Return the line with which `validate` refuses a base model."""
    recipe = recipe_of(folder)
    with pytest.raises(ModelError) as error:  # noqa: PT012  # the steps of `validate`
        check_objective(recipe.model, "causal")
        refuse_model(recipe)
        load_tokenizer(recipe.model)
    line = str(error.value)
    assert "\n" not in line
    return line


def configured(**changes: Any) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        path = folder / "config.json"
        path.write_text(json.dumps(json.loads(path.read_text()) | changes))

    return change


def stored(change: Callable[[dict[str, torch.Tensor]], dict[str, torch.Tensor]]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        path = folder / "model.safetensors"
        save_file(change(load_file(path)), path, metadata={"format": "pt"})

    return rewrite


def replaced(name: str, other: str | None, content: str = "") -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        (folder / name).unlink()
        if other is not None:
            (folder / other).write_text(content)

    return change


FOLDERS: dict[str, tuple[Callable[[Path], None], str]] = {
    "weights are a pointer": (replaced("model.safetensors", "model.safetensors", LFS), "git lfs pull"),
    "configuration is a pointer": (replaced("config.json", "config.json", LFS), "git lfs pull"),
    "tokenizer is a pointer": (replaced("tokenizer.json", "tokenizer.json", LFS), "git lfs pull"),
    "no tokenizer": (replaced("tokenizer.json", None), "has no tokenizer"),
    "an adapter alone": (replaced("config.json", "adapter_config.json", "{}"), "merge_and_unload"),
    "a pickle alone": (replaced("model.safetensors", "pytorch_model.bin"), "convert it once"),
    "a GGUF file alone": (replaced("model.safetensors", "q4.gguf"), "gguf_file='q4.gguf'"),
    "a GGUF file without a configuration": (replaced("config.json", "q4.gguf"), "gguf_file='q4.gguf'"),
    "weights of ONNX": (replaced("model.safetensors", "model.onnx"), "another library"),
    "an index that points nowhere": (
        replaced(
            "model.safetensors", "model.safetensors.index.json", '{"weight_map": {"a": "b.safetensors"}}'
        ),
        "is missing, although",
    ),
    "a smaller vocabulary": (configured(vocab_size=100), "its config.json says 100 x 32"),
    "other sizes": (configured(hidden_size=64), "its config.json says"),
    "more layers than weights": (configured(num_hidden_layers=4), "lacks the weights of layer 2"),
    "a negative number of layers": (configured(num_hidden_layers=-1), "no number of layers"),
    "layers as a word": (configured(num_hidden_layers="two"), "expected int"),
    "heads that do not divide": (configured(num_attention_heads=5), "is not a multiple"),
    "an unknown family": (configured(model_type="frobnicate"), "frobnicate"),
    "stored quantised": (configured(quantization_config={"quant_method": "gptq", "bits": 4}), "quantised"),
    "a layer without weights": (
        stored(lambda weights: {key: value for key, value in weights.items() if ".1." not in key}),
        "lacks the weights of layer 1",
    ),
    "floats of eight bits": (
        stored(lambda weights: {key: value.to(torch.float8_e4m3fn) for key, value in weights.items()}),
        "stored as F8_E4M3",
    ),
    "integers": (
        stored(lambda weights: {key: value.long() for key, value in weights.items()}),
        "stored as I64",
    ),
}


@pytest.mark.parametrize("kind", FOLDERS)
def test_a_folder_that_is_not_a_whole_model_is_refused_with_what_to_do(kind: str, tmp_path: Path) -> None:
    folder = save_tiny_llama(tmp_path / "base")
    refuse_model(recipe_of(folder))
    change, message = FOLDERS[kind]
    change(folder)
    assert message in refused(folder)


FAMILIES: dict[str, tuple[Callable[[], PreTrainedModel], str]] = {
    "bart": (
        lambda: BartForConditionalGeneration(
            BartConfig(
                vocab_size=VOCABULARY,
                d_model=32,
                encoder_layers=1,
                decoder_layers=1,
                encoder_attention_heads=4,
                decoder_attention_heads=4,
            )
        ),
        "encoder-decoder",
    ),
    "mamba": (
        lambda: MambaForCausalLM(
            MambaConfig(vocab_size=VOCABULARY, hidden_size=32, num_hidden_layers=2, state_size=4)
        ),
        "recurrent state",
    ),
    "falcon_h1": (
        lambda: FalconH1ForCausalLM(
            FalconH1Config(
                vocab_size=VOCABULARY,
                num_attention_heads=4,
                num_key_value_heads=2,
                mamba_d_ssm=32,
                mamba_n_heads=4,
                mamba_d_head=8,
                mamba_d_state=8,
                mamba_n_groups=1,
                **SIZES,
            )
        ),
        "recurrent state",
    ),
    "llama without a head": (
        lambda: LlamaModel(
            LlamaConfig(vocab_size=VOCABULARY, num_attention_heads=4, num_key_value_heads=2, **SIZES)
        ),
        "no weights for its language-model head",
    ),
}


@pytest.mark.parametrize("family", FAMILIES)
def test_a_family_that_cannot_be_trained_is_refused_by_validate_and_by_training(
    family: str, tmp_path: Path
) -> None:
    make, message = FAMILIES[family]
    make().save_pretrained(tmp_path / "model")
    byte_tokenizer().save_pretrained(tmp_path / "model")
    assert message in refused(tmp_path / "model")
    with pytest.raises(ModelError, match=message):
        load_base(recipe_of(tmp_path / "model").model)


def test_a_head_that_is_stored_under_another_name_is_found(tmp_path: Path) -> None:
    model = GPTNeoXForCausalLM(GPTNeoXConfig(vocab_size=VOCABULARY, num_attention_heads=4, **SIZES))
    model.save_pretrained(tmp_path / "model")
    assert "lm_head.weight" not in load_file(tmp_path / "model" / "model.safetensors")
    refuse_model(recipe_of(tmp_path / "model"))
    assert torch.equal(load_base(recipe_of(tmp_path / "model").model).lm_head.weight, model.lm_head.weight)


def test_a_tokenizer_in_python_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "ctrl"
    folder.mkdir()
    (folder / "vocab.json").write_text(json.dumps({"a@@": 0, "a": 1, "<unk>": 2}))
    (folder / "merges.txt").write_text("#version: 0.2\n")
    CTRLLMHeadModel(
        CTRLConfig(vocab_size=3, n_positions=64, n_embd=32, dff=64, n_layer=2, n_head=4)
    ).save_pretrained(folder)
    CTRLTokenizer(str(folder / "vocab.json"), str(folder / "merges.txt")).save_pretrained(folder)
    assert "choose a model with a tokenizer.json" in refused(folder)


def test_a_file_is_not_a_folder(tmp_path: Path) -> None:
    folder = save_tiny_llama(tmp_path / "base")
    assert "name its folder" in refused(folder / "model.safetensors")
    (folder / "q4.gguf").write_bytes(b"GGUF")
    assert "gguf_file='q4.gguf'" in refused(folder / "q4.gguf")


@pytest.mark.parametrize("state", ["offline", "refusing", "silent"])
def test_without_a_network_a_model_of_the_hub_is_refused_in_one_line_after_few_tries(
    state: str, tmp_path: Path
) -> None:
    """A server that refuses, or takes connections and says nothing: the libraries would try every file six times."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.1)
        port = server.getsockname()[1]
        if state == "refusing":
            server.close()
        script = (
            "import paracosm.foundation.process.hub_access as hub\n"
            "hub.PATIENCE = 0.2\n"
            "tried = []\n"
            "answers = hub._answers\n"
            "hub._answers = lambda: tried.append(1) or answers()\n"
            "from paracosm.finetune.models.base_model import load_config, load_tokenizer\n"
            "from paracosm.recipes.sections.model import Model\n"
            "from paracosm.foundation.errors import ModelError\n"
            "for load in (load_config, load_tokenizer):\n"
            "    try: load(Model(base='nobody/nothing'))\n"
            "    except ModelError as error: print(error)\n"
            "print(len(tried))\n"
        )
        done = subprocess.run(
            [sys.executable, "-c", script],
            env=os.environ
            | {
                "HF_HOME": str(tmp_path),
                "HF_ENDPOINT": f"http://127.0.0.1:{port}",
                "HF_HUB_OFFLINE": "1" if state == "offline" else "0",
            },
            capture_output=True,
            text=True,
            check=True,
            timeout=300,
        )
        *lines, tries = done.stdout.splitlines()
    assert len(lines) == 2
    assert all("Hub cannot be reached" in line for line in lines)
    assert int(tries) == (0 if state == "offline" else 2)
    assert done.stderr == ""
