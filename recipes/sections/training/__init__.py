"""Sections of a recipe about trainings before that of the records."""
