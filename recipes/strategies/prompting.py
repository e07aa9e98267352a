"""The sections `prompt` and `chain`: records by prompting a language model that is not trained on them, alone or step by step."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from paracosm.recipes.sections.model import Server
from paracosm.recipes.sections.section import Section

Examples = Literal["schema", "statistics", "synthetic", "real"]
StepKind = Literal["draw", "write", "think", "check", "refine"]
USES_A_MODEL = ("write", "think", "check", "refine")


class Prompting(Section):
    """Records by prompting, where `strategy` is `prompt`; the model is `model.base` on this machine, or that of `server`."""

    examples: Examples = "statistics"
    """What a prompt shows of the records. `schema`: names, types and domains alone. `statistics`: summaries of every column too, without
    values that fewer than `data.rare.k` (else 10) people share. `synthetic`: rows that the statistics drew too. `real`: training
    rows, which the model can copy; the card counts them."""
    rows: Annotated[int, Field(ge=1, le=200)] = 8
    """Rows in a prompt, for `synthetic` and `real`."""
    sets: Annotated[int, Field(ge=1)] = 4
    """Different sets of rows; record number n gets set n modulo `sets`. More is more diverse; with `real`, more real rows are shown."""
    real_may_leave: bool = False
    """Allows `examples: real` with a server that is not on this machine: the rows are sent to it."""
    instruction: str | None = None
    """Words of your own about the records, which stand first in the prompt, such as where they come from and what matters."""
    server: Server | None = None
    """The server that writes the records; null prompts `model.base` on this machine."""

    @model_validator(mode="after")
    def _real_rows_stay(self) -> "Prompting":
        sent = self.examples == "real" and self.server is not None and not self.server.is_here
        if sent and not self.real_may_leave:
            raise ValueError(
                "examples real with a server that is not on this machine sends it training rows; set prompt.real_may_leave to true"
                " to allow that, or use examples synthetic"
            )
        return self


class ChainStep(Section):
    """One step of a chain."""

    kind: StepKind
    """`draw` columns from fitted statistics; `write` fields with a model; `think` in words that are dropped later; `check` the rules and
    ask a model for a verdict; `refine` the field that the check blamed."""
    name: Annotated[str, Field(pattern=r"^[A-Za-z][A-Za-z0-9_]{0,39}$")] | None = None
    """Name on the card, and in templates for what `think` wrote; the kind by default."""
    fields: tuple[str, ...] = ()
    """Fields that `draw` draws or `write` writes; by default `draw` takes all that no step writes, `write` all that are left."""
    prompt: str | None = None
    """Jinja template, which sees the fields so far by their names, and as `record`; null uses built-in words."""
    server: Server | None = None
    """The server of this step; null uses `chain.server`, else `model.base` on this machine."""
    base: str | None = None
    """Another model on this machine than `model.base`, for this step."""
    adapter: str | None = None
    """Run directory with a trained adapter that writes the texts of this step, given the columns."""
    temperature: Annotated[float, Field(gt=0)] | None = None
    """Temperature of this step; null uses `generate.temperature`."""
    max_length: Annotated[int, Field(ge=20)] = 400
    """Most characters of a thought."""
    times: Annotated[int, Field(ge=1, le=10)] = 2
    """`refine`: most repetitions for one record; the check is asked again after each."""

    @model_validator(mode="after")
    def _keys_suit_the_kind(self) -> "ChainStep":
        if self.kind == "draw" and (
            used := [key for key in ("prompt", "server", "base", "adapter") if getattr(self, key)]
        ):
            raise ValueError(
                f"{used[0]}: a step of kind draw uses fitted statistics and no model; leave it out"
            )
        if self.fields and self.kind not in ("draw", "write"):
            raise ValueError(f"fields: is for draw and write; a step of kind {self.kind} has none")
        if self.adapter is not None and self.kind != "write":
            raise ValueError(
                f"adapter: is for write; a step of kind {self.kind} uses a server or a base model"
            )
        if sum(each is not None for each in (self.server, self.base, self.adapter)) > 1:
            raise ValueError("server, base and adapter: name one of them")
        return self


class Chain(Section):
    """Steps that make a record one after another, where `strategy` is `chain`."""

    steps: tuple[ChainStep, ...] = ()
    """The steps in order; by default `draw` all columns, then `write` the texts given them (without a text: the target)."""
    server: Server | None = None
    """The server of the steps that name none; null uses `model.base` on this machine."""
    instruction: str | None = None
    """Words of your own about the records, which stand first in every prompt."""

    @model_validator(mode="after")
    def _steps_are_in_order(self) -> "Chain":
        kinds = [step.kind for step in self.steps]
        if "draw" in kinds[1:]:
            raise ValueError(
                f"steps.{kinds.index('draw', 1)}: a draw comes first and only once, because statistics know nothing of what a model wrote"
            )
        for index, kind in enumerate(kinds):
            if kind == "refine" and "check" not in kinds[:index]:
                raise ValueError(f"steps.{index}: refine needs a check before it, which says what to refine")
            if kind == "check" and not {"draw", "write"} & set(kinds[:index]):
                raise ValueError(
                    f"steps.{index}: check needs a draw or a write before it; there is nothing to check yet"
                )
        names = [name_of(step) for step in self.steps]
        for index, name in enumerate(names):
            if name in names[:index]:
                raise ValueError(
                    f"steps.{index}: a step is called {name!r} already; give this one another name"
                )
        return self


def name_of(step: ChainStep) -> str:
    """Return the name of a step: its own, else its kind."""
    return step.name or step.kind
