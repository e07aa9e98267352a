"""The training loop: trainer, batch sampler, callbacks, weight averaging, checkpoints."""
