"""Metrics of columns that are derived from texts."""
