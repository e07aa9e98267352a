"""Sections of a recipe: one pydantic model per YAML section, with its defaults."""
