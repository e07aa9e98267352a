"""The `eval` section: repeats, seeds, caps and attacks."""

from typing import Annotated, Literal

from pydantic import Field, model_validator

from paracosm.recipes.sections.section import Section


class Evaluate(Section):
    """How the synthetic records are measured."""

    bootstrap: Annotated[int, Field(ge=100)] = 1000
    """Resamples behind every 95% interval."""
    repeats: Annotated[int, Field(ge=1)] = 5
    """Independent fits of each classifier, with other seeds."""
    max_rows: Annotated[int, Field(ge=100)] = 10_000
    """Fidelity metrics use at most this many rows of each table; privacy metrics subsample targets only."""
    seed: int = 0
    """Seed of resampling and of the classifiers."""
    embedder: str = "minilm"
    """What turns texts into vectors: `minilm` (extra `text`), a local folder, or any Hugging Face encoder id."""
    attacks: list[Literal["adapter", "lira", "auxiliary"]] = ["adapter"]
    """What is attacked beside the synthetic records; leaving the adapter out leaves its gates inconclusive. Two train
    adapters of their own: `lira` compares the adapter with shadow adapters, `auxiliary` learns the synthetic records."""
    shadows: Annotated[int, Field(ge=8, multiple_of=2)] = 8
    """How many shadow adapters `lira` trains, each on half of all real records."""
    attacked_records: Annotated[int, Field(ge=50)] = 1000
    """Training records, and unseen ones, whose likelihood under the adapter is read."""
    generator_seeds: Annotated[int, Field(ge=1, le=20)] = 1
    """Sets of synthetic records behind the intervals of usefulness: the run's own and, from 2 on, others of further seeds."""
    floor: Literal["shuffled", "base"] = "shuffled"
    """What texts are held against as the floor: train's words shuffled, or what the base model writes without its adapter."""
    show_nearest: bool = False
    """Print the synthetic records nearest to training records in the report: it then holds training data."""

    @model_validator(mode="after")
    def _attacks_the_adapter_first(self) -> "Evaluate":
        if "lira" in self.attacks and "adapter" not in self.attacks:
            raise ValueError("lira attacks the adapter too: write attacks: [adapter, lira]")
        return self
