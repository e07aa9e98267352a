"""Intervals, resampling, two-sample statistics and attack scores."""
