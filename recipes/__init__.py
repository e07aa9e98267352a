"""Recipes: the settings of a run as checked models, loading from YAML, and the run directory."""
