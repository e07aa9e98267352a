"""Imputation by textbook methods that are fitted to the training records."""
