"""Generation speed of one adapter against transformers.generate, and how speed and memory scale with the table.

    python bench/generation/speed.py runs/healthcare-heart              # against transformers.generate, share of the roofline
    python bench/generation/speed.py runs/healthcare-heart --profile    # where the time goes
    python bench/generation/speed.py --shapes                           # wide tables, many categories, long texts
    python bench/generation/speed.py runs/healthcare-heart --kills 5 --records 100000    # killed and resumed, same bytes

Ratios are measured within one run; on a busy machine only they are meaningful. `--shapes` uses 2 layers of the base model
without an adapter: its records are nonsense, but cost as much as others.
"""

import argparse
import cProfile
import pstats
import resource
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import torch
from killed_runs import generate_with_kills
from rich.console import Console
from rich.table import Table

from paracosm.finetune.cost_estimate import gemm_rate
from paracosm.finetune.models.adapter_files import check_adapter
from paracosm.finetune.models.base_model import load_base, load_tokenizer
from paracosm.finetune.models.pretrained import load_pretrained_adapter
from paracosm.finetune.models.restricted_head import restrict_head
from paracosm.foundation.errors import DataError
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.decoder import causal_batch_size, longest_record
from paracosm.generate.decoding.grammar_cache import GrammarCache
from paracosm.generate.decoding.loaded_model import AdaptedModel, load_adapted
from paracosm.recipes.loading.load import load_recipe
from paracosm.recipes.sections.model import Model
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Field, Schema


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path, nargs="?")
    parser.add_argument("--records", type=int, default=256)
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--shapes", action="store_true")
    parser.add_argument("--kills", type=int, default=0)
    arguments = parser.parse_args()
    if arguments.kills:
        generate_with_kills(arguments.run, arguments.records, arguments.kills)
    elif arguments.run is not None:
        compare(arguments.run, arguments.records, profiled=arguments.profile)
    if arguments.shapes or arguments.run is None:
        shapes()


def compare(run: Path, records: int, *, profiled: bool) -> None:
    """Time this engine and transformers.generate with the same adapter, one after the other."""
    adapted = load_adapted(run / "adapter")
    grammar = GrammarCache(adapted.masks, adapted.model.config.max_position_embeddings)
    slots = min(records, causal_batch_size(adapted.model, grammar, 2.0))
    decoder = Decoder(adapted, batch_size=slots)
    if profiled:
        profile = cProfile.Profile()
        profile.runcall(decoder.sample, range(records), seed=0)
        pstats.Stats(profile).sort_stats("tottime").print_stats(18)
        return
    rows = {
        f"transformers.generate, batch {slots}": lambda: by_transformers(
            run, adapted, records, slots, masked=False
        ),
        "  and masks in a logits processor": lambda: by_transformers(
            run, adapted, records, slots, masked=True
        ),
        f"paracosm, batch {slots}": lambda: by_paracosm(decoder, records),
    }
    table = Table(title=f"{run.name}: {records} records, {torch.get_num_threads()} thread(s)")
    for column in ("", "records/s", "valid", "valid records/s", "tokens/s", "of GEMM roofline"):
        table.add_column(column)
    weights = sum(
        part.numel()
        for name, part in adapted.model.named_parameters()
        if part.ndim == 2 and "embed" not in name
    )
    recipe = load_recipe(run / "recipe.yaml")
    speeds = {}
    for name, work in rows.items():
        seconds, valid, tokens = work()
        speeds[name] = records / seconds
        share = 2 * weights * tokens / seconds / gemm_rate(recipe)
        table.add_row(
            name,
            f"{records / seconds:.2f}",
            f"{valid / records:.0%}",
            f"{valid / seconds:.2f}",
            f"{tokens / seconds:.0f}",
            f"{share:.0%}",
        )
    Console(width=140).print(table)
    *others, paracosm = speeds.values()
    ratios = ", ".join(f"{paracosm / other:.1f}" for other in others)
    print(f"records per second of paracosm: {ratios} times those of the rows above")


def by_paracosm(decoder: Decoder, records: int) -> tuple[float, int, int]:
    """Return seconds, valid records and tokens of this engine."""
    before, began = decoder.tally.tokens, time.perf_counter()
    encodings = decoder.sample(range(records), seed=0)
    seconds = time.perf_counter() - began
    valid = sum(is_valid(decoder.adapted.codec, ids) for ids in encodings)
    return seconds, valid, decoder.tally.tokens - before


