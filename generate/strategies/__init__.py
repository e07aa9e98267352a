"""Strategies: the ways of making records, behind one protocol above tokens."""
