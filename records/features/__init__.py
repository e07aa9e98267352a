"""Columns that are derived from texts: named entities, key phrases, sentiment."""
