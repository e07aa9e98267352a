"""Shadow models: trained like the target model on random halves of all real records (Carlini et al. 2022, LiRA).

They need only the recipe and the records of the run that trained the target model: train, control and test together
are the pool. Halves come in complementary pairs, so that every record is in the training half of half of the shadows.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from paracosm.eval.attacks.attack_training import ShadowJob, ShadowTraining, table_digest
from paracosm.eval.attacks.likelihood_attacks import mean_log_probabilities
from paracosm.eval.attacks.likelihoods.likelihood import Likelihood, rows_in_domain
from paracosm.eval.attacks.lira_rmia import ShadowLikelihoods
from paracosm.eval.measuring.context import Context, drawn_rows
from paracosm.recipes.recipe import Recipe
from paracosm.records.codec.codec import Codec


def shadow_likelihoods(
    context: Context, codec: Codec, targets: np.ndarray, read: Callable[[Path], Sequence[Likelihood]]
) -> ShadowLikelihoods:
    """Return the likelihoods of the targets under every shadow model; train the models that are missing.

    Args:
        context: `settings.shadows` is the number of shadow models, `attackers` how they are trained.
        codec: of the target model.
        targets: row numbers of the targets in `context.real`: train first, then the held-out records.
        read: returns the likelihoods of the targets under an adapter folder.
    """
    assert context.attackers is not None
    seed, pool = context.settings.seed, context.real
    allowed = rows_in_domain(pool, codec.schema)
    subjects = real_subjects(context)
    groups = np.arange(len(pool)) if subjects is None else subjects
    halves = complementary_halves(groups, context.settings.shadows, seed)
    query = f"mean log probability of {table_digest(pool.iloc[targets])}"
    jobs = []
    for number, half in enumerate(halves):
        inside, outside = np.flatnonzero(half & allowed), np.flatnonzero(~half & allowed)
        control = outside[drawn_rows(len(outside), max(1, len(context.control)), seed + number)]
        train, control = (pool.iloc[rows].reset_index(drop=True) for rows in (inside, control))
        recipe = shadow_recipe(context.attackers.recipe, number)
        jobs.append(ShadowJob(f"shadow-{number:02d}", train, control, recipe, query))
    training = ShadowTraining(context.attackers, codec.schema, "shadow model")
    results = training.train_and_read(jobs, lambda folder: {"mean": mean_log_probabilities(read(folder))})
    return ShadowLikelihoods(np.stack([result["mean"] for result in results]), halves[:, targets])


def real_subjects(context: Context) -> np.ndarray | None:
    """Return the subject of every row of `context.real` as a number; None where every record is its own subject."""
    if not context.subjects:
        return None
    splits = ["train", "control", *(["test"] if context.test is not None else [])]
    return np.concatenate([context.subjects[name] for name in splits])


def complementary_halves(groups: np.ndarray, count: int, seed: int) -> np.ndarray:
    """Return which records each shadow model trains on: random halves of the subjects, in complementary pairs.

    Args:
        groups: subject of each record.
        count: number of shadow models, even.
        seed: of the halves.

    Returns:
        Boolean mask (shadows x records).
    """
    random = np.random.default_rng([seed, 83])
    names, member_of = np.unique(groups, return_inverse=True)
    halves = []
    for _ in range(count // 2):
        first = np.zeros(len(names), dtype=bool)
        first[random.permutation(len(names))[: len(names) // 2]] = True
        halves += [first[member_of], ~first[member_of]]
    return np.stack(halves)


def shadow_recipe(recipe: Recipe, number: int) -> Recipe:
    """Return the recipe of the target model with another seed and without canaries."""
    settings = {"seed": recipe.finetune.seed + number + 1, "canaries": 0}
    changes: dict[str, Any] = {"finetune": recipe.finetune.model_copy(update=settings)}
    if recipe.privacy is not None:
        # The tables of an evaluation do not name subjects; the noise is the same.
        changes["privacy"] = recipe.privacy.model_copy(update={"unit": "record"})
    return recipe.model_copy(update=changes)
