"""Speed of texts: CPU seconds of sampling and of the training loss, where they go, and seconds per 1,000 words.

    python bench/text/speed.py data.csv.gz --column text                     # tokens per CPU second, seconds per 1,000 words
    python bench/text/speed.py data.csv.gz --column text --profile           # the largest operations
    python bench/text/speed.py data.csv.gz --column text --tree ../other     # paired with another checkout, in turns

Texts are sampled from the first layers of the base model without an adapter: nonsense, but each token costs what any costs.
CPU time is measured in one thread, so that a busy machine changes little. With `--tree`, the two checkouts run one after the
other, `--rounds` times, and the ratio is the median over the rounds.
"""

import argparse
import json
import os
import statistics
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pandas as pd
import torch
from torch.profiler import ProfilerActivity, profile

from paracosm.finetune.models.base_model import load_base, load_tokenizer
from paracosm.finetune.objectives.grammar_loss import GrammarLoss
from paracosm.generate.constraints.request import Request
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.recipes.sections.model import Model
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Field, Schema

LOSS_TOKENS = 1024


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("table", type=Path)
    parser.add_argument("--column", required=True)
    parser.add_argument("--layers", type=int, default=6)
    parser.add_argument("--texts", type=int, default=24)
    parser.add_argument("--tokens", type=int, default=100, help="most tokens of a sampled text")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--tree", type=Path)
    parser.add_argument("--rounds", type=int, default=3)
    arguments = parser.parse_args()
    torch.set_num_threads(1)
    if arguments.tree is not None:
        paired(arguments.tree, arguments.rounds)
        return
    figures = measure(arguments)
    print(
        json.dumps(figures) if arguments.json else "\n".join(f"{k:28} {v:,.1f}" for k, v in figures.items())
    )


def measure(arguments: argparse.Namespace) -> dict[str, float]:
    """Return the figures of this checkout."""
    texts = pd.read_csv(arguments.table)[arguments.column].dropna().astype(str)
    texts = texts[texts.str.len() > 40].head(200)
    model = Model(layers=arguments.layers)
    tokenizer = load_tokenizer(model)
    field = Field(name="text", type="text", min_length=1, max_length=100_000)
    codec = Codec(Schema((field,)), tokenizer)  # type: ignore[arg-type]
    began = time.process_time()
    masks = TokenMasks(codec)
    tokens = 0
    for text in texts:
        ids = codec.encode_value(0, text)
        masks.of_value(0, ids)
        tokens += len(ids)
    encoding = tokens / (time.process_time() - began)
    base = load_base(model).eval()
    # Texts end at this many tokens, because the model reads no more.
    base.config.max_position_embeddings = arguments.tokens
    decoder = Decoder(AdaptedModel(base, codec, masks), batch_size=arguments.texts)
    requests = [Request(number) for number in range(arguments.texts)]
    decoder.records(requests[:2], seed=1)
    decoder.tally.tokens = 0
    records, seconds = timed(lambda: decoder.records(requests, seed=0), profiled=arguments.profile)
    words = sum(len(str(record["text"]).split()) for (record,) in records)
    return {
        "encoding, tokens/s": encoding,
        "loss, tokens/s": loss_speed(codec, masks, " ".join(texts)),
        "sampling, tokens/s": decoder.tally.tokens / seconds,
        "sampling, s per 1,000 words": 1000 * seconds / max(1, words),
    }


def loss_speed(codec: Codec, masks: TokenMasks, text: str) -> float:
    """Return the tokens per CPU second of the loss and its gradient, from the logits of a text on."""
    ids = codec.encode_value(0, text[:20_000])[:LOSS_TOKENS]
    loss, numbers = GrammarLoss(masks, codec.vocabulary), torch.tensor(masks.of_value(0, ids))
    torch.manual_seed(0)
    logits = torch.randn(len(ids), len(codec.tokenizer)).bfloat16().requires_grad_()
    seconds = []
    for _ in range(3):
        logits.grad = None
        began = time.process_time()
        loss(logits, torch.tensor(ids), numbers).backward()
        seconds.append(time.process_time() - began)
    return len(ids) / min(seconds)


def timed(run: Callable[[], list], *, profiled: bool) -> tuple[list, float]:
    """Return a result and its CPU seconds; print the largest operations if asked."""
    began = time.process_time()
    if not profiled:
        return run(), time.process_time() - began
    with profile(activities=[ProfilerActivity.CPU]) as recorded:
        result = run()
    print(
        recorded.key_averages().table(sort_by="self_cpu_time_total", row_limit=14, max_name_column_width=40)
    )
    return result, time.process_time() - began


def paired(tree: Path, rounds: int) -> None:
    """Run this bench on this checkout and on another in turns; print both and the median ratio."""
    plain = [argument for argument in sys.argv[1:] if argument != "--profile"]
    at = plain.index("--tree")
    command = [sys.executable, __file__, *plain[:at], *plain[at + 2 :], "--json"]
    found: dict[str, list[dict[str, float]]] = {"here": [], "there": []}
    for _ in range(rounds):
        for name, path in (("here", None), ("there", tree)):
            environment = dict(os.environ)
            if path is not None:
                environment["PYTHONPATH"] = str(path)
            output = subprocess.run(command, env=environment, check=True, capture_output=True, text=True)
            found[name].append(json.loads(output.stdout.splitlines()[-1]))
    for figure in found["here"][0]:
        here, there = (np.array([each[figure] for each in found[name]]) for name in ("here", "there"))
        print(
            f"{figure:28} {statistics.median(there):10,.1f} there {statistics.median(here):10,.1f} here"
            f"   ratio {statistics.median(here / there):.2f}"
        )


if __name__ == "__main__":
    main()
