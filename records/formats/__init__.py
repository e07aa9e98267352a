"""Formats of cells: how numbers, dates, truth values and identifiers are written in a source."""
