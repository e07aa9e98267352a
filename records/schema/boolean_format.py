"""How a source writes true and false: two words of a known pair, in one spelling."""

PAIRS = (("true", "false"), ("yes", "no"), ("y", "n"), ("t", "f"))
DECLARED_PAIRS = (*PAIRS, ("1", "0"), ("1.0", "0.0"))


def boolean_words(cells: list[str], pairs: tuple[tuple[str, str], ...]) -> dict[str, str] | None:
    """Return how true and false are written, when `cells` are exactly one of `pairs`."""
    for true, false in pairs:
        by_meaning = {cell.lower(): cell for cell in cells}
        if len(cells) == 2 and set(by_meaning) == {true, false}:
            return {"true": by_meaning[true], "false": by_meaning[false]}
    return None


def declared_boolean_words(cells: list[str]) -> dict[str, str] | None:
    """Return how true and false are written in a column that is declared boolean, or None.

    One word of a known pair is enough, for a declared type does not hang on who is in the table; the other word is
    spelled alike.
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
