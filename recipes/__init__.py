"""Recipes: what a run is, how it is loaded, and the directory that it owns."""
