"""Rules between fields: the expression language, and the bounds that a rule implies for a field."""
