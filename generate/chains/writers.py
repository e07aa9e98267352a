"""The writer of each step: a model on this machine, a server, or the adapter of another run; models are loaded once."""

from collections.abc import Callable
from pathlib import Path

from paracosm.generate.answers.answer_store import AnswerStore
from paracosm.generate.answers.task import Writer
from paracosm.generate.chains.steps import Step
from paracosm.generate.prompting.wording import Form
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.generate import Generate
from paracosm.recipes.sections.model import Server
from paracosm.recipes.strategies.prompting import ChainStep
from paracosm.records.schema.schema import Schema

WithAdapter = Callable[[Path, str, Generate], Writer]
"""Run directory, its place in the recipe, settings -> the writer of its adapter."""


class Writers:
    """The writers of a chain.

    Attributes:
        recipe: the whole recipe.
        schema: of the records, with the scratch fields of all steps.
        store: answers of servers.
        root: the folder that relative paths start from.
        with_adapter: returns the writer of a run's adapter.
    """

    def __init__(
        self, recipe: Recipe, schema: Schema, store: AnswerStore, root: Path, with_adapter: WithAdapter
    ) -> None:
        self.recipe = recipe
        self.schema = schema
        self.store = store
        self.root = root
        self.with_adapter = with_adapter
        self._local: dict[str, Writer] = {}
        self._made: dict[int, Writer] = {}

    def of(self, step: Step) -> Writer:
        """Return the writer of a step."""
        if step.index not in self._made:
            self._made[step.index] = self._writer(step)
        return self._made[step.index]

    def form(self, step: Step) -> Form:
        """Return the form in which a step's answers come."""
        return "json" if self.server(step.settings) is not None else "lines"

    def server(self, settings: ChainStep) -> Server | None:
        """Return the server of a step; None for a model on this machine."""
        if settings.kind == "draw" or settings.base is not None or settings.adapter is not None:
            return None
        return settings.server or self.recipe.chain.server

    def _writer(self, step: Step) -> Writer:
        settings = self.recipe.generate
        if step.settings.temperature is not None:
            settings = settings.model_copy(update={"temperature": step.settings.temperature})
        if step.settings.adapter is not None:
            return self.with_adapter(self.root / step.settings.adapter, f"{step.where}.adapter", settings)
        server = self.server(step.settings)
        if server is not None:
            from paracosm.generate.remote.client import ChatClient
            from paracosm.generate.remote.remote_model import RemoteModel

            where = f"{step.where}.server" if step.settings.server is not None else "chain.server"
            return RemoteModel(ChatClient(server, self.store, where), self.schema, settings, step.name)
        from paracosm.generate.prompting.local_model import LocalModel

        base = step.settings.base or self.recipe.model.base
        if base not in self._local:
            model = self.recipe.model.model_copy(update={"base": base})
            self._local[base] = LocalModel(model, self.schema, self.recipe.generate)
        local = self._local[base]
        assert isinstance(local, LocalModel)
        return (
            local if step.settings.temperature is None else local.with_temperature(step.settings.temperature)
        )
