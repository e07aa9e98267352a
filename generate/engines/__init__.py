"""Engines that generate blocks of records: local processes, a Ray cluster, vLLM."""
