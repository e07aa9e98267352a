"""Foundation: errors, exit codes, atomic files, digests, progress and optional packages; knows nothing of recipes."""
