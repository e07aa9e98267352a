"""The run directory: its paths, journal, lock and stages."""
