"""The `card` section: what only the user can say on the model card."""

from paracosm.recipes.sections.section import Section


class Card(Section):
    """What only the user can say on the model card."""

    title: str | None = None
    licence: str | None = None
    """Licence of adapter and synthetic records, as a Hugging Face identifier; inherited from data and base model when absent."""
    data_statement: str | None = None
    """Where the records come from and under which terms."""
    data_licence: str | None = None
    """Licence of the records that it was trained on, as a Hugging Face identifier."""
    intended_use: str | None = None
    not_for: str | None = None
    authors: list[str] = []
    tags: list[str] = []
    language: str = "en"
