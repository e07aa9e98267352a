"""Training objectives: data sets, collators and losses of causal and masked models."""
