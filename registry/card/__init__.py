"""Model card and data card of a run, with their metadata, pictures, provenance and redaction."""
