"""Splits by subject and by clusters of copies, near-duplicate texts, and sequences of records."""
