"""Fine-tuning: records and a base model in, an adapter out."""
