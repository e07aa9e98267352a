"""Training methods: what is trained, merged and exported, and that packed and padded batches have the same loss."""

import json
import subprocess
import sys
from pathlib import Path

import pytest
import torch
from tiny_models import byte_tokenizer, gpt2, llama, save_tiny_llama

from paracosm.finetune.models.chat_prompt import prompt_tokens
from paracosm.finetune.models.lora import with_adapter
from paracosm.finetune.models.quantization import check_installed
from paracosm.finetune.models.trained_model import export, load_trained
from paracosm.finetune.objectives.causal import CausalObjective
from paracosm.finetune.objectives.causal_dataset import Collator, RecordDataset
from paracosm.finetune.objectives.encoded_record import encode_record
from paracosm.finetune.objectives.grammar_loss import GrammarLoss
from paracosm.finetune.objectives.packing import PackedCollator, use_packed_attention
from paracosm.finetune.training.fused_lora import FusedLinear, fuse
from paracosm.finetune.training.save_adapter import save_adapter
from paracosm.foundation.errors import ModelError, RecipeError, RegistryError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.data import Data
from paracosm.recipes.sections.finetune import Finetune, Prompt
from paracosm.recipes.sections.model import Model
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.stored_codec import codec_from_json, codec_to_json
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Field, Schema

DOSE = Field(name="dose", type="integer", minimum=8, maximum=120, nullable=True)
NOTE = Field(name="note", type="text", max_length=40, nullable=True)
RECORDS = [
    {"dose": 40, "note": "seen again, and again, and well"},
    {"dose": None, "note": None},
    {"dose": 8, "note": ""},
    {"dose": 120, "note": "short"},
]


def make_objective(fields: tuple[Field, ...] = (DOSE, NOTE), prompt: tuple[int, ...] = ()) -> CausalObjective:
    tokenizer = byte_tokenizer()
    codec = Codec(Schema(fields), tokenizer, "places", prompt)
    masks = TokenMasks(codec)
    records = RecordDataset(
        [encode_record(record, codec, masks) for record in RECORDS],
        opening=codec.opening,
        shuffled=False,
        seed=0,
    )
    collate = Collator(codec.vocabulary, codec.alphabet.stop)
    return CausalObjective(
        codec, tokenizer, records, records, 0, collate, GrammarLoss(masks, codec.vocabulary), 0
    )


def recipe(base: Path, **changes: object) -> Recipe:
    model = Model(base=str(base), dtype="float32", quantize=changes.pop("quantize", None))  # type: ignore[arg-type]
    return Recipe(name="tiny", data=Data(source="none"), model=model, finetune=Finetune(rank=4, **changes))  # type: ignore[arg-type]


def learn(model: torch.nn.Module, objective: CausalObjective, steps: int = 6) -> list[float]:
    optimizer = torch.optim.AdamW(
        [weights for weights in model.parameters() if weights.requires_grad], lr=1e-2
    )
    batch, losses = objective.collate([objective.train[row] for row in range(len(RECORDS))]), []
    model.train()
    for _ in range(steps):
        loss = objective.summed_loss(model, batch)
        loss.backward()
        optimizer.step()
        optimizer.zero_grad()
        losses.append(float(loss.detach()))
    return losses


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    tokenizer = byte_tokenizer()
    folder = tmp_path_factory.mktemp("base")
    llama(tokenizer).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


METHODS = [
    {"method": "lora"},
    {"method": "rslora"},
    {"method": "dora"},
    {"method": "full"},
    {"method": "lora", "quantize": "nf4"},
    {"method": "dora", "quantize": "nf4"},
    {"method": "lora", "quantize": "int8"},
]


