"""Membership inference and extraction attacks on a trained model: likelihoods, shadow models, canaries."""
