"""What the codec needs of a tokenizer: tokens of single symbols, bytes of every token, and texts as subwords."""
