"""The codec: records as token sequences, and the grammar of every valid one."""
