"""Release gates: limits on metrics, three-state rulings, the verdict."""
