"""Values that few subjects have: which they are, and what becomes of them before anything is made from the records."""
