"""Personal data (PII): detection in columns and texts, and consistent replacement before training."""
