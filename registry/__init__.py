"""Registry: a run in, a model card and a published version out."""
