"""Paracosm: synthetic records from a fine-tuned language model, with the truth about what they leak."""

__version__ = "0.1.0"
