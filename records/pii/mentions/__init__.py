"""Rules that read running text: whole names, names of things, streets and ages."""
