"""Constrained decoding of records with causal and masked language models."""
