"""Base models: loading, LoRA, quantization, the restricted output head, trained models."""