def by_transformers(
    run: Path, adapted: AdaptedModel, records: int, batch: int, *, masked: bool
) -> tuple[float, int, int]:
    """Sample with transformers.generate from the whole head; return seconds, valid records and tokens.

    Args:
        run: holds the adapter.
        adapted: the codec and its masks.
        records: number of records.
        batch: records that are decoded at once.
        masked: whether a logits processor applies the grammar row by row, as constrained generation usually does.
    """
    base = load_recipe(run / "recipe.yaml").model
    adapter = check_adapter(run / "adapter")
    model = load_pretrained_adapter(load_base(base), run / "adapter", adapter.lora_config())
    model = model.merge_and_unload().eval()
    codec, grammar = adapted.codec, adapted.masks.matcher(adapted.codec.grammar())
    most = longest_record(GrammarCache(adapted.masks, None)) - 1
    valid = tokens = 0
    began = time.perf_counter()
    for begin in range(0, records, batch):
        count = min(batch, records - begin)
        matchers = [grammar.deep_copy() for _ in range(count)]
        with torch.inference_mode():
            out = model.generate(
                torch.full((count, 1), codec.start),
                attention_mask=torch.ones(count, 1, dtype=torch.long),
                do_sample=True,
                top_k=0,
                max_new_tokens=most,
                eos_token_id=-1,
                pad_token_id=0,
                logits_processor=[partial(by_grammar, matchers, codec.alphabet.unused)] if masked else [],
            )
        tokens += count * most
        valid += sum(begins_with_a_record(codec, row) for row in out[:, 1:].tolist())
    return time.perf_counter() - began, valid, tokens


def by_grammar(matchers: list, end: int, ids: torch.Tensor, scores: torch.Tensor) -> torch.Tensor:
    for row, matcher in enumerate(matchers):
        if ids.shape[1] > 1 and not matcher.is_accepting():
            matcher.consume_token(int(ids[row, -1]))
        if matcher.is_accepting():
            scores[row, :end] = scores[row, end + 1 :] = -torch.inf
        else:
            bits = np.unpackbits(np.frombuffer(matcher.compute_bitmask(), dtype=np.uint8), bitorder="little")
            scores[row].masked_fill_(torch.from_numpy(bits[: scores.shape[1]] == 0), -torch.inf)
    return scores


def is_valid(codec: Codec, ids: list[int]) -> bool:
    try:
        return codec.schema.allows(codec.decode(ids))
    except DataError:
        return False


def begins_with_a_record(codec: Codec, ids: list[int]) -> bool:
    return any(is_valid(codec, ids[:length]) for length in range(len(codec.fields), len(ids) + 1))


def shapes() -> None:
    """Print speed and memory for tables of growing width, many categories and long texts."""
    table = Table(title="2 layers of the base model, no adapter")
    for column in (
        "table",
        "records",
        "records/s",
        "tokens/s",
        "valid",
        "peak MB at half",
        "peak MB at the end",
    ):
        table.add_column(column)
    cases: dict[str, tuple[Schema, int]] = {
        f"{count} columns": (Schema(columns(count)), records)
        for count, records in ((10, 256), (50, 128), (200, 64))
    }
    many = Field(name="code", type="category", categories=tuple(f"code {n} of the list" for n in range(2000)))
    cases["a column of 2,000 categories"] = (Schema((many, *columns(4))), 256)
    text = Field(name="note", type="text", max_length=3000)
    cases["a text of at most 3,000 characters"] = (Schema((*columns(4), text)), 16)
    for name, (schema, records) in cases.items():
        row = timed(schema, records)
        table.add_row(name, str(records), *row)
    Console(width=140).print(table)


def columns(count: int) -> tuple[Field, ...]:
    """Return fields of four types in turn."""
    kinds: tuple[Callable[[str], Field], ...] = (
        lambda name: Field(name=name, type="integer", minimum=0, maximum=120, nullable=True),
        lambda name: Field(name=name, type="category", categories=("low", "middle", "high", "very high")),
        lambda name: Field(name=name, type="number", decimals=2, minimum=-10.0, maximum=400.0),
        lambda name: Field(name=name, type="boolean"),
    )
    return tuple(kinds[number % len(kinds)](f"column {number}") for number in range(count))


def timed(schema: Schema, records: int) -> list[str]:
    """Return the cells of one row: speeds, share of valid records, peak memory at half and at the end."""
    base = Model(layers=2)
    codec = Codec(schema, load_tokenizer(base))
    model = load_base(base)
    restrict_head(model, codec.vocabulary)
    adapted = AdaptedModel(model.eval(), codec, TokenMasks(codec))
    grammar = GrammarCache(adapted.masks, model.config.max_position_embeddings)
    decoder = Decoder(adapted, batch_size=min(records // 2, causal_batch_size(model, grammar, 1.0)))
    peaks, encodings, began = [], [], time.perf_counter()
    for half in (range(records // 2), range(records // 2, records)):
        encodings += decoder.sample(half, seed=0)
        peaks.append(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
    seconds = time.perf_counter() - began
    valid = np.mean([is_valid(codec, ids) for ids in encodings])
    return [
        f"{records / seconds:.2f}",
        f"{decoder.tally.tokens / seconds:.0f}",
        f"{valid:.0%}",
        *map(str, peaks),
    ]


if __name__ == "__main__":
    main()
