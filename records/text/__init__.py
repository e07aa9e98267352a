"""Texts of any script: reading them from files, their words, and the Unicode form in which a tokenizer can write them."""
