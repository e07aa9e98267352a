"""The model card: facts, metadata, pictures, provenance, redaction."""
