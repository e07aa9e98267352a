"""Typed models of the files that an evaluation writes: metrics.json and measurements.json."""
