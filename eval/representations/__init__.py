"""Records and texts as vectors: features, row distances, embeddings, n-grams."""
