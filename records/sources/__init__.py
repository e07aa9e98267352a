"""Data sources: files, SQL queries, hub data sets and tables in memory."""
