"""The steps of a chain over a schema: which fields each one makes, checked before anything runs."""

from collections.abc import Sequence
from dataclasses import dataclass

from paracosm.finetune.models.chat_prompt import ordered
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.strategies.prompting import ChainStep, name_of
from paracosm.records.schema.schema import Field, Schema

KEEP = "keep"
"""Verdict of a check that blames no field."""


@dataclass(frozen=True)
class Step:
    """A step over a schema.

    Attributes:
        index: of the step in the chain.
        settings: of the recipe.
        fields: the fields that it draws or writes, in order.
        known: the fields that earlier steps made.
        thoughts: names of what earlier steps thought.
        written: the fields that earlier steps wrote with a model.
        scratch: the field of its thought or verdict, which the record does not keep.
    """

    index: int
    settings: ChainStep
    fields: tuple[str, ...]
    known: tuple[str, ...]
    thoughts: tuple[str, ...]
    written: tuple[str, ...]
    scratch: Field | None = None

    @property
    def name(self) -> str:
        """Name on the card and in templates."""
        return name_of(self.settings)

    @property
    def where(self) -> str:
        """Place in the recipe."""
        return f"chain.steps.{self.index}"

    @property
    def blamable(self) -> tuple[str, ...]:
        """The fields that a check may blame: those that a model wrote; all where a model wrote none."""
        return self.written or self.known


def steps_of(recipe: Recipe, schema: Schema) -> tuple[Step, ...]:
    """Return the steps of a recipe's chain over a schema.

    Raises:
        RecipeError: a step names an unknown field, makes one twice, or no step makes a field.
    """
    fields = ordered(schema, recipe.data.target).modelled
    settings = recipe.chain.steps or default_steps(fields, recipe.data.target)
    made = _made(settings, fields)
    steps: list[Step] = []
    known: list[str] = []
    thoughts: list[str] = []
    written: list[str] = []
    for index, (step, names) in enumerate(zip(settings, made, strict=True)):
        scratch = _scratch(step, tuple(written) or tuple(known))
        steps.append(Step(index, step, names, tuple(known), tuple(thoughts), tuple(written), scratch))
        known += names
        if step.kind == "write":
            written += names
        if step.kind == "think":
            thoughts.append(name_of(step))
    _check_names(steps, fields)
    return tuple(steps)


def default_steps(fields: Sequence[Field], target: str | None) -> list[ChainStep]:
    """Return `draw` and `write`: the columns, then the texts; without a text the target, else the last column."""
    texts = [field.name for field in fields if field.is_text]
    if not texts:
        texts = [target if target is not None else fields[-1].name]
    write = ChainStep(kind="write", fields=tuple(texts))
    return [write] if len(texts) == len(fields) else [ChainStep(kind="draw"), write]


def in_chain_order(schema: Schema, steps: Sequence[Step]) -> Schema:
    """Return the schema with its fields in the order in which the steps make them."""
    from dataclasses import replace

    return replace(schema, fields=tuple(schema[name] for step in steps for name in step.fields))


def _made(settings: Sequence[ChainStep], fields: Sequence[Field]) -> list[tuple[str, ...]]:
    """Return the fields that each step makes."""
    names = [field.name for field in fields]
    taken: dict[str, int] = {}
    for index, step in enumerate(settings):
        for name in step.fields:
            if name not in names:
                hint = did_you_mean(name, names) or f"; fields: {', '.join(names[:12])}"
                raise RecipeError(f"chain.steps.{index}.fields: unknown field {name!r}{hint}")
            if name in taken:
                raise RecipeError(
                    f"chain.steps.{index}.fields: {name!r} is made by step {taken[name]} already"
                )
            taken[name] = index
    texts = [field.name for field in fields if field.is_text]
    made: list[tuple[str, ...]] = []
    for index, step in enumerate(settings):
        own = step.fields
        if step.kind == "draw":
            if wrong := [name for name in own if name in texts]:
                raise RecipeError(
                    f"chain.steps.{index}.fields: statistics do not draw free text, and {wrong[0]!r} is one; write it"
                )
            open_write = any(each.kind == "write" and not each.fields for each in settings)
            if not own:
                own = tuple(name for name in names if name not in taken and name not in texts)
            elif not open_write and (left := [name for name in names if name not in taken]):
                raise RecipeError(
                    f"chain.steps: no step makes {left[0]!r}; name it in the fields of a draw or a write"
                )
            # Relations put a field after those that determine it.
            own = tuple(name for name in names if name in own)
        elif step.kind == "write" and not own:
            own = tuple(name for name in names if name not in taken)
            if not own:
                raise RecipeError(
                    f"chain.steps.{index}.fields: no field is left to write; name some in fields"
                )
        taken |= dict.fromkeys(own, index)
        made.append(own)
    if left := [name for name in names if name not in taken]:
        raise RecipeError(
            f"chain.steps: no step makes {left[0]!r}; name it in the fields of a draw or a write"
        )
    return made


def _scratch(step: ChainStep, blamable: tuple[str, ...]) -> Field | None:
    if step.kind == "think":
        return Field(name=name_of(step), type="text", min_length=1, max_length=step.max_length)
    if step.kind == "check":
        return Field(
            name=name_of(step),
            type="category",
            categories=(KEEP, *(name for name in blamable if name != KEEP)),
        )
    return None


def _check_names(steps: Sequence[Step], fields: Sequence[Field]) -> None:
    """Check that a thought or a verdict is not called as a field."""
    names = {field.name for field in fields}
    for step in steps:
        if step.scratch is not None and step.name in names:
            raise RecipeError(
                f"{step.where}.name: {step.name!r} is a field of the records; give the step another name"
            )
