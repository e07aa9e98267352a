"""Which files and which rows of a source are read, within the bounds of the recipe."""
