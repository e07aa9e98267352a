"""Models of unknown origin: no foreign code, no pickle, no download of kernels, no adapter that is not applied."""

import ast
import json
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from safetensors.numpy import load_file, save_file
from tiny_models import save_tiny_llama, save_tiny_masked

from paracosm.finetune.models.adapter_files import INERT, check_adapter, read_adapter
from paracosm.finetune.models.base_model import base_digest, load_base, load_config, load_tokenizer, locate
from paracosm.finetune.models.lora import add_adapter
from paracosm.finetune.models.pretrained import foreign_code
from paracosm.finetune.models.trained_model import load_trainable, load_trained
from paracosm.foundation.digests import file_digest
from paracosm.foundation.errors import ModelError
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.model import Model

ROOT = Path(__file__).parents[3]
ROOMS = (
    "foundation",
    "recipes",
    "records",
    "finetune",
    "generate",
    "eval",
    "registry",
    "paracosm",
    "cli",
    "bench",
)
WEIGHTS = "adapter_model.safetensors"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    return save_tiny_llama(tmp_path / "base")


def model_of(folder: Path) -> Model:
    return Model(base=str(folder), dtype="float32")


def changed(path: Path, **changes: object) -> None:
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def one_line(error: pytest.ExceptionInfo[BaseException]) -> str:
    text = str(error.value)
    assert "\n" not in text
    return text


def test_models_are_loaded_in_one_module_only() -> None:
    calls = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for room in ROOMS
        for path in sorted((ROOT / room).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Attribute)
        and node.attr in ("from_pretrained", "from_config", "snapshot_download")
    ]
    assert {call.partition(":")[0] for call in calls} == {"finetune/models/pretrained.py"}, calls


def test_every_call_refuses_remote_code_and_pickles() -> None:
    tree = ast.parse((ROOT / "finetune/models/pretrained.py").read_text(encoding="utf-8"))
    calls = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("from_pretrained", "from_config")
        and ast.unparse(node.func) != "PeftModel.from_pretrained"
    ]
    assert len(calls) == 4
    for call in calls:
        assert {word.arg: ast.unparse(word.value) for word in call.keywords}["trust_remote_code"] == "False"


MARKED: dict[str, dict[str, object]] = {
    "config.json": {
        "auto_map": {"AutoConfig": "evil.C", "AutoModelForCausalLM": "evil.M"},
        "model_type": "evil",
    },
    "tokenizer_config.json": {
        "auto_map": {"AutoTokenizer": ["evil.T", None]},
        "tokenizer_class": "EvilTokenizer",
    },
}


