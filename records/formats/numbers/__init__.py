"""Numbers as a source writes them: notation, reading, writing, and detection of a column's format."""
