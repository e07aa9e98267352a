"""Domain adaptation: train the base model on an unlabelled corpus or on conversations with TRL, before the records."""
