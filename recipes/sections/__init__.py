"""Sections of a recipe: one pydantic model per YAML section, with types, defaults and descriptions of its keys."""
