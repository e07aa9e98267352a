"""Shadow adapters: trained as the attacked one was, on random halves of all real records (Carlini et al. 2022, LiRA).

They need nothing of the run that trained the attacked adapter but its recipe and its records: train, control and test
together are the pool. Halves come in pairs that complement each other, so that every record is in half of the shadows.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from paracosm.eval.attacks.attack_training import ShadowJob, ShadowTraining, table_digest
from paracosm.eval.attacks.likelihood import Likelihood
from paracosm.eval.attacks.likelihood_attacks import means
from paracosm.eval.attacks.lira_rmia import Shadows
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.recipes.recipe import Recipe
from paracosm.records.codec.codec import Codec
from paracosm.records.schema.table import to_records


def read_shadows(
    context: Context, codec: Codec, targets: np.ndarray, read: Callable[[Path], Sequence[Likelihood]]
) -> Shadows:
    """Train the shadow adapters that are not trained yet, and return what each says of the targets.

    Args:
        context: its settings say how many, its `attackers` how they are trained.
        codec: of the attacked adapter.
        targets: row numbers of the attacked records in train and, from its length on, in the held-out records.
        read: gives the likelihoods of the targets under an adapter folder.
    """
    assert context.attackers is not None
    seed, pool = context.settings.seed, context.real
    allowed = np.array([codec.schema.allows(record) for record in to_records(pool, codec.schema)], dtype=bool)
    halves = complementary_halves(_subjects(context), context.settings.shadows, seed)
    asked = f"mean log probability of {table_digest(pool.iloc[targets])}"
    lessons = []
    for number, half in enumerate(halves):
        learnt, unseen = np.flatnonzero(half & allowed), np.flatnonzero(~half & allowed)
        control = unseen[drawn_rows(len(unseen), max(1, len(context.control)), seed + number)]
        train, watched = (pool.iloc[rows].reset_index(drop=True) for rows in (learnt, control))
        lessons.append(
            ShadowJob(
                f"shadow-{number:02d}", train, watched, _recipe(context.attackers.recipe, number), asked
            )
        )
    course = ShadowTraining(context.attackers, codec.schema, "shadow adapter")
    found = course.answers(lessons, lambda folder: {"mean": means(read(folder))})
    return Shadows(np.stack([each["mean"] for each in found]), halves[:, targets])


def _recipe(recipe: Recipe, number: int) -> Recipe:
    """Return how the attacked adapter was trained, with another seed."""
    settings = {"seed": recipe.finetune.seed + number + 1, "canaries": 0}
    changes: dict[str, Any] = {"finetune": recipe.finetune.model_copy(update=settings)}
    if recipe.privacy is not None:
        # The tables of an evaluation do not name subjects; the noise is the same.
        changes["privacy"] = recipe.privacy.model_copy(update={"unit": "record"})
    return recipe.model_copy(update=changes)


def complementary_halves(groups: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return which records each of `count` shadows learns (shadows x records): halves of the subjects, in pairs."""
    random = np.random.default_rng([seed, 83])
    names, member_of = np.unique(groups, return_inverse=True)
    halves = []
    for _ in range(count // 2):
        first = np.zeros(len(names), dtype=bool)
        first[random.permutation(len(names))[: len(names) // 2]] = True
        halves += [first[member_of], ~first[member_of]]
    return np.stack(halves)


def _subjects(context: Context) -> np.ndarray:
    if not context.subjects:
        return np.arange(len(context.real))
    splits = ["train", "control", *(["test"] if context.test is not None else [])]
    return np.concatenate([context.subjects[name] for name in splits])
