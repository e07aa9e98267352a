"""Texts of any script: their words, and the Unicode form in which a tokenizer can write them."""
