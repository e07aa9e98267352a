"""Differentially private training (DP-SGD): settings, sampling, noise, accounting."""
