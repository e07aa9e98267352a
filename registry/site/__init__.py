"""Static web site of a registry: an index, a page per version, and a comparison with the version before."""