@pytest.mark.parametrize("method", METHODS, ids=lambda method: "-".join(map(str, method.values())))
@pytest.mark.parametrize("fields", [(DOSE,), (DOSE, NOTE)], ids=["restricted head", "full head"])
def test_loaded_and_exported_models_equal_the_trained_one(
    method: dict, fields: tuple[Field, ...], base: Path, tmp_path: Path
) -> None:
    from transformers import AutoModelForCausalLM

    objective, settings = make_objective(fields), recipe(base, **method)
    model = with_adapter(settings, objective.codec, objective.train.max_tokens)
    fuse(model)
    losses = learn(model, objective)
    assert losses[-1] < 0.8 * losses[0]
    run = Run.create(tmp_path / "run")
    save_adapter(model, objective.codec, objective.tokenizer, settings, run)
    batch = objective.collate([objective.train[row] for row in range(len(RECORDS))])
    model.eval()
    with torch.no_grad():
        trained = model(input_ids=batch["input_ids"]).logits
        merged = load_trained(run.adapter, objective.codec.vocabulary)(input_ids=batch["input_ids"]).logits
        export(run.adapter, tmp_path / "plain", "float32")
        plain = AutoModelForCausalLM.from_pretrained(tmp_path / "plain", dtype=torch.float32)
        logits = plain(input_ids=batch["input_ids"]).logits
    # With int8, activations are rounded too in training.
    near = 0.05 * float(trained.std()) if method.get("quantize") == "int8" else 2e-4
    assert float((trained - merged).abs().max()) < near * (4 if method.get("quantize") == "int8" else 1)
    columns = objective.codec.vocabulary
    kept = logits if columns is None else logits[..., list(columns)]
    torch.testing.assert_close(kept, merged, atol=1e-4, rtol=1e-4)
    assert "quantization_config" not in json.loads((tmp_path / "plain" / "config.json").read_text())


def test_a_fused_layer_has_the_gradients_of_peft(base: Path) -> None:
    objective, gradients = make_objective(), {}
    for fused in (False, True):
        torch.manual_seed(0)
        model = with_adapter(recipe(base), objective.codec, objective.train.max_tokens)
        for name, weights in model.named_parameters():
            if "lora_B" in name:
                torch.nn.init.normal_(weights, generator=torch.Generator().manual_seed(1))
        if fused:
            fuse(model)
            assert any(isinstance(module, FusedLinear) for module in model.modules())
        batch = objective.collate([objective.train[row] for row in range(len(RECORDS))])
        objective.summed_loss(model, batch).backward()
        gradients[fused] = {n: w.grad for n, w in model.named_parameters() if w.requires_grad}
    for name, gradient in gradients[False].items():
        torch.testing.assert_close(gradients[True][name], gradient, atol=1e-4, rtol=1e-4)


def test_layers_with_dropout_or_a_variant_are_not_fused(base: Path) -> None:
    objective = make_objective()
    for changes in ({"dropout": 0.1}, {"method": "dora"}, {"quantize": "nf4"}):
        model = with_adapter(recipe(base, **changes), objective.codec, objective.train.max_tokens)
        fuse(model)
        assert not any(isinstance(module, FusedLinear) for module in model.modules())


@pytest.mark.parametrize("family", [llama, gpt2])
@pytest.mark.parametrize("prompt", [(), (70, 71, 72)], ids=["no prompt", "prompt"])
def test_packed_records_have_the_loss_of_padded_ones(family, prompt: tuple[int, ...]) -> None:
    objective = make_objective(prompt=prompt)
    model = family(objective.tokenizer).eval()
    examples = [objective.train[row] for row in range(len(RECORDS))]
    alone = [float(objective.summed_loss(model, objective.collate([example]))) for example in examples]
    padded = float(objective.summed_loss(model, objective.collate(examples)))
    assert use_packed_attention(model)
    packed_batch = PackedCollator(objective.collate)(examples)  # type: ignore[arg-type]
    assert packed_batch["input_ids"].shape == (1, sum(record.tokens for record in objective.train.records))
    packed = float(objective.summed_loss(model, packed_batch))
    assert packed == pytest.approx(padded, rel=1e-5)
    assert packed == pytest.approx(sum(alone), rel=1e-5)


def test_a_model_that_does_not_support_packing_is_unchanged() -> None:
    from transformers import BloomConfig, BloomForCausalLM

    # Bloom uses distances along the row and takes no position ids.
    torch.manual_seed(0)
    model = BloomForCausalLM(BloomConfig(vocab_size=260, hidden_size=32, n_layer=1, n_head=4))
    usual = model.config._attn_implementation
    assert not use_packed_attention(model)
    assert model.config._attn_implementation == usual


