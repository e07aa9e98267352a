"""Splits by subject, near-duplicate clusters and sequences of records."""
