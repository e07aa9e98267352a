"""Adaptation: which documents are trained on, what of a conversation is learnt, and TRL's loss against a plain one."""

import json
import math
from pathlib import Path
from typing import Any

import pytest
import torch
from tiny_models import byte_tokenizer, llama, save_tiny_llama
from transformers import PreTrainedTokenizerFast

from paracosm.finetune.adaptation.bits import document_nats, mean_bits
from paracosm.finetune.adaptation.corpus import Corpus, read_corpus, read_documents
from paracosm.finetune.adaptation.encoding import encode
from paracosm.finetune.models.domain import domain_digest, load_domain_base
from paracosm.finetune.objectives.grammar_loss import IGNORED
from paracosm.finetune.stage import train
from paracosm.foundation.errors import DataError, ModelError, RecipeError
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.model import Model
from paracosm.recipes.sections.training.adapt import Adapt
from paracosm.records.stage import prepare

CHATML = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{{ message.content }}<|im_end|>\n{% endfor %}"
    "{% if add_generation_prompt %}<|im_start|>assistant\n{% endif %}"
)
MARKED = (
    "{% for message in messages %}<|im_start|>{{ message.role }}\n{% if message.role == 'assistant' %}{% generation %}"
    "{{ message.content }}<|im_end|>{% endgeneration %}{% else %}{{ message.content }}<|im_end|>{% endif %}{{ '\\n' }}{% endfor %}"
)
TALK = [
    {"role": "system", "content": "Be brief."},
    {"role": "user", "content": "Does it hurt?"},
    {"role": "assistant", "content": "Only at night."},
    {"role": "user", "content": "Since when?"},
    {"role": "assistant", "content": "Tuesday."},
]
RECIPE = """\
name: tiny
data: {{source: notes.csv, rare: keep, fields: {{note: {{type: text}}}}}}
model: {{base: "{base}", dtype: float32}}
adapt: {{source: corpus.jsonl, rank: 4, block: 64, batch_size: 4, learning_rate: 0.01, warmup_steps: 2, epochs: 2}}
finetune: {{rank: 4, epochs: 1, patience: null}}
"""


def chat_tokenizer(template: str = CHATML) -> PreTrainedTokenizerFast:
    tokenizer = byte_tokenizer((" pain", "ing"))
    tokenizer.chat_template = template
    return tokenizer


def note(number: int) -> str:
    return f"Patient {number} reports pain in the left knee, worse when walking, since day {number % 7}."


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "recipe.yaml").write_text(RECIPE.format(base=save_tiny_llama(tmp_path / "model")))
    (tmp_path / "notes.csv").write_text("note\n" + "".join(f'"{note(number)}"\n' for number in range(80)))
    letters = [
        {"text": f"Letter {number}: {note(number * 31)} We will see you again."} for number in range(40)
    ]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(letter) + "\n" for letter in letters))
    return tmp_path


def test_texts_of_the_same_words_count_once_and_held_out_documents_do_not_depend_on_the_order(
    tmp_path: Path,
) -> None:
    texts = [f"document number {number} of the corpus" for number in range(40)]
    run = prepared(tmp_path)
    splits = []
    for order in (texts, [*texts[::-1], texts[0].upper(), " " + texts[1]]):
        (tmp_path / "corpus.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in order))
        splits.append(read_corpus(with_corpus(source="corpus.jsonl", held_out=0.1), run, root=tmp_path))
    assert splits[1].repeated == 2
    assert len(splits[0].held_out) == 4
    keys = [sorted(text.lower().strip() for text in corpus.held_out) for corpus in splits]  # type: ignore[union-attr]
    assert keys[0] == keys[1]


def with_corpus(**section: Any) -> Recipe:
    return Recipe.model_validate({"name": "x", "data": {"source": "notes.csv"}, "adapt": section})


def prepared(folder: Path) -> Run:
    (folder / "notes.csv").write_text("note\n" + "".join(f'"{note(number)}"\n' for number in range(80)))
    recipe = folder / "plain.yaml"
    recipe.write_text("name: x\ndata: {source: notes.csv, rare: keep, fields: {note: {type: text}}}\n")
    run = Run.create(folder / "run")
    prepare(recipe=load_recipe(recipe), run=run, root=folder)
    return run


def test_documents_that_repeat_control_or_test_records_are_left_out(tmp_path: Path) -> None:
    import pandas as pd

    run = prepared(tmp_path)
    held = [*pd.read_parquet(run.split("control"))["note"], *pd.read_parquet(run.split("test"))["note"]]
    known = list(pd.read_parquet(run.split("train"))["note"])
    corpus = [f"Dear colleague. {text} Yours." for text in held] + [
        f"Letter. {text.upper()}" for text in known
    ]
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in corpus))
    found = read_corpus(with_corpus(source="corpus.jsonl", held_out=0), run, root=tmp_path)
    assert found.held_back == len(held)
    assert len(found.train) == len(set(known))
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps({"text": text}) + "\n" for text in held))
    with pytest.raises(DataError, match="no document to train on") as error:
        read_corpus(with_corpus(source="corpus.jsonl"), run, root=tmp_path)
    assert "knee" not in str(error.value)


