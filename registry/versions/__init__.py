"""Published versions: manifest, checks, verdict, signature and differences, independent of any store."""
