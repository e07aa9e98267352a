"""Registry back ends: local folder, Hugging Face Hub, MLflow server."""