@pytest.mark.parametrize(
    ("rows", "settings", "message"),
    [
        ([{"a": "x", "b": "y"}], {}, "adapt.column: name the column"),
        ([{"text": "x"}], {"column": "body"}, "no column 'body'"),
        ([{"text": "  "}], {}, "is empty"),
        ([{"messages": [{"role": "boss", "content": "SECRET"}]}], {}, "known role"),
        ([{"messages": [{"role": "user", "content": ["SECRET"]}]}], {}, "without a text"),
    ],
)
def test_a_wrong_corpus_ends_in_one_line_without_its_text(
    rows: list[dict[str, object]], settings: dict[str, str], message: str, tmp_path: Path
) -> None:
    (tmp_path / "corpus.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    with pytest.raises(DataError, match=message) as error:
        read_documents(Adapt(source="corpus.jsonl", **settings), root=tmp_path)  # type: ignore[arg-type]
    assert "SECRET" not in str(error.value)
    assert "\n" not in str(error.value)


def test_a_folder_of_texts_and_conversations_of_other_formats_are_read(tmp_path: Path) -> None:
    (tmp_path / "notes").mkdir()
    (tmp_path / "notes" / "a.txt").write_text("First note.\n")
    (tmp_path / "notes" / "b.txt").write_text("Second note.\n")
    assert read_documents(Adapt(source="notes"), root=tmp_path) == ["First note.", "Second note."]
    shared = [{"conversations": [{"from": "human", "value": "Hi"}, {"from": "gpt", "value": "Hello"}]}]
    (tmp_path / "chat.jsonl").write_text(json.dumps(shared[0]) + "\n")
    assert read_documents(Adapt(source="chat.jsonl"), root=tmp_path) == [
        [{"role": "user", "content": "Hi"}, {"role": "assistant", "content": "Hello"}]
    ]


def test_only_the_messages_of_the_assistant_are_learnt_as_the_marks_of_a_template_say() -> None:
    tokenizer = chat_tokenizer()
    (document,) = encode([TALK], tokenizer, "assistant")
    learnt = tokenizer.decode([label for label in document.labels if label != IGNORED])
    assert learnt == "Only at night.<|im_end|>Tuesday.<|im_end|>"
    marked: Any = chat_tokenizer(MARKED).apply_chat_template(
        TALK, return_dict=True, return_assistant_tokens_mask=True
    )
    assert marked["input_ids"] == document.ids
    assert marked["assistant_masks"] == [int(label != IGNORED) for label in document.labels]
    (whole,) = encode([TALK], tokenizer, "all")
    assert whole.labels == document.ids


def test_a_template_that_rewrites_the_past_and_a_model_without_one_are_refused() -> None:
    forgetful = (
        "{% for message in messages %}{% if loop.last %}LAST {% endif %}{{ message.content }}\n{% endfor %}"
    )
    with pytest.raises(DataError, match=r"set adapt\.loss to all"):
        encode([TALK], chat_tokenizer(forgetful), "assistant")
    assert encode([TALK], chat_tokenizer(forgetful), "all")
    with pytest.raises(ModelError, match="no chat template"):
        encode([TALK], byte_tokenizer(), "assistant")
    strict = "{{ raise_exception('roles must alternate') }}"
    with pytest.raises(DataError, match="rejects a conversation: roles must alternate"):
        encode([TALK], chat_tokenizer(strict), "all")
    with pytest.raises(DataError, match="no conversation has a message of the assistant"):
        encode([TALK[:2]], chat_tokenizer(), "assistant")


@pytest.mark.parametrize("conversations", [False, True])
def test_the_loss_of_trl_is_that_of_the_plain_likelihood(conversations: bool, tmp_path: Path) -> None:
    """Packed blocks on the one side, one document after the other on the other."""
    pytest.importorskip("trl")
    from paracosm.finetune.adaptation.trainer import adaptation_trainer, separates_documents

    tokenizer = chat_tokenizer()
    model = llama(tokenizer)
    corpus = (
        [TALK[: 3 + 2 * (at % 2)] for at in range(8)]
        if conversations
        else [note(at)[: 20 + 9 * at] for at in range(8)]
    )
    documents = encode(corpus, tokenizer, "assistant")  # type: ignore[arg-type]
    assert any(len(document.ids) > 64 for document in documents)
    ours = document_nats(model, documents, block=64)
    expected = sum(nat for nat, _ in ours) / sum(count for _, count in ours)
    assert separates_documents(model)
    trainer = adaptation_trainer(
        model,
        tokenizer,
        documents,
        Adapt(source="x", block=64, batch_size=1, learning_rate=1e-9, warmup_steps=0),
        folder=tmp_path,
        lora=None,
        packed=True,
        world_size=1,
        progress=lambda _: None,
    )
    blocks = trainer.blocks.blocks
    assert blocks < sum(-(-len(document.ids) // 64) for document in documents)
    trainer.args.gradient_accumulation_steps = blocks
    trainer.blocks.batch_size = blocks
    trainer.args.logging_steps = trainer.state.logging_steps = 1
    trainer.train()
    loss = next(entry["loss"] for entry in trainer.state.log_history if "loss" in entry)
    assert loss == pytest.approx(expected, abs=1e-3)
    assert mean_bits(ours)[1] == pytest.approx(expected / math.log(2))


def test_the_record_adapter_stands_on_the_adapted_base(folder: Path) -> None:
    from paracosm.finetune.models.trained_model import export, load_trained, load_untrained

    pytest.importorskip("trl")
    recipe = load_recipe(folder / "recipe.yaml")
    run = Run.create(folder / "run")
    prepare(recipe=recipe, run=run, root=folder)
    assert train(recipe=recipe, run=run, root=folder)
    facts = run.journal.stage("adapt")["facts"]
    assert facts["documents"] + facts["held_out_documents"] + facts["held_back_documents"] == 40
    assert facts["bits_after"] < facts["bits_before"] - 10
    assert not run.adaptation_work.exists()
    bare = load_domain_base(recipe.model, None).state_dict()
    adapted = load_domain_base(recipe.model, run.adaptation).state_dict()
    changed = {name for name in bare if not torch.equal(bare[name], adapted[name])}
    assert len(changed) == 2 * 7
    untrained = load_untrained(run.adapter, None).state_dict()
    assert all(torch.equal(untrained[name], adapted[name]) for name in adapted)
    export(run.adapter, folder / "exported")
    whole = load_domain_base(Model(base=str(folder / "exported"), dtype="float32"), None).state_dict()
    trained = load_trained(run.adapter, None).state_dict()
    assert all(torch.equal(whole[name], trained[name]) for name in whole)
    # Nothing is repeated, not even where the corpus is gone; another setting needs it again.
    (folder / "corpus.jsonl").unlink()
    assert not train(recipe=recipe, run=run, root=folder)
    with pytest.raises(DataError, match=r"adapt.source: .*corpus.jsonl"):
        train(recipe=load_recipe(folder / "recipe.yaml", ["adapt.epochs=1"]), run=run, root=folder)


def test_all_weights_of_the_first_layers_are_adapted_with_the_method_full(folder: Path) -> None:
    pytest.importorskip("trl")
    recipe = load_recipe(
        folder / "recipe.yaml", ["adapt.method=full", "model.layers=1", "adapt.learning_rate=0.001"]
    )
    run = Run.create(folder / "run")
    prepare(recipe=recipe, run=run, root=folder)
    train(recipe=recipe, run=run, root=folder)
    model = load_domain_base(recipe.model, run.adaptation)
    assert model.config.num_hidden_layers == 1
    facts = run.journal.stage("adapt")["facts"]
    assert facts["bits_after"] < facts["bits_before"]
    assert facts["trainable_parameters"] == sum(weights.numel() for weights in model.parameters())
    assert (run.adapter / "domain" / "model.safetensors").is_file()
    assert domain_digest(recipe.model, run.adaptation) == domain_digest(recipe.model, run.adapter / "domain")


def test_damaged_weights_of_a_domain_are_refused(folder: Path) -> None:
    (folder / "domain").mkdir()
    with pytest.raises(ModelError, match=r"lacks adapter_config.json"):
        load_domain_base(Model(base=str(folder / "model")), folder / "domain")


@pytest.mark.parametrize(
    ("override", "message"),
    [
        ("finetune.objective=masked", "adapt: is for causal models"),
        ("strategy=statistical", "statistical trains no language model"),
        ("model.quantize=nf4", "model.quantize nf4 rounds"),
        ("adapt.block=4", "adapt.block"),
        ("adapt.corpus=x", "adapt.corpus"),
    ],
)
def test_recipes_that_cannot_be_adapted_are_refused(override: str, message: str, folder: Path) -> None:
    with pytest.raises(RecipeError, match=message):
        load_recipe(folder / "recipe.yaml", [override])


def test_a_corpus_outlives_its_file(tmp_path: Path) -> None:
    corpus = Corpus([TALK], [TALK[:3]], read=2, repeated=0, held_back=0)
    corpus.save(tmp_path / "corpus.json")
    assert Corpus.load(tmp_path / "corpus.json") == corpus
