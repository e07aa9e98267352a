"""Sampling with vLLM on GPUs: the same grammar goes to its guidance back end, what is given goes into the prompt.

vLLM knows the grammar and no rules: records that break one are drawn again. Its draws are its own, so its records are
other ones than this package's decoder makes, from the same distribution.
"""

import importlib.util
import zlib
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import Any

from paracosm.finetune.distributed.processes import is_leader
from paracosm.finetune.models.trained_model import export
from paracosm.foundation.digests import folder_digest
from paracosm.foundation.errors import DataError, ModelError
from paracosm.generate.constraints.guide import RecordConstraints
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.decoding.batch_size import longest
from paracosm.generate.decoding.causal import Decoder
from paracosm.generate.engines.blocks import Block, BlockGenerator
from paracosm.records.schema.schema import Record


class Vllm:
    """One vLLM engine in this process.

    Attributes:
        maker: adapter, rules and conditions.
    """

    def __init__(self, maker: BlockGenerator) -> None:
        if importlib.util.find_spec("vllm") is None:
            raise ModelError("generate.engine: vllm is not installed; run: pip install 'paracosm[vllm]'")
        codec = maker.codec
        if codec.objective == "masked":
            raise ModelError("generate.engine: vllm reads causal models; a masked one needs local or ray")
        if maker.job.recipe.generate.temperatures:
            raise ModelError("generate.temperatures: the engine vllm has one temperature for all fields")
        if codec.schema.sequence is not None:
            raise ModelError("generate.engine: vllm makes single records; sequences need local or ray")
        if codec.alphabet.stop == codec.tokenizer.eos_token_id:
            raise ModelError(
                "generate.engine: vllm ends a record at the end-of-text token, which is this tokenizer's only special token;"
                " use local or ray"
            )
        self.maker = maker

    @cached_property
    def llm(self) -> Any:
        from vllm import LLM  # type: ignore[import-not-found]  # an extra

        return LLM(
            model=str(merged(self.maker)),
            structured_outputs_config={"backend": "guidance"},
            enable_prefix_caching=True,
        )

    def make(self, blocks: Sequence[int]) -> Iterator[Block]:
        if not is_leader():
            return
        for block in blocks:
            yield self._block(block)

    def _block(self, block: int) -> Block:
        requests = [self.maker.conditions.request(number) for number in self.maker.blocks[block]]
        found: list[Record | None] = [None] * len(requests)
        tally, attempts = Tally(), self.maker.job.recipe.generate.attempts
        for attempt in range(10 * attempts):
            open_places = [at for at, record in enumerate(found) if record is None]
            if not open_places:
                break
            for at, record in zip(
                open_places, self._draw([requests[at] for at in open_places], attempt, tally), strict=True
            ):
                found[at] = record
            if tally.refusals.total() > attempts * (tally.finished + 4):
                break
        if any(record is None for record in found):
            raise DataError(
                f"generate: {tally.finished} of {tally.attempts:,} attempts came out, fewer than 1 in {attempts}:"
                f" {tally.shares()}; loosen it, or raise generate.attempts"
            )
        return Block(block, [[self.maker.rules.compute(record)] for record in found if record], tally)

    def _draw(self, requests: Sequence[Request], attempt: int, tally: Tally) -> list[Record | None]:
        """Draw every request once; None for a record that a rule or a condition refuses."""
        from vllm import SamplingParams  # type: ignore[import-not-found]
        from vllm.sampling_params import StructuredOutputsParams  # type: ignore[import-not-found]

        settings, codec, decoder = self.maker.job.recipe.generate, self.maker.codec, self.maker.decoder
        assert isinstance(decoder, Decoder)
        given = [self._given(request) for request in requests]
        params = [
            SamplingParams(
                temperature=settings.temperature,
                top_p=settings.top_p if settings.top_p is not None else 1.0,
                top_k=settings.top_k if settings.top_k is not None else 0,
                min_p=settings.min_p if settings.min_p is not None else 0.0,
                seed=zlib.crc32(f"{settings.seed}/{request.number}/{request.again}/{attempt}".encode()),
                max_tokens=longest(decoder.book) + 1,
                detokenize=False,
                structured_outputs=StructuredOutputsParams(grammar=codec.grammar(rest)),
            )
            for request, (_, rest) in zip(requests, given, strict=True)
        ]
        prompts = [{"prompt_token_ids": [*codec.opening, *beginning]} for beginning, _ in given]
        records = []
        for request, (beginning, _), output in zip(
            requests, given, self.llm.generate(prompts, params, use_tqdm=False), strict=True
        ):
            ids = list(output.outputs[0].token_ids)
            tally.tokens += len(ids)
            records.append(self._record(request, [*beginning, *self._without_end(ids)], tally))
        return records

    def _given(self, request: Request) -> tuple[list[int], list[int]]:
        """Return the tokens of what a request fixes at its beginning, and the places that are left to draw."""
        codec, guide = self.maker.codec, request.guide
        assert isinstance(guide, RecordConstraints)
        places = list(request.order if request.order is not None else range(len(codec.fields)))
        ids: list[int] = []
        while places:
            wanted = guide.wanted.get(codec.fields[places[0]].name, ())
            if len(wanted) != 1:
                break
            ids += codec.markers[places[0] : places[0] + 1]
            ids += codec.encode_value(places.pop(0), next(iter(wanted)))
        return ids, places

    def _without_end(self, ids: list[int]) -> list[int]:
        return ids[:-1] if ids and ids[-1] == self.maker.codec.tokenizer.eos_token_id else ids

    def _record(self, request: Request, ids: list[int], tally: Tally) -> Record | None:
        tally.attempts += 1
        codec, guide = self.maker.codec, request.guide
        assert guide is not None
        try:
            record = codec.decode(ids)
        except DataError:
            # Cut off at max_tokens, or a text that decodes to another length than the grammar counted.
            tally.refusals["the end of the record"] += 1
            return None
        reasons = (guide.refused(place, record) for place in range(len(codec.fields)))
        reason = next((each for each in reasons if each is not None), None)
        if reason is not None:
            tally.refusals[reason] += 1
            return None
        tally.finished += 1
        return record


def merged(maker: BlockGenerator) -> Path:
    """Write base and adapter as one plain model folder, whole head included, as vLLM loads it; return the folder."""
    adapter = maker.run.adapter
    folder = maker.run.root / "merged" / folder_digest(adapter)[:16]
    if not (folder / "config.json").is_file():
        export(adapter, folder)
    return folder
