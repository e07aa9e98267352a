"""Keys about texts: their augmentation, questions over records, and the servers of models that write."""
