"""Prompts of a chain's steps: Jinja templates in a sandbox, which see the fields so far, and built-in words where a step has none."""

from collections.abc import Mapping
from typing import Any

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.generate.chains.steps import KEEP, Step
from paracosm.generate.prompting.wording import WRITTEN, Form, Wording, as_lines
from paracosm.records.schema.schema import Schema, Value

ALWAYS = ("record", "blamed")
"""Names that every template sees: the record so far, and the field that a check blamed."""
WORDS = {
    "write": "Continue this record.",
    "think": "Think about what else is true of this record, in one or two sentences.",
    "check": f"Does everything in this record fit together? Answer {KEEP} if it does, else the name of the column that does not fit.",
    "refine": "The column {blamed} does not fit the others. Write it again, so that it does.",
}
"""Kind of a step -> what it asks without a template."""


class SoFar(dict[str, Value]):
    """The record so far; printed as one line for each column."""

    def __init__(self, schema: Schema, values: Mapping[str, Value]) -> None:
        super().__init__(values)
        self.schema = schema

    def __str__(self) -> str:
        return as_lines(self.schema, self)


class StepPrompt:
    """The prompt of one step.

    Attributes:
        step: the step.
        wording: what prompts tell of the table.
        schema: of the records, with scratch fields.
    """

    def __init__(self, step: Step, wording: Wording, schema: Schema) -> None:
        self.step = step
        self.wording = wording
        self.schema = schema
        self._template = None if step.settings.prompt is None else compiled(step)

    def text(
        self, values: Mapping[str, Value], thoughts: Mapping[str, Value], form: Form, blamed: str = ""
    ) -> str:
        """Return the prompt for one record.

        Args:
            values: fields so far.
            thoughts: what earlier steps thought.
            form: of the answer.
            blamed: field that a check blamed; empty for none.

        Raises:
            RecipeError: the template cannot be filled in.
        """
        record = SoFar(self.schema, values)
        asked = self.asked(blamed)
        if self._template is None:
            shown = f"The record so far:\n{record}" if values else ""
            noted = "\n".join(str(thought) for thought in thoughts.values())
            parts = [shown, noted, WORDS[self.step.settings.kind].format(blamed=blamed)]
        else:
            parts = [self._filled(record, thoughts, blamed)]
        parts = [self.wording.about(), *parts, self._columns(asked), WRITTEN[form]]
        return "\n\n".join(part for part in parts if part)

    def asked(self, blamed: str = "") -> tuple[str, ...]:
        """Return the fields that the step writes."""
        if self.step.settings.kind == "refine":
            return (blamed,)
        return self.step.fields or ((self.step.scratch.name,) if self.step.scratch is not None else ())

    def _columns(self, names: tuple[str, ...]) -> str:
        return Wording(self.schema, summaries=self.wording.summaries).columns(names)

    def _filled(self, record: SoFar, thoughts: Mapping[str, Value], blamed: str) -> str:
        from jinja2 import TemplateError

        assert self._template is not None
        try:
            return str(self._template.render({**record, **thoughts, "record": record, "blamed": blamed}))
        except (TemplateError, TypeError, ValueError, ArithmeticError, LookupError, AttributeError) as error:
            raise RecipeError(f"{self.step.where}.prompt: cannot be filled in ({error})") from error


def compiled(step: Step) -> Any:
    """Return the template of a step after checking that it names only what is known there.

    Raises:
        RecipeError: it is not a template, or names an unknown field.
    """
    from jinja2 import StrictUndefined, TemplateSyntaxError, meta
    from jinja2.sandbox import ImmutableSandboxedEnvironment

    text = step.settings.prompt or ""
    world = ImmutableSandboxedEnvironment(
        undefined=StrictUndefined,
        autoescape=False,
        finalize=lambda value: "unknown" if value is None else value,
    )
    try:
        named = meta.find_undeclared_variables(world.parse(text))
        template = world.from_string(text)
    except TemplateSyntaxError as error:
        raise RecipeError(f"{step.where}.prompt: line {error.lineno}: {error.message}") from error
    known = [*step.known, *step.thoughts, *ALWAYS]
    for name in sorted(named - set(known)):
        hint = did_you_mean(name, known) or f"; known: {', '.join(known[:12])}"
        raise RecipeError(f"{step.where}.prompt: {name!r} is not known at this step{hint}")
    return template
