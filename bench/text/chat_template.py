"""What the chat template of an instruct model would change for dialogues: tokens, and bits of the contents before any training.

    python bench/text/chat_template.py dialogues.jsonl --dialogues 40

Writes the same conversations in two ways, as the codec writes a sequence of turns and through the chat template of the base model, and
sums what the untrained base model gives the contents of the turns, which are the same texts. Roles become user and assistant in turn, since
templates know no others.
"""

import argparse
import json
from pathlib import Path

import torch

from paracosm.finetune.models.base_model import load_base, load_tokenizer
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.model import Model
from paracosm.records.assembly import assemble
from paracosm.records.codec.codec import Codec
from paracosm.records.codec.sequence_codec import sequence_segments
from paracosm.records.schema.table import to_records
from paracosm.records.sources.read_source import read_source
from paracosm.records.splitting.sequences import sequences


def nats(model: torch.nn.Module, ids: list[int], wanted: list[bool]) -> float:
    """Return the negative log-likelihood of the wanted tokens, in nats."""
    with torch.inference_mode():
        logits = model(input_ids=torch.tensor([ids]), use_cache=False).logits[0, :-1].float()
    losses = torch.nn.functional.cross_entropy(logits, torch.tensor(ids[1:]), reduction="none")
    return float(losses[torch.tensor(wanted[1:])].sum())


def main() -> None:
    """Measure both ways."""
    parser = argparse.ArgumentParser()
    parser.add_argument("file", type=Path)
    parser.add_argument("--dialogues", type=int, default=40)
    parser.add_argument("--layers", type=int, default=None)
    arguments = parser.parse_args()
    data = {
        "source": str(arguments.file.resolve()),
        "nested": "rows",
        "subject": "conversation",
        "sequence": "turn",
    }
    data |= {"longest_sequence": 12, "shared": ["section"], "limit": 9 * arguments.dialogues}
    data["fields"] = {"role": {"type": "category"}, "content": {"type": "text"}}
    recipe = Recipe.model_validate({"name": "x", "data": data, "model": {"layers": arguments.layers}})
    prepared = assemble(recipe, read_source(recipe.data, root=Path()))
    tokenizer, model = load_tokenizer(recipe.model), load_base(Model(layers=arguments.layers))
    codec = Codec(prepared.schema, tokenizer)
    assert prepared.schema.sequence is not None
    content = next(index for index, field in enumerate(codec.fields) if field.name == "content")
    groups = sequences(to_records(prepared.splits["train"], prepared.schema), prepared.schema.sequence)
    totals = {"codec": [0, 0.0], "template": [0, 0.0]}
    characters = turns = 0
    for group in groups[: arguments.dialogues]:
        ids, wanted = list(codec.opening), [False] * len(codec.opening)
        for index, segment in sequence_segments(codec, group):
            ids += segment
            # The last token of a text is its end mark.
            wanted += [index == content and place < len(segment) - 1 for place in range(len(segment))]
        totals["codec"][0] += len(ids)
        totals["codec"][1] += nats(model, ids, wanted)
        texts = [str(record["content"]) for record in group]
        messages = [
            {"role": ("user", "assistant")[turn % 2], "content": text} for turn, text in enumerate(texts)
        ]
        rendered = str(tokenizer.apply_chat_template(messages, tokenize=False))
        spans, start = [], 0
        for text in texts:
            begin = rendered.index(text, start)
            spans.append((begin, start := begin + len(text)))
        encoded = tokenizer(rendered, add_special_tokens=False, return_offsets_mapping=True)
        inside = [
            any(low <= begin and end <= high for low, high in spans)
            for begin, end in encoded["offset_mapping"]
        ]
        totals["template"][0] += len(encoded["input_ids"])
        totals["template"][1] += nats(model, list(encoded["input_ids"]), inside)
        characters += sum(map(len, texts))
        turns += len(texts)
    shown = {
        name: {
            "tokens_per_turn": round(tokens / turns, 1),
            "bits_per_character": round(total / 0.6931 / characters, 3),
        }
        for name, (tokens, total) in totals.items()
    }
    print(json.dumps({"dialogues": min(arguments.dialogues, len(groups)), "turns": turns, **shown}, indent=1))


if __name__ == "__main__":
    main()
