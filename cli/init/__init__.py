"""`paracosm init`: a commented recipe from a data file."""
