"""Attacks on the model: likelihoods, shadow models, canaries."""
