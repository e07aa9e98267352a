"""The key under which a record carries what it was made of, until its shard is written."""

PARENT = "\x00parent"
"""Holds the number of the training record and the operations, as JSON. No field has this name, so it is not published."""
