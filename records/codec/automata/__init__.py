"""Automata of single fields: the tokens that spell a value, and the values that tokens spell."""
