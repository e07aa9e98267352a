"""Drafts of recipes: what a table's columns decide about a recipe, and the same as commented YAML."""
