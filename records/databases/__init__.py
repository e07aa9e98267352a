"""Databases: connections through SQLAlchemy, and tables that synthetic records are written to."""
