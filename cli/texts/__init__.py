"""Commands about texts: augmentation of a table, and questions over its records."""
