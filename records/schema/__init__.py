"""Schemas and typed tables: fields, cell formats, Parquet and CSV."""
