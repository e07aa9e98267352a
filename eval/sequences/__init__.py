"""Metrics of series in time, between a later real stretch and the steps of a series in random order."""
