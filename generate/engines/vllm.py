"""Generation with vLLM on GPUs: its guidance back end gets the same grammar, and given values become part of the prompt.

vLLM does not know the rules, so records that violate one are drawn again; relations of the training records are not kept. It has its own random numbers: its records
follow the same distribution as those of the local engine, but are different ones.
"""

import importlib.util
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np

from paracosm.finetune.distributed.processes import is_leader
from paracosm.finetune.models.trained_model import export
from paracosm.foundation.digests import folder_digest
from paracosm.foundation.errors import DataError, ModelError
from paracosm.generate.constraints.guide import first_violation
from paracosm.generate.constraints.record_constraints import RecordConstraints
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.decoding.decoder import longest_record
from paracosm.generate.engines.blocks import Block, BlockGenerator
from paracosm.generate.redraws.retries import draw_until_accepted
from paracosm.generate.strategies.language_model import LanguageModel
from paracosm.records.schema.schema import Record

VALUES = 7
"""Distinguishes the draws of values inside bins from other draws with the same seed."""


class VllmEngine:
    """A vLLM engine in this process.

    Attributes:
        generator: adapter, rules and conditions.
    """

    def __init__(self, generator: BlockGenerator) -> None:
        if importlib.util.find_spec("vllm") is None:
            raise ModelError("generate.engine: vllm is not installed; run: pip install 'paracosm[vllm]'")
        if not isinstance(generator.strategy, LanguageModel):
            raise ModelError("generate.engine: vllm is for language models; use local or ray")
        codec = generator.strategy.codec
        if codec.objective == "masked":
            raise ModelError(
                "generate.engine: vllm supports causal models only; use local or ray for a masked one"
            )
        if generator.job.recipe.generate.temperatures:
            raise ModelError("generate.temperatures: vllm supports one temperature for all fields only")
        if codec.schema.sequence is not None:
            raise ModelError(
                "generate.engine: vllm supports single records only; use local or ray for sequences"
            )
        if codec.passages is not None:
            raise ModelError(
                "generate.engine: vllm does not write texts in passages, and these are longer than the model's input; use local or ray"
            )
        if codec.alphabet.stop == codec.tokenizer.eos_token_id:
            raise ModelError(
                "generate.engine: vllm ends a record at the end-of-text token, which is this tokenizer's only special token;"
                " use local or ray"
            )
        self.generator = generator
        self.model = generator.strategy

    @cached_property
    def llm(self) -> Any:
        from vllm import LLM  # type: ignore[import-not-found]  # an extra

        return LLM(
            model=str(merged(self.generator)),
            structured_outputs_config={"backend": "guidance"},
            enable_prefix_caching=True,
        )

    def generate(self, blocks: Sequence[int]) -> Iterator[Block]:
        if not is_leader():
            return
        for number in blocks:
            yield self._block(number)

    def _block(self, number: int) -> Block:
        generator, tally = self.generator, Tally()
        records = draw_until_accepted(
            [generator.conditions.request(record) for record in generator.blocks[number]],
            lambda requests, attempt: self._draw(requests, attempt, tally),
            tally,
            attempts=generator.job.recipe.generate.attempts,
        )
        return Block(number, [[generator.rules.compute(record)] for record in records], tally)

    def _draw(self, requests: Sequence[Request], attempt: int, tally: Tally) -> list[Record | None]:
        """Draw every request once; None for a record that a rule or a condition refuses."""
        from vllm import SamplingParams  # type: ignore[import-not-found]
        from vllm.sampling_params import StructuredOutputsParams  # type: ignore[import-not-found]

        settings, codec = self.generator.job.recipe.generate, self.model.codec
        decoder = self.model.decoder
        assert isinstance(decoder, Decoder)
        prefixes = [self._prefix(request) for request in requests]
        params = [
            SamplingParams(
                temperature=settings.temperature,
                top_p=settings.top_p if settings.top_p is not None else 1.0,
                top_k=settings.top_k if settings.top_k is not None else 0,
                min_p=settings.min_p if settings.min_p is not None else 0.0,
                seed=zlib.crc32(f"{settings.seed}/{request.number}/{request.redraw}/{attempt}".encode()),
                max_tokens=longest_record(decoder.grammar) + 1,
                detokenize=False,
                structured_outputs=StructuredOutputsParams(grammar=codec.grammar(sampled)),
            )
            for request, (_, sampled) in zip(requests, prefixes, strict=True)
        ]
        prompts = [{"prompt_token_ids": [*codec.opening, *prefix]} for prefix, _ in prefixes]
        records = []
        for request, (prefix, sampled), output in zip(
            requests, prefixes, self.llm.generate(prompts, params, use_tqdm=False), strict=True
        ):
            ids = list(output.outputs[0].token_ids)
            tally.tokens += len(ids)
            random = np.random.default_rng([settings.seed, request.number, request.redraw, attempt, VALUES])
            known = frozenset(field.name for field in codec.fields) - {
                codec.fields[at].name for at in sampled
            }
            whole = [*prefix, *self._without_end(ids)]
            records.append(self._record(request, whole, known, tally, random))
        return records

    def _prefix(self, request: Request) -> tuple[list[int], list[int]]:
        """Return the tokens of the values that a request fixes at its beginning, and the fields that are sampled."""
        codec, guide = self.model.codec, request.guide
        assert isinstance(guide, RecordConstraints)
        order = list(request.order if request.order is not None else range(len(codec.fields)))
        ids: list[int] = []
        while order:
            condition = guide.conditions.get(codec.fields[order[0]].name, ())
            if len(condition) != 1:
                break
            ids += codec.markers[order[0] : order[0] + 1]
            ids += codec.encode_value(order.pop(0), next(iter(condition)))
        return ids, order

    def _without_end(self, ids: list[int]) -> list[int]:
        return ids[:-1] if ids and ids[-1] == self.model.codec.tokenizer.eos_token_id else ids

    def _record(
        self,
        request: Request,
        ids: list[int],
        known: frozenset[str],
        tally: Tally,
        random: np.random.Generator,
    ) -> Record | None:
        """Decode a record, draw the values inside its bins, and check it; None if it is refused."""
        tally.attempts += 1
        assert request.guide is not None
        try:
            record = self.model.codec.decode(ids, random)
        except DataError:
            # Cut off at max_tokens, or a text that decodes to another length than the grammar counted.
            tally.refusals["the end of the record"] += 1
            return None
        # The tokens of a given value may say its bin alone.
        assert isinstance(request.guide, RecordConstraints)
        given = request.guide.conditions.items()
        record |= {name: next(iter(values)) for name, values in given if len(values) == 1 and name in known}
        violation = first_violation(request.guide, record)
        if violation is not None:
            tally.refusals[violation] += 1
            return None
        tally.finished += 1
        return record


def merged(generator: BlockGenerator) -> Path:
    """Write base model and adapter as one plain model folder with the whole head, for vLLM; return the folder."""
    adapter = generator.run.adapter
    folder = generator.run.root / "merged" / folder_digest(adapter)[:16]
    if not (folder / "config.json").is_file():
        export(adapter, folder)
    return folder
