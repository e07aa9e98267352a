"""Fidelity of texts: wording, meaning, topics, named entities, and agreement with the columns of the record."""
