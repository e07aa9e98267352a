"""Likelihoods of records under a model: what it is, how it is read, and under which models an attack reads it."""
