"""Aggregates of records that a report draws: histograms, correlations, distances, a map; and, on request, nearest pairs."""
