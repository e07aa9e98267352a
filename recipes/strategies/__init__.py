"""Sections of strategies: `prompt` and `chain`."""
