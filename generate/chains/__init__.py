"""Chains: typed steps that make a record one after another."""
