"""Questions over the synthetic records of the `generate` stage, beside their shards: SQuAD and chat messages."""

from importlib.util import find_spec
from typing import Any

import pandas as pd

from paracosm.foundation.digests import value_digest
from paracosm.foundation.errors import RecipeError
from paracosm.foundation.progress import Progress, silent
from paracosm.generate.answers.answer_store import AnswerStore
from paracosm.generate.answers.cached_writer import CachedWriter
from paracosm.generate.answers.task import Writer
from paracosm.generate.answers.usage_facts import usage_facts
from paracosm.generate.questions.asking import Question
from paracosm.generate.questions.exports import FORMATS, write_questions
from paracosm.generate.questions.of_table import questions_of
from paracosm.generate.questions.rewording import SCHEMA, Reworded, reword
from paracosm.generate.remote.client import ChatClient, key_of
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.run.directory import Run
from paracosm.recipes.sections.texts import Rewording
from paracosm.records.pii.detectors import ner_model
from paracosm.records.schema.schema import Schema
from paracosm.records.schema.table import read_table, written

STEP = "rewording"
WHERE = "generate.questions.rewording"


def refuse_questions(recipe: Recipe) -> None:
    """Check what `generate.questions` needs before any records are there.

    Raises:
        RecipeError: the variable of a server's key is not set.
        ModelError: the base model is missing, or writes no texts.
    """
    settings = recipe.generate.questions
    if settings is None or settings.rewording is None:
        return
    if settings.rewording.server is not None:
        key_of(settings.rewording.server, f"{WHERE}.server")
        return
    from paracosm.finetune.models.base_model import check_objective, locate

    model = _model(recipe, settings.rewording)
    locate(model)
    check_objective(model, "causal")


def refuse_records(recipe: Recipe, schema: Schema) -> None:
    """Check that there is something to ask about.

    Raises:
        RecipeError: all fields are texts, and what they name is not recognised without the extra `pii`.
    """
    if recipe.generate.questions is None or any(not field.is_text for field in schema.modelled):
        return
    if ner_model("en") is None or find_spec("spacy") is None:
        raise RecipeError(
            "generate.questions: all fields are texts, and questions on what texts name need the extra pii; install paracosm[pii],"
            " or leave out generate.questions"
        )


def write_run_questions(
    recipe: Recipe, trained: Run, into: Run, schema: Schema, progress: Progress = silent
) -> dict[str, Any]:
    """Ask about all synthetic records, write the files, and return what `run.json` keeps.

    Args:
        recipe: `generate.questions` is set.
        trained: the run, which keeps the answers of the model.
        into: holds the shards, and takes the files.
        schema: of the records.
        progress: takes progress lines.
    """
    settings = recipe.generate.questions
    assert settings is not None
    questions = questions_of(
        synthetic_table(into, schema),
        schema,
        per_record=settings.per_record,
        unanswerable=settings.unanswerable,
        seed=recipe.generate.seed,
        progress=progress,
    )
    facts: dict[str, Any] = {
        "asked": len(questions),
        "unanswerable": sum(each.answer is None for each in questions),
    }
    if settings.rewording is not None:
        made, steps = _reworded(recipe, settings.rewording, trained, schema, questions, progress)
        questions = made.questions
        facts |= {"reworded": made.taken, "kept_plain": dict(made.kept.most_common()), "steps": steps}
    for name in settings.formats:
        write_questions(questions, into.questions / f"{name}{FORMATS[name]}", recipe.name)
    progress(_line(facts))
    return facts


def synthetic_table(run: Run, schema: Schema) -> pd.DataFrame:
    """Return the synthetic records of a run as the source would write them, without identifiers."""
    shards = sorted(run.synthetic.glob("part-*.parquet"))
    records = pd.concat([read_table(shard, schema) for shard in shards], ignore_index=True)
    return written(records, Schema(schema.modelled))


def _reworded(
    recipe: Recipe,
    settings: Rewording,
    trained: Run,
    schema: Schema,
    questions: list[Question],
    progress: Progress,
) -> tuple[Reworded, list[dict[str, Any]]]:
    asked = [[each.id, each.text] for each in questions]
    plain = settings.model_dump(mode="json") | {"model": recipe.model.model_dump(mode="json")}
    store = AnswerStore(trained.answers, value_digest([STEP, plain, recipe.generate.seed, asked]))
    progress(f"wording {len(questions):,} questions")
    made = reword(
        questions,
        CachedWriter(_writer(recipe, settings, store), store, SCHEMA, STEP),
        names=[field.name for field in schema.modelled],
        form="lines" if settings.server is None else "json",
        instruction=settings.instruction,
        seed=recipe.generate.seed,
    )
    servers = {} if settings.server is None else {STEP: settings.server}
    return made, usage_facts(store, servers)


def _writer(recipe: Recipe, settings: Rewording, store: AnswerStore) -> Writer:
    # Only the temperature holds for questions; the others are about the records.
    sampling = recipe.generate.model_copy(
        update={
            "temperature": settings.temperature,
            "temperatures": {},
            "top_p": None,
            "top_k": None,
            "min_p": None,
        }
    )
    if settings.server is not None:
        from paracosm.generate.remote.remote_model import RemoteModel

        return RemoteModel(ChatClient(settings.server, store, f"{WHERE}.server"), SCHEMA, sampling, STEP)
    from paracosm.generate.prompting.local_model import LocalModel

    return LocalModel(_model(recipe, settings), SCHEMA, sampling)


def _model(recipe: Recipe, settings: Rewording) -> Any:
    return recipe.model.model_copy(update={"base": settings.base or recipe.model.base})


def _line(facts: dict[str, Any]) -> str:
    line = f"{facts['asked']:,} questions, {facts['unanswerable']:,} without an answer"
    return line + (f", {facts['reworded']:,} in the words of the model" if "reworded" in facts else "")
