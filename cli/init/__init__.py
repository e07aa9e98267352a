"""`paracosm init`: its command line."""
