"""The `eval` section: resampling, seeds, limits on rows, and attacks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from paracosm.recipes.sections.section import Section


class Evaluate(Section):
    """Measurement of the synthetic records."""

    bootstrap: Annotated[int, Field(ge=100)] = 1000
    """Bootstrap resamples per 95% interval. Higher is more stable and slower."""
    repeats: Annotated[int, Field(ge=1)] = 5
    """Fits of each classifier, with different seeds. Higher is more stable and slower."""
    max_rows: Annotated[int, Field(ge=100)] = 10_000
    """Most rows of each table that fidelity metrics use; privacy metrics limit only the attacked records. Higher is more precise and
    slower."""
    seed: int = 0
    """Seed of the resampling and of the classifiers."""
    embedder: str = "minilm"
    """Model that embeds texts: `minilm` (extra `text`), a local folder, or a Hugging Face encoder id."""
    attacks: list[Literal["adapter", "lira", "auxiliary", "cross_fit"]] = ["adapter"]
    """Attacks besides those on the synthetic records: `adapter` reads likelihoods from the adapter (its gates are inconclusive
    without it), `lira` trains shadow adapters, `auxiliary` trains a model on the synthetic records, `cross_fit` two adapters on halves of train, each attacked with the other
    half as unseen records. `lira` and `auxiliary` take hours, `cross_fit` about as long as training."""
    shadows: Annotated[int, Field(ge=8, multiple_of=2)] = 8
    """Shadow adapters that `lira` trains, each on half of all real records. Higher makes the attack stronger and slower."""
    attacked_records: Annotated[int, Field(ge=50)] = 1000
    """Training records, and as many unseen records, whose likelihood is read. Higher narrows intervals and is slower."""
    generator_seeds: Annotated[int, Field(ge=1, le=20)] = 1
    """Sets of synthetic records, each with another seed, for the intervals of utility metrics. Above 1, further sets are generated,
    and the intervals include the variation between sets."""
    floor: Literal["shuffled", "base"] = "shuffled"
    """Floor (worst reference) of text metrics: training texts with shuffled words, or texts of the base model without adapter."""
    show_nearest: bool = False
    """Show the synthetic records nearest to training records in the report. The report then contains training data."""

    @model_validator(mode="after")
    def _needs_attack_on_adapter(self) -> "Evaluate":
        for attack in ("lira", "cross_fit"):
            if attack in self.attacks and "adapter" not in self.attacks:
                raise ValueError(
                    f"{attack} needs the attack on the adapter: write attacks: [adapter, {attack}]"
                )
        return self
