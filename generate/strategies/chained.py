"""The strategy `chain`: steps of statistics and models make each record one after another."""

from collections.abc import Sequence
from functools import cached_property
from typing import Any

from paracosm.generate.answers.task import with_scratch
from paracosm.generate.answers.usage_facts import usage_facts
from paracosm.generate.chains.prompt_plan import servers
from paracosm.generate.chains.runner import ChainRunner
from paracosm.generate.chains.steps import Step, steps_of
from paracosm.generate.chains.writers import Writers
from paracosm.generate.constraints.request import Request, Tally
from paracosm.generate.prompting.stored_material import load_material
from paracosm.generate.prompting.wording import Wording
from paracosm.generate.redraws.retries import draw_until_accepted
from paracosm.generate.statistics.chain import Chain
from paracosm.generate.statistics.chain_draws import draw
from paracosm.generate.statistics.stored_chain import load_chain
from paracosm.generate.strategies.adapter_writer import AdapterWriter
from paracosm.generate.strategies.prompted import AskingStrategy
from paracosm.records.schema.schema import Record

BATCH = 256
"""Records that go through the steps together."""
PAID_ATTEMPTS = 8
"""Most attempts per accepted record where a server is paid for them."""


class ChainStrategy(AskingStrategy):
    """A chain of steps; see `Strategy`."""

    @cached_property
    def steps(self) -> tuple[Step, ...]:
        return steps_of(self.recipe, self.schema)

    @property
    def batch_size(self) -> int:
        return self.recipe.generate.batch_size or BATCH

    @cached_property
    def writers(self) -> Writers:
        scratch = [step.scratch for step in self.steps if step.scratch is not None]
        schema = with_scratch(self.abilities.schema, scratch)
        return Writers(self.recipe, schema, self.store, self.run.recipe_folder, AdapterWriter)

    @cached_property
    def runner(self) -> ChainRunner:
        material = load_material(self.run.statistics, self.recipe.strategy)
        wording = Wording(
            self.abilities.schema, self.recipe.description, self.recipe.chain.instruction, material.summaries
        )
        return ChainRunner(
            self.steps,
            self.abilities.schema,
            self.writers,
            wording,
            self.store,
            lambda requests, seed, attempt, tally: draw(self._statistics, requests, seed, attempt, tally),
        )

    @cached_property
    def _statistics(self) -> Chain:
        return load_chain(self.run.statistics)

    def records(self, requests: Sequence[Request], *, seed: int, tally: Tally) -> list[list[Record]]:
        paid = bool(servers(self.recipe))
        attempts = (
            min(self.recipe.generate.attempts, PAID_ATTEMPTS) if paid else self.recipe.generate.attempts
        )
        groups: list[list[Record]] = []
        for begin in range(0, len(requests), self.batch_size):
            made = draw_until_accepted(
                requests[begin : begin + self.batch_size],
                lambda missing, attempt: self._made(missing, seed, attempt, tally),
                tally,
                attempts=attempts,
            )
            groups += [[record] for record in made]
        return groups

    def _made(
        self, requests: Sequence[Request], seed: int, attempt: int, tally: Tally
    ) -> list[Record | None]:
        keys = [self.digest.of(request) for request in requests]
        return self.runner.run(requests, keys, seed, attempt, tally)

    def facts(self) -> dict[str, Any]:
        by_step = {step.name: self.writers.server(step.settings) for step in self.steps}
        used = {name: server for name, server in by_step.items() if server is not None}
        order = [step.name for step in self.steps]
        steps = sorted(usage_facts(self.store, used), key=lambda entry: order.index(entry["step"]))
        kinds = {step.name: step.settings.kind for step in self.steps}
        return {
            "prompting": {
                "examples": "statistics",
                "real_rows_shown": 0,
                "real_rows_left_the_machine": False,
                "steps": [entry | {"kind": kinds[entry["step"]]} for entry in steps],
            }
        }
