"""Generation: an adapter in, valid synthetic records out."""
