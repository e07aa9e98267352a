"""Tiny tokenizers and randomly initialised models of several families, so that tests need no download."""

from pathlib import Path

import torch
from tokenizers import Tokenizer, decoders, models, pre_tokenizers
from transformers import (
    BertConfig,
    BertForMaskedLM,
    DistilBertConfig,
    DistilBertForMaskedLM,
    GPT2Config,
    GPT2LMHeadModel,
    LlamaConfig,
    LlamaForCausalLM,
    ModernBertConfig,
    ModernBertForMaskedLM,
    PreTrainedModel,
    PreTrainedTokenizerFast,
    RobertaConfig,
    RobertaForMaskedLM,
)


def byte_tokenizer(merged: tuple[str, ...] = (), *, one_special: bool = False) -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer with 256 byte tokens, a few merges, and three special tokens (or one, like GPT-2)."""
    alphabet = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {symbol: number for number, symbol in enumerate(alphabet)}
    merges = []
    for word in (word.replace(" ", "Ġ") for word in merged):
        built = word[0]
        for letter in word[1:]:
            merges.append((built, letter))
            built += letter
            vocabulary.setdefault(built, len(vocabulary))
    tokenizer = Tokenizer(models.BPE(vocab=vocabulary, merges=list(dict.fromkeys(merges))))
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    special = (
        {"eos_token": "<|end|>"}
        if one_special
        else {"bos_token": "<|start|>", "eos_token": "<|end|>", "pad_token": "<|pad|>"}
    )
    return PreTrainedTokenizerFast(tokenizer_object=tokenizer, clean_up_tokenization_spaces=False, **special)


LETTERS = "0123456789+-abcdefghijklmnopqrstuvwxyzMF ?:,.;"


def unigram_tokenizer() -> PreTrainedTokenizerFast:
    """Return a Unigram tokenizer like SentencePiece: pieces with scores, spaces as a visible symbol."""
    pieces = [("<unk>", 0.0), ("<s>", 0.0), ("</s>", 0.0), ("<pad>", 0.0), ("\u2581", -2.0)]
    pieces += [(letter, -4.0) for letter in LETTERS if letter != " "]
    pieces += [(piece, -3.0) for piece in ("tu", "es", "day", "\u2581th", "ing")]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=0, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="never")
    tokenizer.decoder = decoders.Metaspace(prepend_scheme="never")
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer, bos_token="<s>", eos_token="</s>", pad_token="<pad>", unk_token="<unk>"
    )


def wordpiece_tokenizer() -> PreTrainedTokenizerFast:
    """Return a WordPiece tokenizer like that of BERT: whole words, and continuations marked by ##."""
    words = ["[PAD]", "[UNK]", "[CLS]", "[SEP]", "[MASK]"]
    words += [letter for letter in LETTERS if letter != " "]
    words += [f"##{letter}" for letter in LETTERS if letter.isalnum()]
    words += ["tu", "##es", "##day"]
    tokenizer = Tokenizer(
        models.WordPiece({word: number for number, word in enumerate(words)}, unk_token="[UNK]")
    )
    tokenizer.pre_tokenizer = pre_tokenizers.BertPreTokenizer()
    tokenizer.decoder = decoders.WordPiece()
    return PreTrainedTokenizerFast(
        tokenizer_object=tokenizer,
        cls_token="[CLS]",
        sep_token="[SEP]",
        pad_token="[PAD]",
        unk_token="[UNK]",
        mask_token="[MASK]",
    )


def llama(tokenizer: PreTrainedTokenizerFast, *, layers: int = 2, seed: int = 0) -> PreTrainedModel:
    """Return a Llama model with a few thousand weights."""
    torch.manual_seed(seed)
    return LlamaForCausalLM(
        LlamaConfig(
            vocab_size=len(tokenizer),
            hidden_size=32,
            intermediate_size=64,
            num_hidden_layers=layers,
            num_attention_heads=4,
            num_key_value_heads=2,
            max_position_embeddings=512,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            initializer_range=0.2,
        )
    )


def gpt2(tokenizer: PreTrainedTokenizerFast, *, layers: int = 2, seed: int = 0) -> PreTrainedModel:
    """Return a GPT-2 model with a few thousand weights: learned positions, tied head, Conv1D layers."""
    torch.manual_seed(seed)
    return GPT2LMHeadModel(
        GPT2Config(
            vocab_size=len(tokenizer),
            n_embd=32,
            n_layer=layers,
            n_head=4,
            n_positions=512,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            initializer_range=0.2,
        )
    )


def save_tiny_llama(folder: Path, *, layers: int = 2) -> Path:
    """Write a tiny Llama and its tokenizer as a model folder; return the folder."""
    tokenizer = byte_tokenizer(("Male", "Female", " the", "ing"))
    llama(tokenizer, layers=layers).save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def masked_byte_tokenizer() -> PreTrainedTokenizerFast:
    """Return a byte-level BPE tokenizer with the special tokens of RoBERTa."""
    tokenizer = byte_tokenizer((" the", " tu", "es", " mo", " pain", "ing"))
    tokenizer.add_special_tokens(
        {
            "bos_token": "<s>",
            "cls_token": "<s>",
            "eos_token": "</s>",
            "sep_token": "</s>",
            "pad_token": "<pad>",
            "unk_token": "<unk>",
            "mask_token": "<mask>",
        }
    )
    return tokenizer


def _small(tokenizer: PreTrainedTokenizerFast) -> dict:
    return {
        "vocab_size": len(tokenizer),
        # RoBERTa's positions begin after its padding index.
        "max_position_embeddings": 512,
        "pad_token_id": tokenizer.pad_token_id,
        "initializer_range": 0.3,
    }


BODY = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": 2, "num_attention_heads": 2}
MASKED = {
    "BERT": (
        wordpiece_tokenizer,
        lambda tokenizer: BertForMaskedLM(BertConfig(**_small(tokenizer), **BODY)),
    ),
    "DistilBERT": (
        wordpiece_tokenizer,
        lambda tokenizer: DistilBertForMaskedLM(
            DistilBertConfig(**_small(tokenizer), dim=32, hidden_dim=48, n_layers=2, n_heads=2)
        ),
    ),
    "RoBERTa": (
        masked_byte_tokenizer,
        lambda tokenizer: RobertaForMaskedLM(RobertaConfig(**_small(tokenizer), **BODY)),
    ),
    "ModernBERT": (
        masked_byte_tokenizer,
        lambda tokenizer: ModernBertForMaskedLM(
            ModernBertConfig(
                **_small(tokenizer),
                **BODY,
                bos_token_id=tokenizer.bos_token_id,
                eos_token_id=tokenizer.eos_token_id,
                cls_token_id=tokenizer.cls_token_id,
                sep_token_id=tokenizer.sep_token_id,
            )
        ),
    ),
}
"""Masked language models with a few thousand weights: per architecture, functions that build tokenizer and model."""


def masked_model(family: str, seed: int = 0) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Return a masked language model of an architecture, and its tokenizer."""
    tokenize, build = MASKED[family]
    tokenizer = tokenize()
    torch.manual_seed(seed)
    return build(tokenizer), tokenizer


def save_tiny_masked(folder: Path, family: str = "BERT") -> Path:
    """Write a tiny masked language model and its tokenizer as a model folder; return the folder."""
    model, tokenizer = masked_model(family)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder
