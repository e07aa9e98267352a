"""Fine-tuning with TRL's `SFTTrainer` on "name is value" text: the baseline of speed.py (extra `adapt`)."""

import math
import tempfile
import time
from typing import Any

import torch
from datasets import Dataset
from record_layouts import named
from transformers import TrainerCallback
from trl.trainer.sft_config import SFTConfig
from trl.trainer.sft_trainer import SFTTrainer

from paracosm.finetune.models.base_model import device_type, load_base, load_tokenizer
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.finetune.models.lora import lora_config
from paracosm.recipes.recipe import Recipe
from paracosm.records.schema.schema import Record, Schema


@quiet_libraries()
def by_trl(recipe: Recipe, schema: Schema, splits: dict[str, list[Record]], seconds: float) -> dict[str, Any]:
    """Train with TRL on text, then compute the bits of the values in control records."""
    settings, tokenizer = recipe.finetune, load_tokenizer(recipe.model)
    cells = [
        [(field.name, field.write(record[field.name])) for field in schema.modelled]
        for record in splits["train"]
    ]
    texts = [named(record) for record in cells]

    class Clock(TrainerCallback):
        began = 0.0

        def on_train_begin(self, *_: Any, **__: Any) -> None:
            Clock.began = time.monotonic()

        def on_step_end(self, args: Any, state: Any, control: Any, **_: Any) -> None:
            control.should_training_stop = time.monotonic() - Clock.began > seconds

    with tempfile.TemporaryDirectory() as folder:
        trainer = SFTTrainer(
            model=load_base(recipe.model),
            args=SFTConfig(
                output_dir=folder,
                use_cpu=device_type() == "cpu",
                bf16=False,
                gradient_checkpointing=False,
                per_device_train_batch_size=settings.batch_size,
                num_train_epochs=1000,
                learning_rate=settings.learning_rate,
                lr_scheduler_type="constant_with_warmup",
                warmup_steps=settings.warmup_steps,
                save_strategy="no",
                logging_strategy="no",
                report_to=[],
                disable_tqdm=True,
                seed=settings.seed,
            ),
            train_dataset=Dataset.from_dict({"text": texts}),
            processing_class=tokenizer,
            peft_config=lora_config(settings),
            callbacks=[Clock()],
        )
        trainer.train()
    took = time.monotonic() - Clock.began
    seen = trainer.state.global_step * settings.batch_size
    tokens = sum(len(ids) for ids in tokenizer(texts)["input_ids"]) / len(texts) + 1
    control = [
        [(field.name, field.write(record[field.name])) for field in schema.modelled]
        for record in splits["control"]
    ]
    return {
        "tokens": tokens,
        "tokens_per_second": seen * tokens / took,
        "records_per_second": seen / took,
        "bits": value_bits(trainer.model, tokenizer, control),
        "curve": [],
        "of_gemm": None,
    }


def value_bits(model: Any, tokenizer: Any, records: list[list[tuple[str, str | None]]]) -> float:
    """Return the mean bits per record over the tokens of its values."""
    total = 0.0
    model.eval()
    for cells in records:
        text = named(cells)
        encoded = tokenizer(text, return_offsets_mapping=True, return_tensors="pt")
        spans, at = [], 0
        for name, cell in cells:
            begin = at + len(f"{name} is")
            # The space before a value belongs to its first token.
            spans.append((begin, begin + 1 + len(str(cell))))
            at = spans[-1][1] + len(", ")
        ids = encoded["input_ids"].to(model.device)
        with torch.no_grad():
            logs = model(input_ids=ids).logits[0, :-1].float().log_softmax(-1)
        token_logs = logs.gather(1, ids[0, 1:, None])[:, 0]
        inside = [
            any(begin < stop and start < end for begin, end in spans)
            for start, stop in encoded["offset_mapping"][0, 1:].tolist()
        ]
        total -= float(token_logs[torch.tensor(inside, device=token_logs.device)].sum())
    return total / math.log(2) / len(records)
