"""Privacy: what the synthetic records alone reveal about the training records."""
