"""Imputation by textbook methods that are fitted to the training records, and their score on cells that were taken out."""
