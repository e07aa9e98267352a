"""Constrained decoding of causal and masked models."""
