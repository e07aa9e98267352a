"""Stores of published versions: a local folder, the Hugging Face Hub, an MLflow server, and those of plug-ins."""
