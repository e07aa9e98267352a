"""The part of a record that is learnt, where not all of it is: its columns, and the check that they exist."""

from paracosm.foundation.errors import RecipeError
from paracosm.foundation.suggestions import did_you_mean
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.finetune import Loss
from paracosm.records.schema.schema import Schema


def learnt_columns(schema: Schema, loss: Loss | None, *, texts_follow: bool) -> list[str] | None:
    """Return the columns of single records that are learnt given the others; None where whole records or turns are learnt.

    Args:
        schema: of the records.
        loss: of the recipe.
        texts_follow: whether texts are learnt given columns that fitted statistics draw.
    """
    if texts_follow:
        return [field.name for field in schema.modelled if field.is_text]
    return None if loss is None or schema.sequence is not None else loss.columns


def refuse_loss(recipe: Recipe, schema: Schema) -> None:
    """Check that the columns and values of `finetune.loss` exist.

    Raises:
        RecipeError: one does not, or a column that all records of a sequence share is to tell them apart.
    """
    loss = recipe.finetune.loss
    if loss is None:
        return
    names = [field.name for field in schema.modelled]
    for key, columns in (("columns", loss.columns), ("turns", loss.turns)):
        for name in columns or ():
            if name not in names:
                raise RecipeError(
                    f"finetune.loss.{key}: there is no modelled column {name!r}{did_you_mean(name, names)}"
                )
    for name, values in (loss.turns or {}).items():
        if schema.sequence is not None and name in schema.sequence.shared:
            raise RecipeError(
                f"finetune.loss.turns: {name!r} is the same in all records of a subject, so it tells no turns apart"
            )
        known = schema[name].categories
        for value in values if known else ():
            if value not in known:
                raise RecipeError(
                    f"finetune.loss.turns.{name}: {value!r} is not a value of the training records{did_you_mean(value, known)}"
                )
