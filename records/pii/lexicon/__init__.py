"""Word lists of the PII detectors: names, ambiguous words, regions."""
