"""A language model on this machine that writes records after a prompt, under their grammar: every answer is valid."""

import inspect
import time
from collections.abc import Sequence
from functools import cached_property
from typing import Any

import numpy as np
import torch

from paracosm.finetune.models.base_model import (
    base_digest,
    device_type,
    load_base,
    load_tokenizer,
    max_positions,
)
from paracosm.finetune.objectives.slot_logits import HeadColumns
from paracosm.foundation.errors import DataError, ModelError
from paracosm.generate.answers.task import Answer, Task, Usage
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.causal_batch import BatchSettings, ContinuousBatch
from paracosm.generate.decoding.causal_state import SequenceState
from paracosm.generate.decoding.decoder import causal_batch_size, longest_record, sampling
from paracosm.generate.decoding.loaded_model import AdaptedModel
from paracosm.generate.decoding.token_sampler import TokenSampler
from paracosm.generate.prompting.natural_codec import NaturalCodec, NaturalGrammar, NaturalState
from paracosm.recipes.sections.generate import Generate
from paracosm.recipes.sections.model import Model
from paracosm.records.codec.token_masks import TokenMasks
from paracosm.records.schema.schema import Schema

LARGEST_BATCH = 32
"""Tasks at once on a processor: prompts are long, and other tasks wait for the longest."""
ROOM = 64
"""Tokens that have to be left for an answer."""


class LocalModel:
    """A base or an instruct model without an adapter; see `Writer`.

    Attributes:
        model: the recipe's section, with all layers whatever `layers` says.
        schema: of the records, with the scratch fields of a chain.
        settings: of the sampling.
    """

    def __init__(self, model: Model, schema: Schema, settings: Generate) -> None:
        # A model without its upper layers writes nothing sensible before it is trained again.
        self.model = model.model_copy(update={"layers": None})
        self.schema = schema
        self.settings = settings
        self.lender: LocalModel | None = None

    @cached_property
    def tokenizer(self) -> Any:
        return load_tokenizer(self.model)

    @cached_property
    def adapted(self) -> AdaptedModel:
        if self.lender is not None:
            return self.lender.adapted
        codec = NaturalCodec(self.schema, self.tokenizer)
        loaded: Any = load_base(self.model)
        return AdaptedModel(loaded.to(device_type()), codec, TokenMasks(codec))

    def with_temperature(self, temperature: float) -> "LocalModel":
        """Return the same model, loaded once, at another temperature."""
        other = LocalModel(
            self.model, self.schema, self.settings.model_copy(update={"temperature": temperature})
        )
        other.lender = self
        return other

    @property
    def batch_size(self) -> int:
        return self.settings.batch_size or LARGEST_BATCH

    def identity(self) -> dict[str, Any]:
        generate = self.settings.model_dump(
            mode="json", include={"temperature", "temperatures", "top_p", "top_k", "min_p"}
        )
        return {
            "base": base_digest(self.model),
            "dtype": self.model.dtype,
        } | generate

    def write(self, tasks: Sequence[Task], *, seed: int, tally: Tally) -> list[Answer]:
        began = time.monotonic()
        openings = [self.opening(task) for task in tasks]
        longest = max(map(len, openings))
        grammar = NaturalGrammar(self.adapted.masks, max_positions(self.adapted.model), prompt_tokens=longest)
        if grammar.limit is not None and longest + ROOM > grammar.limit:
            raise DataError(
                f"prompt: a prompt has {longest:,} tokens, and {self.model.base!r} reads {grammar.limit:,}; show fewer rows"
                " (prompt.rows), use examples schema, or name another model"
            )
        batch = PromptedBatch(self._batch_settings(grammar, longest), tasks, openings, seed)
        batch.tally.watch = tally.watch
        with torch.inference_mode():
            states = batch.run()
        tally.add(batch.tally)
        seconds = (time.monotonic() - began) / len(tasks)
        return [
            Answer(
                {name: state.values[name] for name in task.fields},
                Usage(
                    calls=begun,
                    records=1,
                    first_try=int(begun == 1),
                    input_tokens=len(opening),
                    output_tokens=len(state.ids),
                    seconds=seconds,
                ),
            )
            for task, opening, state, begun in zip(tasks, openings, states, batch.begun, strict=True)
        ]

    def opening(self, task: Task) -> tuple[int, ...]:
        """Return the tokens of a prompt: in the chat template of an instruct model, as plain text for a base model.

        Raises:
            ModelError: the chat template rejects the prompt.
        """
        from jinja2 import TemplateError

        tokenizer = self.tokenizer
        if not tokenizer.chat_template:
            text = f"{tokenizer.bos_token or ''}{task.system}\n\n{task.prompt}\n\n"
            return tuple(tokenizer.encode(text, add_special_tokens=False))
        messages = [{"role": "system", "content": task.system}, {"role": "user", "content": task.prompt}]
        try:
            text = tokenizer.apply_chat_template(messages, tokenize=False, add_generation_prompt=True)
        except TemplateError:
            # Some templates know no system role.
            merged = [{"role": "user", "content": f"{task.system}\n\n{task.prompt}"}]
            try:
                text = tokenizer.apply_chat_template(merged, tokenize=False, add_generation_prompt=True)
            except TemplateError as error:
                raise ModelError(
                    f"model.base: the chat template of {self.model.base!r} rejects a prompt: {error}"
                ) from error
        return tuple(tokenizer.encode(str(text), add_special_tokens=False))

    def _batch_settings(self, grammar: NaturalGrammar, longest: int) -> BatchSettings:
        codec, model = self.adapted.codec, self.adapted.model
        # The cache holds the prompts too.
        record = NaturalGrammar(self.adapted.masks, grammar.limit)
        fitting = causal_batch_size(model, record, self.settings.memory_gb)
        tokens = longest_record(record)
        share = max(1, fitting * tokens // (tokens + longest))
        return BatchSettings(
            self.adapted,
            grammar,
            TokenSampler(HeadColumns(None), sampling(self.settings), codec.alphabet.stop),
            min(self.batch_size, share),
            self.settings.attempts,
            "logits_to_keep" in inspect.signature(model.forward).parameters,
        )


class PromptedBatch(ContinuousBatch):
    """A continuous batch in which every record has its own prompt and its own selection of fields.

    Attributes:
        begun: how often each task was begun; more than once where rules refused what was written.
    """

    def __init__(
        self, settings: BatchSettings, tasks: Sequence[Task], openings: Sequence[tuple[int, ...]], seed: int
    ) -> None:
        requests = [Request(task.number, guide=task.guide, redraw=task.redraw) for task in tasks]
        super().__init__(settings, requests, seed)
        self.tasks = tasks
        self.openings = openings
        self.begun = [0] * len(tasks)

    def _begin(self, index: int) -> SequenceState:
        task, request, grammar = self.tasks[index], self.requests[index], self.settings.grammar
        if index not in self.streams:
            key = [self.seed % 2**64, request.number + (request.redraw << 48)]
            self.streams[index] = np.random.Generator(np.random.Philox(key=key))
        self.begun[index] += 1
        self.tally.attempts += 1
        names = grammar.codec.schema.names
        state = NaturalState(
            grammar,
            request.guide or grammar.unconstrained,
            grammar.codec.steps([names.index(name) for name in task.fields]),
            self.streams[index],
            values=dict(task.known),
        )
        state.pending[:0] = self.openings[index]
        return state
