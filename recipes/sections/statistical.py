"""The `statistical` section: the method of the strategy `statistical`, and its settings."""

from typing import Annotated, Literal

from pydantic import Field

from paracosm.recipes.sections.section import Section

Method = Literal["forest", "copula", "marginals"]


class Statistical(Section):
    """Statistics instead of a language model: of whole records where `strategy` is `statistical`, which has no free text, and of the
    columns beside the texts where it is `combined`."""

    method: Method = "forest"
    """`forest`: a chain of extra-trees, each column given those before it, which is the most faithful. `copula`: a Gaussian copula,
    which keeps ranks and linear relations alone. `marginals`: every column on its own, a floor for comparison."""
    trees: Annotated[int, Field(ge=1, le=1000)] = 15
    """Trees per column of `forest`. More are smoother, and larger to store."""
    leaf: Annotated[int, Field(ge=1)] = 10
    """Fewest training records in a leaf of `forest`, among which a value is drawn. Lower follows the records more closely, down to
    copying them."""
    seed: int = 0
    """Seed of the fit."""