def test_a_prompt_is_encoded_with_the_chat_template() -> None:
    tokenizer = byte_tokenizer()
    prompt = Prompt(system="You are a clerk.", user="Write one record.")
    assert (
        tokenizer.decode(prompt_tokens(prompt, tokenizer)) == "<|start|>You are a clerk.\nWrite one record.\n"
    )
    tokenizer.chat_template = (
        "{% for m in messages %}[{{ m.role }}]{{ m.content }}{% endfor %}"
        "{% if add_generation_prompt %}[assistant]{% endif %}"
    )
    opened = "[system]You are a clerk.[user]Write one record.[assistant]"
    assert tokenizer.decode(prompt_tokens(prompt, tokenizer)) == opened
    tokenizer.chat_template = "{{ raise_exception('no system role') }}"
    with pytest.raises(ModelError, match=r"finetune.prompt: the chat template .* rejects it: no system role"):
        prompt_tokens(prompt, tokenizer)


def test_a_codec_keeps_its_prompt() -> None:
    codec = make_objective(prompt=(70, 71)).codec
    assert codec_from_json(codec_to_json(codec), codec.tokenizer).opening == (70, 71)
    assert make_objective().codec.opening != (70, 71)


def test_impossible_settings_are_errors(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    objective = make_objective()
    with pytest.raises(
        ModelError, match=r"has no linear layer 'q_prj' \(it has down_proj, .* mean 'q_proj'\?"
    ):
        with_adapter(
            recipe(base, target_modules=["v_proj", "q_prj"]), objective.codec, objective.train.max_tokens
        )
    with pytest.raises(
        RecipeError, match=r"full trains the weights of the base model, which model.quantize nf4"
    ):
        load_recipe(Path("healthcare-heart"), ["finetune.method=full", "model.quantize=nf4"])
    with pytest.raises(RecipeError, match=r"is empty; set user or system"):
        load_recipe(Path("healthcare-heart"), ["finetune.prompt={}"])
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(ModelError, match=r"nf4 needs the package bitsandbytes; run: pip install"):
        check_installed(Model(quantize="nf4"))


def test_a_missing_kernel_is_an_error_before_loading(base: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import bitsandbytes.nn.modules as modules

    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("no kernel image is available\nfor this device")

    monkeypatch.setattr(modules, "Linear4bit", broken)
    objective = make_objective()
    with pytest.raises(ModelError, match=r"no nf4 kernel for cpu here: no kernel image is available$"):
        with_adapter(recipe(base, quantize="nf4"), objective.codec, objective.train.max_tokens)


def test_export_does_not_overwrite_a_folder(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "paracosm.cli.app", "export", str(tmp_path), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == f"error: {tmp_path}: exists; name a new folder\n"


def test_a_full_model_is_saved_without_adapter_files(tmp_path: Path) -> None:
    objective = make_objective()
    settings = recipe(save_tiny_llama(tmp_path / "base"), method="full")
    run = Run.create(tmp_path / "run")
    model = with_adapter(settings, objective.codec, objective.train.max_tokens)
    save_adapter(model, objective.codec, objective.tokenizer, settings, run)
    names = {path.name for path in run.adapter.iterdir()}
    assert {"model.safetensors", "config.json", "codec.json", "base.json"} <= names
    assert not names & {"adapter_config.json", "adapter_model.safetensors"}


def test_a_version_contains_an_adapter_or_a_full_model(tmp_path: Path) -> None:
    from paracosm.registry.versions.checks import check_complete
    from paracosm.registry.versions.manifest import OF_MODEL, REQUIRED, Version, may_publish

    def version(*names: str) -> Version:
        files = {name: {"sha256": "0" * 64, "bytes": 1} for name in (*REQUIRED, *OF_MODEL, *names)}
        words = {
            "published": "",
            "verdict": "PASS",
            "profile": "internal",
            "base_model": "b",
            "paracosm": "0",
        }
        return Version(name="t", number=1, limits={}, override=None, files=files, folder=tmp_path, **words)

    whole = ("config.json", "generation_config.json", "model.safetensors")
    assert all(map(may_publish, (*whole, "model-00001-of-00002.safetensors", "model.safetensors.index.json")))
    check_complete(version("adapter_config.json", "adapter_model.safetensors"), where="t")
    check_complete(version(*whole), where="t")
    for lacking in ((), ("config.json",), ("model.safetensors",), ("adapter_config.json",)):
        with pytest.raises(RegistryError, match="lacks adapter_"):
            check_complete(version(*lacking), where="t")
