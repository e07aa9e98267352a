"""Outlook: which questions the sizes of a table can settle, before anything is trained."""
