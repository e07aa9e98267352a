"""The process: environment variables of libraries, signals, and exit codes."""
