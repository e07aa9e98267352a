"""The codec: encoding of records as token sequences, and the grammar of all valid encodings."""
