"""The `paracosm` command: one module per command, options in, exit code out."""
