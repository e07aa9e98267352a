"""Phrases of a parsed sentence: their place, their form as subject or object, and forms of verbs.

Tokens are those of spaCy; dependencies are those of ClearNLP, tags those of the Penn Treebank.
"""

import re
from typing import Any

from paracosm.foundation.extras import require_extra

OBJECT = {"i": "me", "he": "him", "she": "her", "we": "us", "they": "them", "who": "whom"}
SUBJECT = {form: subject for subject, form in OBJECT.items()}
FRONTED = frozenset(
    [
        "after",
        "although",
        "at",
        "because",
        "before",
        "by",
        "during",
        "if",
        "in",
        "on",
        "since",
        "until",
        "when",
        "while",
    ]
)
"""Words that begin an adverbial phrase which may stand at the front."""
TIMES = ("DATE", "TIME")
A_MOMENT = re.compile(r"\b(?:ago|today|yesterday|tonight|(?:this|last|next|every|each) \w+)\b", re.IGNORECASE)
"""A time without a preposition that may stand at the front; `3 days` in `it lasted 3 days` may not."""


def only_child(token: Any, dependency: str) -> Any | None:
    """Return the child of a token with a dependency; None where there is none, or several."""
    found = [child for child in token.children if child.dep_ == dependency]
    return found[0] if len(found) == 1 else None


def same_word(one: Any, other: Any) -> bool:
    """Return whether two tokens are the same word, in any case of a pronoun."""
    a, b = one.text.casefold(), other.text.casefold()
    return a == b or OBJECT.get(a, a) == OBJECT.get(b, b)


def phrase_of(token: Any) -> Any:
    """Return the whole phrase that a token is the head of."""
    return token.doc[token.left_edge.i : token.right_edge.i + 1]


def as_object(phrase: Any) -> str:
    """Return a phrase as an object: `he` becomes `him`, and the letter that began a sentence is small."""
    text = str(phrase.text)
    return str(OBJECT.get(text.casefold(), lowered(text, phrase[0])))


def as_subject(phrase: Any) -> str:
    """Return a phrase as a subject: `him` becomes `he`."""
    text = str(phrase.text)
    return SUBJECT.get(text.casefold(), text)


def capitalized(text: str) -> str:
    """Return a text with a capital at its beginning."""
    return f"{text[0].upper()}{text[1:]}"


def lowered(text: str, first: Any) -> str:
    """Return a passage that began a sentence as it stands within one."""
    keeps = (
        first.pos_ in ("PROPN", "NUM")
        or first.ent_type_ not in ("", *TIMES)
        or first.text == "I"
        or not first.text.istitle()
    )
    return text if keeps else text[0].lower() + text[1:]


def after(sentence: Any, token: Any) -> str:
    """Return what follows a phrase in its sentence, with the blank before it."""
    end = token.right_edge.idx + len(token.right_edge.text)
    return sentence.doc.text[end : sentence.end_char]


def last_word(sentence: Any) -> Any:
    """Return the last token of a sentence that is neither punctuation nor a blank."""
    return next(
        (token for token in reversed(list(sentence)) if not token.is_punct and not token.is_space),
        sentence[-1],
    )


def is_clause(token: Any) -> bool:
    """Return whether a phrase holds a clause or is one of several, or refers to a phrase elsewhere."""
    return any(
        each.dep_ in ("relcl", "acl", "ccomp", "conj", "advcl", "xcomp", "pcomp") for each in token.subtree
    )


def is_reflexive(token: Any) -> bool:
    """Return whether a token is a reflexive or reciprocal pronoun."""
    return token.text.casefold().endswith(("self", "selves")) or token.text.casefold() in (
        "each",
        "other",
        "another",
    )


def is_adverbial(phrase: Any) -> bool:
    """Return whether a phrase says when, or under which condition, something is so."""
    # A clause inside, or a second phrase, may belong to the rest of the sentence.
    if phrase.dep_ != "advcl" and any(
        token.dep_ in ("relcl", "acl", "cc", "conj") or token.text == "," for token in phrase.subtree
    ):
        return False
    if phrase.dep_ == "npadvmod":
        return phrase.ent_type_ in TIMES and bool(A_MOMENT.search(phrase_of(phrase).text))
    first = phrase.left_edge.text.casefold()
    if first not in FRONTED:
        return False
    return phrase.dep_ == "advcl" or any(token.ent_type_ in TIMES for token in phrase.subtree)


def is_plural(token: Any) -> bool:
    """Return whether a verb in the present tense has its plain form beside this subject."""
    return token.tag_ in ("NNS", "NNPS") or token.text.casefold() in (
        "they",
        "them",
        "we",
        "us",
        "i",
        "me",
        "you",
        "these",
        "those",
    )


def form_of_be(subject: Any, *, past: bool) -> str:
    """Return the form of `be` beside a subject."""
    first = subject.text.casefold() in ("me", "i")
    if past:
        return "were" if is_plural(subject) and not first else "was"
    return "am" if first else "are" if is_plural(subject) else "is"


def verb_form(lemma: str, tag: str) -> str:
    """Return a form of a verb; `tag` is that of the Penn Treebank."""
    inflect = require_extra("lemminflect", "augment", "generate.augment: restructuring").getInflection
    forms = inflect(lemma, tag)
    return str(forms[0]) if forms else lemma
