"""Data sources: files, SQL queries, data sets of the Hugging Face Hub, and tables in memory."""
