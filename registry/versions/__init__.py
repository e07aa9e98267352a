"""Published versions: manifest, checks, signature, differences."""
