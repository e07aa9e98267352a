"""How well a masked model fills what is missing in texts, and what it copies: adapter against base, training against held-out texts.

    paracosm run healthcare-note-infilling data.source=mts_dialog.csv
    python bench/generation/infilling.py runs/healthcare-note-infilling

Every eighth piece of a text is hidden at once, so that its neighbours are seen; `right` is the share where the likeliest
piece is the one that was there, `bits` the mean code length of a hidden piece. The first row predicts the most frequent
piece of the training texts. `--rewrite` hides that share of the words of the test texts instead, draws them as
`generate.rewrite` does, and looks for runs of 8 words, of which at least one was drawn, that a training text holds.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from paracosm.eval.attacks.likelihood_reader import reader_of
from paracosm.eval.attacks.target import adapter_likelihoods, base_likelihoods
from paracosm.finetune.models.trained_model import load_codec
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.guide import RuleConstraints
from paracosm.generate.decoding.loaded_model import load_adapted
from paracosm.generate.decoding.masked import MaskedDecoder
from paracosm.recipes.run.directory import Run
from paracosm.records.codec.masked_layout import MaskedLayout
from paracosm.records.constraints.rules import Rulebook
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records

RUN = 8


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("run", type=Path)
    parser.add_argument("--texts", type=int, default=300, help="of each split, at most")
    parser.add_argument("--rewrite", type=float, default=0.3)
    arguments = parser.parse_args()
    run = Run(arguments.run)
    schema = Schema.load(run.schema)
    records = {
        name: to_records(read_table(run.split(name), schema), schema)[: arguments.texts]
        for name in ("train", "control", "test")
    }
    filling(run, records)
    rewriting(run, records["test"], arguments.rewrite)


def filling(run: Run, records: dict[str, list[Record]]) -> None:
    """Print the share of hidden pieces that are filled as they were."""
    codec, masks = load_codec(run.adapter)
    reader, texts = reader_of(codec, masks), MaskedLayout(codec).text_places
    encoded = {name: reader.encode(some)[0] for name, some in records.items()}
    pieces = Counter(token for record in encoded["train"] for ids in record.texts.values() for token in ids)
    common = pieces.most_common(1)[0][0]
    print("| model | texts | hidden pieces | right | bits |\n| --- | --- | --- | --- | --- |")
    held_out = [token for record in encoded["test"] for ids in record.texts.values() for token in ids]
    print(
        f"| most frequent piece | test | {len(held_out):,} | {np.mean(np.array(held_out) == common):.1%} | |"
    )
    for model, likelihoods in (("base", base_likelihoods), ("adapter", adapter_likelihoods)):
        for name, some in encoded.items():
            found = likelihoods(run.adapter, codec, masks, some)
            kept = [(each, np.isin(each.place, texts)) for each in found]
            right = np.concatenate([each.likeliest[inside] for each, inside in kept])
            bits = -np.concatenate([each.log_probability[inside] for each, inside in kept]) / np.log(2)
            print(
                f"| {model} | {name} | {len(right):,} | {right.mean():.1%} | {bits.mean():.2f} |", flush=True
            )


def rewriting(run: Run, records: list[Record], share: float) -> None:
    """Print how much of rewritten texts is the seed's, and how much of what is new is a training text's."""
    adapted = load_adapted(run.adapter)
    schema = adapted.codec.schema
    decoder = MaskedDecoder(adapted)
    names = [each.name for each in schema if each.type == "text"]
    seeds = [{name: value for name, value in record.items() if value is not None} for record in records]
    asked = Conditions(
        adapted.codec, RuleConstraints(adapted.codec, Rulebook(schema)), {}, {}, seeds, rewrite=share
    )
    made = decoder.records([asked.request(number) for number in range(len(seeds))], seed=0)
    train = to_records(read_table(run.split("train"), schema), schema)
    known = {part for record in train for name in names for part in runs(record[name])}
    new = [
        part
        for seed, (record,) in zip(seeds, made, strict=True)
        for name in names
        for part in runs(record[name]) - runs(seed.get(name))
    ]
    copied = sum(part in known for part in new)
    print(
        f"\nrewritten at {share:g}: {decoder.tally.draft_words_kept / decoder.tally.draft_words:.1%} of the words as in the"
        f" seed; of {len(new):,} new runs of {RUN} words, {copied} stand in a training text"
    )


def runs(text: object) -> set[tuple[str, ...]]:
    """Return every run of words of a text."""
    words = "".join(each if each.isalnum() else " " for each in str(text or "").lower()).split()
    return {tuple(words[at : at + RUN]) for at in range(len(words) - RUN + 1)}


if __name__ == "__main__":
    main()
