"""Local prompting: records in natural wording from a language model that was not trained on them."""
