"""Samples that are made when they are read."""
