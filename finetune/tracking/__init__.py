"""Experiment tracking: the loss curve, the settings and the results of a run on MLflow, Weights & Biases or TensorBoard."""
