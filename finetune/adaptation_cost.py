"""Expected size and time of an adaptation, before anything is trained."""

from dataclasses import dataclass
from pathlib import Path

from paracosm.finetune.adaptation.corpus import read_documents
from paracosm.finetune.adaptation.encoding import encode
from paracosm.finetune.cost_estimate import (
    GEMM_EFFICIENCY,
    config_as_trained,
    count_weights,
    gemm_rate,
    operations,
)
from paracosm.finetune.models.base_model import load_tokenizer
from paracosm.finetune.models.library_logging import quiet_libraries
from paracosm.foundation.extras import require_extra
from paracosm.recipes.recipe import Recipe
from paracosm.recipes.sections.finetune import Finetune

MOST_ENCODED = 200
"""Documents that are encoded to estimate the tokens of all."""


@dataclass(frozen=True)
class AdaptationCost:
    """Expected size and time of an adaptation.

    Attributes:
        documents: of the corpus, with those that are held out.
        tokens: of all documents.
        seconds: of the training, on this machine.
    """

    documents: int
    tokens: int
    seconds: float


@quiet_libraries()
def adaptation_cost(recipe: Recipe, *, root: Path) -> AdaptationCost | None:
    """Return the expected cost of the recipe's adaptation; None if it has none.

    Raises:
        DataError: the corpus cannot be read, or does not fit the chat template.
        ModelError: the base model is missing, or has no chat template where one is needed.
        MissingExtraError: TRL is not installed.
    """
    settings = recipe.adapt
    if settings is None:
        return None
    require_extra("trl", "adapt", "the section adapt")
    documents = read_documents(settings, root=root)
    count = min(len(documents), settings.limit or len(documents))
    sample = documents[:: max(1, len(documents) // MOST_ENCODED)]
    encoded = encode(sample, load_tokenizer(recipe.model), settings.loss)
    a_document = sum(len(document.ids) for document in encoded) / len(encoded)
    as_finetune = Finetune(
        method=settings.method,
        rank=settings.rank,
        gradient_checkpointing=settings.gradient_checkpointing,
    )
    config = config_as_trained(recipe.model)
    weights = count_weights(recipe.model, as_finetune, config)
    head = config.get_text_config().vocab_size * weights.hidden
    cost = count * settings.epochs * operations(weights, as_finetune, a_document, a_document * head)
    return AdaptationCost(count, round(count * a_document), cost / (gemm_rate(recipe) * GEMM_EFFICIENCY))
