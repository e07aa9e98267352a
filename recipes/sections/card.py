"""The `card` section: statements of the model card that only the user can make."""

from paracosm.recipes.sections.section import Section


class Card(Section):
    """Statements of the model card that only the user can make."""

    title: str | None = None
    """Title of the card; null uses the recipe's name."""
    licence: str | None = None
    """Licence of the adapter and the synthetic records, as a Hugging Face identifier such as apache-2.0; null derives it from
    the data and the base model."""
    data_statement: str | None = None
    """Where the records come from, and their terms of use."""
    data_licence: str | None = None
    """Licence of the training records, as a Hugging Face identifier such as cc-by-4.0."""
    intended_use: str | None = None
    """What the model and the synthetic records are for."""
    not_for: str | None = None
    """What they must not be used for."""
    authors: list[str] = []
    """Names of the authors."""
    tags: list[str] = []
    """Further tags for search, such as healthcare."""
    language: str = "en"
    """Language of the records, as an ISO 639-1 code."""
