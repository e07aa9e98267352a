"""Models of what the report draws beside the metrics: distributions, the map of records, the nearest pairs."""

from typing import Literal, Self

from paracosm.eval.results.model import DECIMALS, Number, ResultModel, plain_values


class Distribution(ResultModel):
    """Shares of train and of synthetic records in the same bins of one field."""

    field: str
    type: str
    kind: Literal["ordered", "categories"]
    """`ordered` bins (numbers, dates, text lengths) or `categories`."""
    labels: list[str]
    train: list[Number]
    synthetic: list[Number]

    def rounded(self) -> Self:
        """Return the distribution with its shares as `metrics.json` holds them."""
        shares = {"train": self.train, "synthetic": self.synthetic}
        return self.model_copy(update=plain_values(shares, DECIMALS))


class RecordMap(ResultModel):
    """Records on the plane of their first two principal axes."""

    cells: int
    """Cells along each axis."""
    train: list[tuple[int, int, Number]]
    """Column, row and share of the training records; cells with few of them are left out."""
    synthetic: list[tuple[Number, Number]]
    """Synthetic records as points in the unit square."""
    explained: list[Number]
    """Share of the variance along each axis."""

    def rounded(self) -> Self:
        """Return the map with its numbers as `metrics.json` holds them."""
        train = [(x, y, plain_values(share, DECIMALS)) for x, y, share in self.train]
        points = [(plain_values(x, DECIMALS), plain_values(y, DECIMALS)) for x, y in self.synthetic]
        explained = plain_values(self.explained, DECIMALS)
        return self.model_copy(update={"train": train, "synthetic": points, "explained": explained})


class Correlations(ResultModel):
    """Correlations of all pairs of columns; null where a pair has too few records."""

    fields: list[str]
    train: list[list[Number | None]]
    synthetic: list[list[Number | None]]

    def rounded(self) -> Self:
        """Return the matrices as `metrics.json` holds them."""
        matrices = {"train": self.train, "synthetic": self.synthetic}
        return self.model_copy(update=plain_values(matrices, DECIMALS))


class NearestDistances(ResultModel):
    """Shares of records by their distance to the nearest training record."""

    edges: list[Number]
    """Ends of the bins, one more than there are bins."""
    synthetic: list[Number]
    unseen: list[Number]
    """Of real records that were not trained on."""

    def rounded(self) -> Self:
        """Return the histograms as `metrics.json` holds them."""
        numbers = {"edges": self.edges, "synthetic": self.synthetic, "unseen": self.unseen}
        return self.model_copy(update=plain_values(numbers, DECIMALS))


class PairedValue(ResultModel):
    """One field of a synthetic record beside the same field of a training record, as text."""

    name: str
    synthetic: str
    train: str


class NearestPair(ResultModel):
    """A synthetic record beside its nearest training record. Holds training data."""

    distance: Number
    fields: list[PairedValue]
