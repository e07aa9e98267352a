"""Loading recipes: YAML with line numbers, overrides, errors that name file, line and key."""
