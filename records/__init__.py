"""Records: data in, schema, splits, codec and grammar."""
