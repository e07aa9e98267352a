"""What augmentation never changes: named entities, numbers, negations, and words that another cell of the record holds."""

import re
from collections import Counter
from collections.abc import Mapping
from typing import Any

NEGATIONS = frozenset(
    [
        "absence",
        "absent",
        "barely",
        "cannot",
        "deny",
        "except",
        "fail",
        "hardly",
        "lack",
        "n't",
        "negative",
        "neither",
        "never",
        "no",
        "nobody",
        "none",
        "nor",
        "not",
        "nothing",
        "refuse",
        "unable",
        "unless",
        "unremarkable",
        "without",
    ]
)
"""Lemmas that turn a statement around."""
_WORD = re.compile(r"[^\W_]+")


def cell_words(record: Mapping[str, Any], text: str) -> frozenset[str]:
    """Return the words of all cells of a record but one text, in small letters.

    Args:
        record: values by field.
        text: name of the text that is augmented.
    """
    others = (str(value) for name, value in record.items() if name != text and value is not None)
    return frozenset(word.casefold() for value in others for word in _WORD.findall(value))


def is_protected(token: Any, kept: frozenset[str]) -> bool:
    """Return whether a spaCy token must stay as it is.

    Args:
        token: of a parsed text.
        kept: words of other cells, in small letters.
    """
    word, lemma = token.text.casefold(), token.lemma_.casefold()
    return bool(
        token.ent_type_
        or token.like_num
        or token.is_digit
        or any(letter.isdigit() for letter in word)
        or token.pos_ == "PROPN"
        or word in NEGATIONS
        or lemma in NEGATIONS
        or token.dep_ == "neg"
        or word in kept
        or lemma in kept
    )


def facts(document: Any, kept: frozenset[str]) -> Counter[str]:
    """Return the protected words of a parsed text with their numbers; two texts of one meaning have the same."""
    found: Counter[str] = Counter()
    for token in document:
        word = token.text.casefold()
        lemma = token.lemma_.casefold()
        negates = word in NEGATIONS or lemma in NEGATIONS
        # Entities and names are compared as words: another order of the sentences can change where the parser sees one.
        if negates or word in kept or any(letter.isdigit() for letter in word) or token.like_num:
            found["not" if word in ("n't", "not") else word] += 1
    return found


def keeps_facts(before: Any, after: Any, kept: frozenset[str]) -> bool:
    """Return whether a changed text has the numbers, negations, cell words and entities of the text before, and no further ones."""
    if facts(before, kept) != facts(after, kept):
        return False
    words = Counter(token.text.casefold() for token in after)
    named = Counter(
        token.text.casefold()
        for token in before
        if (token.ent_type_ or token.pos_ == "PROPN") and token.is_alpha
    )
    return not named - words
