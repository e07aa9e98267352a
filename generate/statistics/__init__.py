"""Statistical methods: columns as atoms, and the distribution of each field given the fields before it."""
