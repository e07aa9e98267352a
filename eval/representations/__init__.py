"""Records as vectors: features for classifiers, distances between rows, embeddings and n-grams of texts."""
