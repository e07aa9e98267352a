"""Detection of boolean columns: the two words of a known pair, in one spelling."""

PAIRS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
DECLARED_PAIRS = (*PAIRS, ("1", "0"), ("1.0", "0.0"))
"""Pairs that also count in a column that is declared boolean."""


def boolean_words(cells: list[str], pairs: tuple[tuple[str, str], ...]) -> dict[str, str] | None:
    """Return the words for true and false if the distinct `cells` are exactly one of `pairs`, else None."""
    if len(cells) != 2:
        return None
    by_meaning = {cell.lower(): cell for cell in cells}
    for true, false in pairs:
        if set(by_meaning) == {true, false}:
            return {"true": by_meaning[true], "false": by_meaning[false]}
    return None


def declared_boolean_words(cells: list[str]) -> dict[str, str] | None:
    """Return the words for true and false of a column that is declared boolean, or None if they are not a known pair.

    One word of a pair is enough, because a declared type must not depend on the records in the table. The other word is then
    spelled in the same way.
    """
    if len(cells) != 1:
        return boolean_words(cells, DECLARED_PAIRS)
    word = cells[0]
    for true, false in DECLARED_PAIRS:
        if word.lower() == true:
            return {"true": word, "false": _spelled_like(word, false)}
        if word.lower() == false:
            return {"true": _spelled_like(word, true), "false": word}
    return None


def _spelled_like(model: str, word: str) -> str:
    return word.upper() if model.isupper() else word.capitalize() if model.istitle() else word
