"""Augmentation of texts: synonyms, variation of sentences, restructuring, and segments written again."""
