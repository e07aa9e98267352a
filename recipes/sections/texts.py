"""Keys about texts: what is derived from them (`data.features`), and how they are augmented and asked about."""

from typing import Literal

FeatureKind = Literal["entities", "phrases", "sentiment"]