@pytest.mark.parametrize("name", MARKED)
def test_foreign_code_does_not_run_and_no_question_is_asked(base: Path, tmp_path: Path, name: str) -> None:
    changed(base / name, **MARKED[name])
    (base / "evil.py").write_text(f"open({str(tmp_path / 'RAN')!r}, 'w')\n")
    script = (
        "from paracosm.finetune.models.base_model import load_base, load_tokenizer\n"
        "from paracosm.foundation.errors import ModelError\n"
        "from paracosm.recipes.sections.model import Model\n"
        f"model = Model(base={str(base)!r})\n"
        "for load in (load_base, load_tokenizer):\n"
        "    try: load(model)\n"
        "    except ModelError as error: print('refused:', error)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="y\n" * 9,
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    assert "[y/N]" not in done.stdout + done.stderr
    assert not (tmp_path / "RAN").exists()
    if name == "config.json":
        lines = [line for line in done.stdout.splitlines() if line]
        assert lines
        assert all(line.startswith("refused:") for line in lines)
        assert "auto_map" in lines[0]


def test_a_supported_model_loses_the_mark_of_code_that_is_never_run(base: Path, tmp_path: Path) -> None:
    changed(base / "config.json", auto_map={"AutoModelForCausalLM": "evil.M"})
    changed(base / "tokenizer_config.json", auto_map={"AutoTokenizer": ["evil.T", None]})
    load_base(model_of(base)).save_pretrained(tmp_path / "saved")
    load_tokenizer(model_of(base)).save_pretrained(tmp_path / "saved")
    for name in ("config.json", "tokenizer_config.json"):
        assert "auto_map" not in json.loads((tmp_path / "saved" / name).read_text())


@pytest.mark.parametrize("key", ["attn_implementation", "_attn_implementation", "experts_implementation"])
def test_a_configuration_that_names_a_kernel_of_the_hub_is_refused(base: Path, key: str) -> None:
    changed(base / "config.json", **{key: "evil/kernel"})
    with pytest.raises(ModelError, match="compiled code of the Hub") as error:
        load_base(model_of(base))
    one_line(error)


@pytest.mark.parametrize(
    "config",
    [
        {"text_config": {"auto_map": {"AutoConfig": "a.B"}}},
        {"sub": [{"attn_implementation": {"": "evil/kernel@main"}}]},
        {"quantization_config": {"quant_method": "mxfp4"}},
        {"_attn_implementation_internal": "paged|evil/kernel:f"},
    ],
)
def test_nested_keys_that_ask_for_code_are_found(config: dict[str, object]) -> None:
    assert foreign_code(config)


@pytest.mark.parametrize(
    "config", [{}, {"auto_map": None}, {"attn_implementation": "sdpa"}, {"quantization_config": None}]
)
def test_plain_configurations_are_accepted(config: dict[str, object]) -> None:
    assert foreign_code(config) is None


def test_kernels_cannot_be_imported_where_the_command_runs() -> None:
    script = (
        "from paracosm.foundation.process.kernel_downloads import forbid_kernel_downloads as f; f()\n"
        "from transformers.integrations import hub_kernels\n"
        "from transformers.utils.import_utils import is_kernels_available\n"
        "assert not is_kernels_available() and not hub_kernels._kernels_enabled\n"
    )
    subprocess.run([sys.executable, "-c", script], timeout=300, check=True)


def as_pickle(base: Path) -> None:
    weights = {name: torch.from_numpy(value) for name, value in load_file(base / "model.safetensors").items()}
    torch.save(weights, base / "pytorch_model.bin")
    (base / "model.safetensors").unlink()


def with_decoy(base: Path) -> None:
    as_pickle(base)
    save_file({"x": np.zeros(1, np.float32)}, base / "decoy.safetensors")


def test_a_pickle_beside_a_decoy_is_not_loaded(base: Path) -> None:
    with_decoy(base)
    for use in (locate, load_base, base_digest):
        with pytest.raises(
            ModelError, match=r"only as a pickle \(pytorch_model.bin\).*convert it once"
        ) as error:
            use(model_of(base))
        one_line(error)


def test_the_digest_is_that_of_the_loaded_files(base: Path) -> None:
    before = base_digest(model_of(base))
    assert before == "sha256:" + file_digest(base / "model.safetensors")
    save_file({"x": np.zeros(1, np.float32)}, base / "decoy.safetensors")
    assert base_digest(model_of(base)) == before


def sharded(base: Path, **weight_map: str) -> None:
    (base / "model.safetensors").rename(base / "model-00001-of-00001.safetensors")
    (base / "model.safetensors.index.json").write_text(json.dumps({"metadata": {}, "weight_map": weight_map}))


def test_the_shards_of_an_index_are_digested(base: Path) -> None:
    names = load_file(base / "model.safetensors")
    sharded(base, **dict.fromkeys(names, "model-00001-of-00001.safetensors"))
    assert base_digest(model_of(base)) == "sha256:" + file_digest(base / "model-00001-of-00001.safetensors")
    load_base(model_of(base))


@pytest.mark.parametrize(
    "shard", ["../elsewhere.safetensors", "/etc/passwd", "pytorch_model.bin", "gone.safetensors"]
)
def test_an_index_that_lists_another_file_is_refused(base: Path, shard: str) -> None:
    sharded(base, weight=shard)
    with pytest.raises(ModelError, match=r"same folder is allowed|is missing") as error:
        locate(model_of(base))
    one_line(error)


@pytest.mark.parametrize("name", ["adapter_model.bin", "decoy.safetensors"])
def test_weights_of_another_name_in_the_configuration_are_refused(base: Path, name: str) -> None:
    changed(base / "config.json", transformers_weights=name)
    for use in (locate, load_base, base_digest):
        with pytest.raises(ModelError, match="names its weights") as error:
            use(model_of(base))
        one_line(error)


def test_a_base_with_an_adapter_beside_it_is_refused(base: Path) -> None:
    (base / "adapter_config.json").write_text('{"base_model_name_or_path": "evil/base"}')
    with pytest.raises(ModelError, match="holds an adapter"):
        load_config(model_of(base))


@pytest.mark.parametrize("kind", ["pickle", "decoy", "code"])
def test_an_embedder_is_loaded_by_the_same_rules(tmp_path: Path, kind: str) -> None:
    from paracosm.eval.representations.text_embedder import embed

    folder = save_tiny_masked(tmp_path / "embedder")
    if kind == "code":
        changed(folder / "config.json", **MARKED["config.json"])
    else:
        (as_pickle if kind == "pickle" else with_decoy)(folder)
    with pytest.raises(ModelError, match=r"^eval.embedder: .*(convert it once|auto_map)") as error:
        embed(["a text"], str(folder))
    one_line(error)


@pytest.fixture
def adapter(base: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "adapter"
    add_adapter(load_base(model_of(base)), Finetune(rank=4), "tiny").save_pretrained(folder)
    (folder / "base.json").write_text(model_of(base).model_dump_json())
    (folder / "codec.json").write_text('{"layout": "text"}')
    return folder


@pytest.mark.parametrize("method", ["lora", "dora", "rslora"])
def test_adapters_of_every_method_pass_and_load(base: Path, tmp_path: Path, method: str) -> None:
    folder = tmp_path / method
    settings = Finetune.model_validate({"rank": 4, "method": method})
    add_adapter(load_base(model_of(base)), settings, "tiny").save_pretrained(folder)
    (folder / "base.json").write_text(model_of(base).model_dump_json())
    (folder / "codec.json").write_text('{"layout": "text"}')
    check_adapter(folder)
    load_trained(folder, None)
    assert any(weights.requires_grad for weights in load_trainable(folder, None).parameters())


def test_the_defaults_of_peft_are_those_that_are_accepted() -> None:
    from peft import LoraConfig

    written = LoraConfig().to_dict()
    read = {
        "r",
        "lora_alpha",
        "lora_dropout",
        "target_modules",
        "use_rslora",
        "use_dora",
        "task_type",
        "inference_mode",
    }
    read |= {"peft_version", "base_model_name_or_path", "revision"}
    assert {key: value for key, value in written.items() if value and key not in read} == INERT


Tensors = dict[str, np.ndarray]


def only(tensors: Tensors, part: str) -> str:
    return next(name for name in sorted(tensors) if part in name)


def without(part: str) -> Callable[[Tensors], Tensors]:
    return lambda tensors: {name: value for name, value in tensors.items() if part not in name}


def filled(value: float) -> Callable[[Tensors], Tensors]:
    def fill(tensors: Tensors) -> Tensors:
        name = only(tensors, "lora_B")
        spoiled = tensors[name].copy()
        spoiled.flat[-1] = value
        return tensors | {name: spoiled}

    return fill


BROKEN: dict[str, tuple[Callable[[Tensors], Tensors], str]] = {
    "nan": (filled(float("nan")), "lora_B.weight' holds NaN or infinite values"),
    "infinite": (filled(float("inf")), "lora_B.weight' holds NaN or infinite values"),
    "minus infinite": (filled(float("-inf")), "holds NaN or infinite values"),
    "half precision nan": (
        lambda tensors: {name: (value * np.nan).astype(np.float16) for name, value in tensors.items()},
        "holds NaN or infinite values",
    ),
    "no tensors": (lambda tensors: {"x": np.zeros(1, np.float32)}, "tensor 'x' does not belong"),
    "empty": (lambda tensors: {}, "has no tensor for the layer"),
    "one half missing": (without("layers.0.mlp.up_proj.lora_B"), "lacks the tensor"),
    "one layer missing": (without("layers.1.self_attn.q_proj"), "has no tensor for the layer"),
    "added tensor": (
        lambda tensors: tensors | {"model.lm_head.weight": np.zeros((2, 2), np.float32)},
        "belong",
    ),
    "another rank": (
        lambda tensors: {
            name: value[:2] if "lora_A" in name else np.ascontiguousarray(value[:, :2])
            for name, value in tensors.items()
        },
        "does not have the rank 4",
    ),
    "a vector": (lambda tensors: {name: value.reshape(-1) for name, value in tensors.items()}, "rank 4"),
    "renamed": (
        lambda tensors: {name.replace("base_model.model", "model"): value for name, value in tensors.items()},
        "does not belong",
    ),
}


@pytest.mark.parametrize("kind", BROKEN)
def test_an_adapter_that_would_not_be_applied_is_refused(adapter: Path, kind: str) -> None:
    change, message = BROKEN[kind]
    tensors = change(load_file(adapter / WEIGHTS))
    save_file(tensors, adapter / WEIGHTS, metadata={"format": "pt"})
    for load in (
        check_adapter,
        lambda folder: load_trained(folder, None),
        lambda folder: load_trainable(folder, None),
    ):
        with pytest.raises(ModelError) as error:
            load(adapter)
        assert message in one_line(error)
        assert WEIGHTS in one_line(error)


def test_bfloat16_values_are_checked(adapter: Path) -> None:
    from safetensors.torch import load_file as load_torch
    from safetensors.torch import save_file as save_torch

    tensors = {name: value.to(torch.bfloat16) for name, value in load_torch(adapter / WEIGHTS).items()}
    save_torch(tensors, adapter / WEIGHTS)
    check_adapter(adapter)
    tensors[min(tensors)][0, 0] = float("nan")
    save_torch(tensors, adapter / WEIGHTS)
    with pytest.raises(ModelError, match="holds NaN or infinite values"):
        check_adapter(adapter)


def test_the_number_of_weights_that_training_reported_counts(adapter: Path) -> None:
    changed(adapter / "adapter_config.json", target_modules=["q_proj", "v_proj"])
    kept = {
        name: value
        for name, value in load_file(adapter / WEIGHTS).items()
        if "q_proj" in name or "v_proj" in name
    }
    total = sum(value.size for value in kept.values())
    save_file({name: value for name, value in kept.items() if "layers.1" not in name}, adapter / WEIGHTS)
    check_adapter(adapter)
    with pytest.raises(ModelError, match="tensors are missing or were added"):
        check_adapter(adapter, trained_weights=total)
    with pytest.raises(ModelError, match=r"lacks the tensor .*layers.1.*which its base model needs"):
        load_trained(adapter, None)


def test_an_adapter_of_another_base_is_refused(adapter: Path, tmp_path: Path) -> None:
    from tiny_models import byte_tokenizer
    from transformers import LlamaConfig, LlamaForCausalLM

    tokenizer = byte_tokenizer(("Male", "Female", " the", "ing"))
    wide = LlamaConfig(
        vocab_size=len(tokenizer), hidden_size=48, intermediate_size=64, num_hidden_layers=2,
        num_attention_heads=4, num_key_value_heads=2, max_position_embeddings=512,
    )  # fmt: skip
    LlamaForCausalLM(wide).save_pretrained(tmp_path / "wide")
    tokenizer.save_pretrained(tmp_path / "wide")
    save_tiny_llama(tmp_path / "short", layers=1)
    save_tiny_llama(tmp_path / "long", layers=3)
    save_tiny_masked(tmp_path / "bert")
    for other, message in (("wide", "has the shape"), ("short", "not the base of this adapter")):
        (adapter / "base.json").write_text(model_of(tmp_path / other).model_dump_json())
        with pytest.raises(ModelError, match=message) as error:
            load_trained(adapter, None)
        one_line(error)


def test_an_adapter_over_other_weights_of_the_same_shapes_is_refused(base: Path, adapter: Path) -> None:
    section = json.loads((adapter / "base.json").read_text()) | {"digest": base_digest(model_of(base))}
    (adapter / "base.json").write_text(json.dumps(section))
    load_trained(adapter, None)
    weights = load_file(base / "model.safetensors")
    weights[min(weights)] = weights[min(weights)] + 1
    save_file(weights, base / "model.safetensors", metadata={"format": "pt"})
    for load in (load_trained, load_trainable):
        with pytest.raises(ModelError, match="are not those that this adapter was trained on") as error:
            load(adapter, None)
        one_line(error)


SETTINGS: dict[str, dict[str, object]] = {
    "another rank": {"r": 8},
    "no rank": {"r": None},
    "rank zero": {"r": 0},
    "rank as text": {"r": "4"},
    "a huge rank": {"r": 10**9},
    "a regular expression": {"target_modules": "(a+)+$"},
    "a number as a layer": {"target_modules": [3]},
    "another method": {"peft_type": "IA3"},
    "alpha NaN": {"lora_alpha": float("nan")},
    "alpha zero": {"lora_alpha": 0},
    "a module to import": {"megatron_config": {"a": 1}, "megatron_core": "evil"},
    "a library to import": {"auto_mapping": {"parent_library": "evil", "base_model_class": "C"}},
    "modules to save": {"modules_to_save": ["lm_head"]},
    "a rank per pattern": {"rank_pattern": {"(a+)+$": 2}},
    "other initial weights": {"init_lora_weights": "loftq"},
    "biases": {"bias": "all"},
    "DoRA without magnitudes": {"use_dora": True},
    "an unknown key": {"run_me": "rm"},
}


@pytest.mark.parametrize("kind", SETTINGS)
def test_a_configuration_of_an_adapter_that_paracosm_does_not_write_is_refused(
    adapter: Path, kind: str
) -> None:
    changed(adapter / "adapter_config.json", **SETTINGS[kind])
    with pytest.raises(ModelError) as error:
        load_trained(adapter, None)
    assert str(adapter) in one_line(error)


def test_a_damaged_configuration_of_an_adapter_is_refused(adapter: Path) -> None:
    for text in ("", "{", "[]", "null", "[" * 100_000):
        (adapter / "adapter_config.json").write_text(text)
        with pytest.raises(ModelError) as error:
            read_adapter(adapter)
        one_line(error)


@pytest.mark.parametrize("kind", ["code", "decoy"])
def test_the_command_refuses_in_one_line_with_exit_code_2(base: Path, tmp_path: Path, kind: str) -> None:
    if kind == "code":
        changed(base / "config.json", **MARKED["config.json"])
    else:
        with_decoy(base)
    (tmp_path / "r.yaml").write_text(
        f"name: r\ndata: {{source: 'sample:heart-disease', limit: 60}}\nmodel: {{base: {base}}}\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "paracosm.cli.app", "validate", "r.yaml"],
        cwd=tmp_path, capture_output=True, text=True, timeout=600, input="y\n", env=os.environ | {"HF_HUB_OFFLINE": "1"},
    )  # fmt: skip
    assert done.returncode == 2, done.stderr
    last = done.stderr.strip().splitlines()
    assert len(last) == 1, done.stderr
    assert ("auto_map" if kind == "code" else "convert it once") in last[0]
    shutil.rmtree(base)
