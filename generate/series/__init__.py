"""Series in time: one long series of one or several columns, its stochastic methods, scenarios and continuations."""
