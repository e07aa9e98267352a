"""Formats of cells: how numbers, dates, words and identifiers are written in a source."""
