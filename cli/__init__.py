"""The `paracosm` command: one module per command or group of commands, with its options."""
