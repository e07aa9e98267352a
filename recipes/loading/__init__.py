"""Loading of recipes from YAML files and overrides, with errors that name file, line and key."""
