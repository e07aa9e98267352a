"""Constraints on records: conditions, rules, given values, uniqueness and the copy filter."""
