"""Schemas and typed tables: fields and domains, cell formats, Parquet and CSV."""
