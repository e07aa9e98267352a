"""Grammatical restructuring of sentences, and what it needs to know of a parsed sentence."""
