"""Schema inference: the type, format and domain of every column."""
