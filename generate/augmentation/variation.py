"""Variation of sentences: two neighbours change places, a sentence is divided at a conjunction, or two are joined."""

import re
from itertools import pairwise
from typing import Any

import numpy as np

MOST_JOINED = 14
"""Words of each sentence that may be joined with another."""
CONNECTIVES = frozenset(
    [
        "additionally",
        "afterward",
        "afterwards",
        "again",
        "also",
        "and",
        "because",
        "but",
        "consequently",
        "eventually",
        "finally",
        "first",
        "for",
        "furthermore",
        "hence",
        "however",
        "instead",
        "lastly",
        "later",
        "meanwhile",
        "moreover",
        "nevertheless",
        "next",
        "nor",
        "or",
        "otherwise",
        "second",
        "similarly",
        "so",
        "still",
        "subsequently",
        "then",
        "therefore",
        "third",
        "thus",
        "yet",
    ]
)
"""Words that tie a sentence to the one before it."""
REFERRING = frozenset(
    [
        "both",
        "he",
        "her",
        "hers",
        "him",
        "his",
        "it",
        "its",
        "one",
        "ones",
        "she",
        "such",
        "that",
        "their",
        "them",
        "these",
        "they",
        "this",
        "those",
    ]
)
QUESTION_OR_LIST = re.compile(r"[?:;*•]|\n|^\s*(?:\d+[.)]|-)")


class SentenceVariation:
    """Changes the order or the division of sentences; every word stays, but for `and` and the letter that begins a sentence."""

    def __call__(self, document: Any, kept: frozenset[str], random: np.random.Generator) -> str | None:
        """Return a text with one change; None where none is safe."""
        sentences = list(document.sents)
        found = [*_swaps(document, sentences), *_divisions(document, sentences), *_joins(document, sentences)]
        return found[int(random.integers(len(found)))] if found else None


def _swaps(document: Any, sentences: list[Any]) -> list[str]:
    """Return the text with each pair of independent neighbours in the other order."""
    text, found = document.text, []
    for number, (one, other) in enumerate(pairwise(sentences)):
        # A sentence can hold the second of two blanks that follow it.
        (begin, middle), (after, end) = _bounds(one), _bounds(other)
        between = text[middle:after]
        if not (_is_plain(one) and _is_plain(other)) or not between.isspace() or "\n" in between:
            continue
        first = next((token for token in other if not token.is_punct), None)
        if first is None or first.text.casefold() in CONNECTIVES or _refers(one) or _refers(other):
            continue
        # The first sentence of a text introduces whom the others are about.
        if number == 0 or any(token.text.casefold() in CONNECTIVES for token in one[:1]):
            continue
        found.append(text[:begin] + text[after:end] + between + text[begin:middle] + text[end:])
    return found


def _bounds(sentence: Any) -> tuple[int, int]:
    """Return where a sentence begins and ends, without the blanks around it."""
    begin = sentence.start_char + len(sentence.text) - len(sentence.text.lstrip())
    return begin, begin + len(sentence.text.strip())


def _divisions(document: Any, sentences: list[Any]) -> list[str]:
    """Return the text with each sentence of two coordinated clauses divided into two."""
    text, found = document.text, []
    for sentence in sentences:
        for token in sentence:
            clauses = [child for child in token.head.children if child.dep_ == "conj" and child.i > token.i]
            if token.dep_ != "cc" or token.text != "and" or token.head.dep_ != "ROOT" or len(clauses) != 1:
                continue
            clause = clauses[0]
            if token.i > 0 and document[token.i - 1].dep_ == "cc":
                continue
            if not _has_subject(token.head) or not _has_subject(clause) or clause.left_edge.i != token.i + 1:
                continue
            end = token.idx
            first = text[:end].rstrip().rstrip(",")
            second = text[clause.left_edge.idx :]
            found.append(f"{first}. {second[0].upper()}{second[1:]}")
    return found


def _joins(document: Any, sentences: list[Any]) -> list[str]:
    """Return the text with each pair of short neighbours joined by `and`."""
    text, found = document.text, []
    for one, other in pairwise(sentences):
        between = text[one.end_char : other.start_char]
        if not (_is_plain(one) and _is_plain(other)) or "\n" in between:
            continue
        if (
            len(one) > MOST_JOINED
            or len(other) > MOST_JOINED
            or not (_has_subject(one.root) and _has_subject(other.root))
        ):
            continue
        first = other[0]
        if first.text.casefold() in CONNECTIVES or any(token.dep_ == "cc" for token in (*one, *other)):
            continue
        lower = (
            first.pos_ not in ("PROPN", "NUM")
            and not first.ent_type_
            and first.text != "I"
            and first.text.istitle()
        )
        begin = other.text[0].lower() if lower else other.text[0]
        found.append(
            text[: one.start_char]
            + one.text.rstrip(". ")
            + ", and "
            + begin
            + other.text[1:]
            + text[other.end_char :]
        )
    return found


def _is_plain(sentence: Any) -> bool:
    """Return whether a sentence is a statement that ends with a full stop."""
    text = sentence.text.strip()
    return (
        text.endswith(".")
        and len(sentence) > 2
        and not QUESTION_OR_LIST.search(sentence.text)
        and text[0].isupper()
        # Masked passages such as XXXX mislead the parser about where a sentence begins.
        and not any(
            token.is_upper and len(set(token.text)) == 1 and len(token.text) > 1 for token in sentence
        )
    )


def _has_subject(verb: Any) -> bool:
    return verb.pos_ in ("VERB", "AUX") and any(
        child.dep_ in ("nsubj", "nsubjpass", "expl") and child.i < verb.i for child in verb.children
    )


def _refers(sentence: Any) -> bool:
    """Return whether a sentence begins with a word that refers to what stands before it."""
    return any(token.text.casefold() in REFERRING - {"he", "she", "his", "her"} for token in sentence[:3])
