"""`paracosm init`: inference of a commented recipe from a data file."""
