"""Copies: released records that repeat a training record exactly, nearly, or in most of its cells and words."""
