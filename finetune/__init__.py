"""Fine-tuning: train a LoRA adapter or a full model on a run's records."""
