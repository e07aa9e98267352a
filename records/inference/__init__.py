"""Schema inference: column types, formats and domains."""
