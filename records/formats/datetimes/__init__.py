"""Datetimes as a source writes them: codes, names of months, and detection of a column's format."""
