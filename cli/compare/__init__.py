"""`paracosm compare`: one recipe under several strategies, a run each, compared, with a recommendation by a stated rule."""
