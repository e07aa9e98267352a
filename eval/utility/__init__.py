"""Utility: how well models trained on the synthetic records predict real ones."""
