"""The recipe: all settings of one run, as frozen pydantic models.

Values are checked here once; all other packages read plain attributes.
"""

from posixpath import normpath
from typing import Annotated, Literal

from pydantic import Field, model_validator

from paracosm.recipes.sections.card import Card
from paracosm.recipes.sections.data import SEVERAL, Data
from paracosm.recipes.sections.evaluate import Evaluate
from paracosm.recipes.sections.finetune import Finetune
from paracosm.recipes.sections.generate import Generate
from paracosm.recipes.sections.model import Model
from paracosm.recipes.sections.privacy import Privacy
from paracosm.recipes.sections.release import Release
from paracosm.recipes.sections.rules import Rules
from paracosm.recipes.sections.section import Section
from paracosm.recipes.sections.statistical import Statistical
from paracosm.recipes.sections.training.adapt import Adapt
from paracosm.recipes.strategies.prompting import Chain, Prompting


class Recipe(Section):
    """The settings of one run, from the source records to the model card."""

    name: Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9._-]{0,95}$")]
    """Name of the run and of the published model, in lower case."""
    description: str = ""
    """One sentence for the model card."""
    data: Data
    strategy: Literal["finetuned", "statistical", "combined", "prompt", "chain", "augment"] = "finetuned"
    """How records are made: `finetuned` by a language model that is trained on the records, `statistical` by fitted statistics, which
    take seconds and need a table without free text, `combined` by statistics for the columns and a language model that is trained to
    write the texts given the columns, `prompt` by a language model that is only told about the records, `chain` by several steps of
    statistics and models, `augment` by changing the texts of training records, for use inside only. Rules, conditions, evaluation and card are the same."""
    statistical: Statistical = Statistical()
    prompt: Prompting = Prompting()
    chain: Chain = Chain()
    model: Model = Model()
    finetune: Finetune = Finetune()
    adapt: Adapt | None = None
    """Trains the base model on an unlabelled corpus first; null trains it on the records alone."""
    privacy: Privacy | None = None
    generate: Generate = Generate()
    rules: Rules = Rules()
    eval: Evaluate = Evaluate()
    release: Release = Release()
    card: Card = Card()
    track: Literal["none", "mlflow", "wandb", "tensorboard"] = "none"
    """Where the loss curve, the settings, the metrics, the report and the card go as well: the server that the environment names
    (`MLFLOW_TRACKING_URI`, `WANDB_BASE_URL`), or `tensorboard` in the run directory. Records are never sent."""

    @property
    def language(self) -> str:
        """Language of the texts, as a code of two letters."""
        named = self.card.language if self.data.pii is None else self.data.pii.language
        return named.lower().replace("_", "-").split("-")[0]

    @model_validator(mode="after")
    def _full_training_is_not_quantized(self) -> "Recipe":
        if self.finetune.method == "full" and self.model.quantize is not None:
            raise ValueError(
                f"finetune.method full trains the weights of the base model, which model.quantize {self.model.quantize} "
                "freezes; use lora, rslora or dora, or leave out quantize"
            )
        return self

    @model_validator(mode="after")
    def _adapted_models_are_causal_and_whole(self) -> "Recipe":
        if self.adapt is None:
            return self
        if self.strategy not in ("finetuned", "combined"):
            raise ValueError(
                f"adapt: is for the strategies finetuned and combined; {self.strategy} trains no language model, so leave out one of them"
            )
        if self.finetune.objective == "masked":
            raise ValueError("adapt: is for causal models; leave it out, or set finetune.objective to causal")
        if self.model.quantize is not None:
            raise ValueError(
                f"adapt: is merged into the weights, which model.quantize {self.model.quantize} rounds; leave out one of them"
            )
        return self

    @model_validator(mode="after")
    def _only_training_is_private(self) -> "Recipe":
        if self.strategy != "finetuned" and self.privacy is not None:
            raise ValueError(
                f"privacy: is for the strategy finetuned; {self.strategy} has no differential privacy, so leave out privacy or strategy"
            )
        return self

    @model_validator(mode="after")
    def _combined_texts_follow_the_columns(self) -> "Recipe":
        if self.strategy != "combined":
            return self
        only = {"finetune.objective": "causal", "finetune.order": "fixed", "finetune.canaries": 0}
        for name, value in only.items():
            if getattr(self.finetune, name.removeprefix("finetune.")) != value:
                raise ValueError(
                    f"{name}: strategy combined trains a causal model that writes texts after all columns; it can only be {value}"
                )
        return self

    @model_validator(mode="after")
    def _bins_are_of_single_records(self) -> "Recipe":
        if self.finetune.numbers == "bins" and (self.privacy is not None or self.data.sequence is not None):
            other = (
                "privacy, where no record may decide on them"
                if self.privacy
                else "data.sequence, whose steps are finer"
            )
            raise ValueError(f"finetune.numbers: bins cannot be used with {other}; use digits")
        return self

    @model_validator(mode="after")
    def _parts_are_learnt_by_causal_models(self) -> "Recipe":
        loss = self.finetune.loss
        if loss is None:
            return self
        if self.finetune.objective != "causal" or self.strategy != "finetuned" or self.privacy is not None:
            raise ValueError(
                "finetune.loss: is for causal models of the strategy finetuned, without privacy; leave it out"
            )
        if loss.turns is not None and self.data.sequence is None:
            raise ValueError(
                "finetune.loss.turns: needs data.sequence, the column that orders the turns of a dialogue"
            )
        return self

    @model_validator(mode="after")
    def _messages_are_ordered(self) -> "Recipe":
        if "messages" in self.generate.formats and self.data.sequence is None:
            raise ValueError(
                "generate.formats: messages needs data.sequence, the column that orders the turns of a dialogue"
            )
        return self

    @model_validator(mode="after")
    def _private_records_are_no_corpus(self) -> "Recipe":
        if self.privacy is None or self.adapt is None:
            return self
        private = {normpath(source) for source in self.data.source.split(SEVERAL)}
        if not private.isdisjoint(map(normpath, self.adapt.source.split(SEVERAL))):
            raise ValueError(
                "adapt.source: is data.source, which privacy protects and adapt would train on without protection;"
                " name another corpus, or leave out adapt"
            )
        return self

    @model_validator(mode="after")
    def _private_features_are_of_one_record(self) -> "Recipe":
        for name, kinds in self.data.features.items():
            for kind in kinds:
                if self.privacy is not None and kind != "sentiment":
                    raise ValueError(
                        f"data.features.{name}: {kind} are chosen from all texts, which the privacy budget does not account for;"
                        " under privacy only sentiment is derived"
                    )
        return self

    @model_validator(mode="after")
    def _private_splits_are_drawn(self) -> "Recipe":
        for name in ("control", "test"):
            if self.privacy is not None and getattr(self.data, name) is not None:
                raise ValueError(
                    f"data.{name}: under privacy, each unit of data.source alone decides on its split; leave out data.{name}"
                )
        return self

    @model_validator(mode="after")
    def _private_training_has_control_records(self) -> "Recipe":
        if self.privacy is not None and self.data.split.control == 0:
            raise ValueError(
                "data.split.control: 0 is not allowed with privacy, whose training is watched on control records; set it above 0"
            )
        return self

    @model_validator(mode="after")
    def _private_training_rows_are_not_limited(self) -> "Recipe":
        if self.privacy is not None and self.data.split.train_rows is not None:
            raise ValueError(
                "data.split.train_rows leaves out rows, so that under privacy one row could decide whether another one is used;"
                " leave it out, and raise data.split.test to train on fewer records"
            )
        return self

    @model_validator(mode="after")
    def _private_rows_are_not_limited(self) -> "Recipe":
        if self.privacy is not None and self.data.limit is not None:
            raise ValueError(
                "data.limit leaves out rows, so that under privacy one row could decide whether another one is used;"
                " leave it out, and raise data.split.test or data.split.control to train on fewer records"
            )
        return self
