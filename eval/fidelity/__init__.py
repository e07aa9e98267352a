"""Fidelity: how close the distribution of the synthetic records is to that of the real ones."""
