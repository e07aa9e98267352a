"""Accuracy and copying of a masked model that fills texts: adapter against base model, training against held-out texts.

    paracosm run healthcare-note-infilling data.source=mts_dialog.csv
    python bench/generation/infilling.py runs/healthcare-note-infilling

One in eight pieces of a text is hidden at once, so that its neighbours are visible. `right` is the share of hidden pieces
where the most probable piece is the actual one, `bits` the mean code length of a hidden piece. The first row predicts the
most frequent piece of the training texts. `--rewrite` hides that share of the words of the test texts instead, draws them
as `generate.rewrite` does, and counts sequences of 8 words, at least one of them drawn, that a training text contains.
"""

import argparse
from collections import Counter
from pathlib import Path

import numpy as np

from paracosm.eval.attacks.likelihoods.of_adapter import adapter_likelihoods, base_likelihoods
from paracosm.eval.attacks.likelihoods.reader import reader_of
from paracosm.finetune.models.trained_model import load_codec
from paracosm.generate.constraints.conditions import Conditions
from paracosm.generate.constraints.rule_constraints import RuleConstraints
from paracosm.generate.decoding.loaded_model import abilities_of, load_adapted
from paracosm.generate.decoding.masked import MaskedDecoder
from paracosm.recipes.run.directory import Run
from paracosm.records.codec.masked_layout import MaskedLayout
from paracosm.records.constraints.rules import Rulebook
from paracosm.records.schema.schema import Record, Schema
from paracosm.records.schema.table import read_table, to_records

SEQUENCE = 8
"""Words of a sequence that counts as copied."""


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
    """Print the share of hidden pieces that are predicted correctly."""
    codec, masks = load_codec(run.adapter)
    reader, texts = reader_of(codec, masks), MaskedLayout(codec).text_fields
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
            results = likelihoods(run.adapter, codec, masks, some)
            parts = [(result, np.isin(result.field_index, texts)) for result in results]
            right = np.concatenate([result.is_argmax[inside] for result, inside in parts])
            bits = -np.concatenate([result.log_probability[inside] for result, inside in parts]) / np.log(2)
            print(
                f"| {model} | {name} | {len(right):,} | {right.mean():.1%} | {bits.mean():.2f} |", flush=True
            )


def rewriting(run: Run, records: list[Record], share: float) -> None:
    """Print how much of rewritten texts is unchanged, and how much of the rest is copied from training texts."""
    adapted = load_adapted(run.adapter)
    schema = adapted.codec.schema
    decoder = MaskedDecoder(adapted)
    names = [field.name for field in schema if field.is_text]
    seeds = [{name: value for name, value in record.items() if value is not None} for record in records]
    conditions = Conditions(
        abilities_of(adapted.codec),
        RuleConstraints(adapted.codec.schema, Rulebook(schema)),
        {},
        {},
        seeds,
        rewrite=share,
    )
    made = decoder.records([conditions.request(number) for number in range(len(seeds))], seed=0)
    train = to_records(read_table(run.split("train"), schema), schema)
    of_train = {part for record in train for name in names for part in sequences(record[name])}
    new = [
        part
        for seed, (record,) in zip(seeds, made, strict=True)
        for name in names
        for part in sequences(record[name]) - sequences(seed.get(name))
    ]
    copied = sum(part in of_train for part in new)
    print(
        f"\nrewritten at {share:g}: {decoder.tally.seed_words_kept / decoder.tally.seed_words:.1%} of the words as in the"
        f" seed; of {len(new):,} new sequences of {SEQUENCE} words, {copied} occur in a training text"
    )


def sequences(text: object) -> set[tuple[str, ...]]:
    """Return every sequence of 8 consecutive words of a text."""
    words = "".join(letter if letter.isalnum() else " " for letter in str(text or "").lower()).split()
    return {tuple(words[at : at + SEQUENCE]) for at in range(len(words) - SEQUENCE + 1)}


if __name__ == "__main__":
    main()
