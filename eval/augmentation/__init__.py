"""Metrics of augmented texts."""
