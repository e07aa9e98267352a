"""Grammatical restructuring: active and passive voice, and adverbial phrases moved to or from the front, each checked by a new parse."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from paracosm.foundation.extras import require_extra

Parse = Callable[[str], Any]
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
NO_SENTENCE = re.compile(r"[\n:;()/\"]")
"""Marks of headings and lists, which the parser takes for sentences."""
A_MOMENT = re.compile(r"\b(?:ago|today|yesterday|tonight|(?:this|last|next|every|each) \w+)\b", re.IGNORECASE)
"""A time without a preposition that may stand at the front; `3 days` in `it lasted 3 days` may not."""
REPORTING = frozenset(["admit", "complain", "deny", "describe", "mention", "note", "report", "say", "state"])
"""Verbs whose phrase of time mostly belongs to what is reported: `denies pain at night`."""
STATIVE = frozenset(
    [
        "be",
        "become",
        "contain",
        "cost",
        "deny",
        "equal",
        "fit",
        "get",
        "hate",
        "have",
        "include",
        "involve",
        "know",
        "lack",
        "last",
        "like",
        "love",
        "mean",
        "measure",
        "need",
        "remain",
        "report",
        "resemble",
        "state",
        "suit",
        "total",
        "want",
        "weigh",
    ]
)
"""Verbs without a passive voice, or with a rare one."""


class Restructuring:
    """Restructures one sentence of a text.

    Attributes:
        parse: parses a text with spaCy.
    """

    def __init__(self, parse: Parse) -> None:
        self.parse = parse

    def __call__(self, document: Any, kept: frozenset[str], random: np.random.Generator) -> str | None:
        """Return a text with one sentence restructured; None where no sentence can be, or no result stands the check."""
        sentences = [
            each
            for each in document.sents
            if each.text.rstrip().endswith(".") and not NO_SENTENCE.search(each.text.strip())
        ]
        for number in random.permutation(len(sentences)).tolist():
            sentence = sentences[number]
            ways = [self._passive, self._active, self._fronted, self._moved_back]
            for way in random.permutation(len(ways)).tolist():
                changed = ways[way](sentence)
                if changed is not None and changed != sentence.text:
                    text = document.text
                    return text[: sentence.start_char] + changed + text[sentence.end_char :]
        return None

    def _passive(self, sentence: Any) -> str | None:
        """Return an active sentence in the passive voice."""
        verb = sentence.root
        subject, thing = _child(verb, "nsubj"), _child(verb, "dobj")
        if verb.tag_ not in ("VBD", "VBZ", "VBP") or subject is None or thing is None:
            return None
        others = {child.dep_ for child in verb.children} - {
            "nsubj",
            "dobj",
            "punct",
            "prep",
            "npadvmod",
            "advmod",
        }
        if others or subject.i > verb.i or thing.i < verb.i or _is_clause(subject) or _is_clause(thing):
            return None
        if subject.left_edge.i != sentence.start or any(token.text == "," for token in sentence):
            return None
        # "by him" and "by it" are seldom written.
        # A heading that the parser takes for a sentence has a subject without an article.
        bare = (
            subject.ent_type_ not in ("PERSON", "ORG", "GPE", "NORP")
            and subject.n_lefts == 0
            and subject.tag_ != "NNS"
        )
        if bare or verb.lemma_ in STATIVE or subject.pos_ in ("PRON", "DET") or _is_reflexive(thing):
            return None
        adverbs = [
            child for child in verb.children if child.dep_ in ("advmod", "npadvmod") and child.i < thing.i
        ]
        if adverbs:
            return None
        participle = _form(verb.lemma_, "VBN")
        be = _be(thing, past=verb.tag_ == "VBD")
        rest = _after(sentence, thing)
        agent = _as_object(_phrase(subject))
        changed = _sentence(
            f"{_as_subject(_phrase(thing))} {be} {participle} by {agent}{rest}", subject, thing
        )
        return changed if self._has(changed, verb.lemma_, "nsubjpass", thing, "agent", subject) else None

    def _active(self, sentence: Any) -> str | None:
        """Return a passive sentence with an agent in the active voice."""
        verb = sentence.root
        thing, by, be = _child(verb, "nsubjpass"), _child(verb, "agent"), _child(verb, "auxpass")
        if verb.tag_ != "VBN" or thing is None or by is None or be is None or by.i < verb.i:
            return None
        others = {child.dep_ for child in verb.children} - {
            "nsubjpass",
            "auxpass",
            "agent",
            "punct",
            "prep",
            "npadvmod",
        }
        agent = _child(by, "pobj")
        # Only phrases after the agent keep their place.
        moved = [child for child in verb.children if child.dep_ in ("prep", "npadvmod") and child.i < by.i]
        if (
            others
            or moved
            or agent is None
            or be.tag_ not in ("VBD", "VBZ", "VBP")
            or _is_clause(thing)
            or _is_clause(agent)
        ):
            return None
        tag = "VBD" if be.tag_ == "VBD" else "VBP" if _is_plural(agent) else "VBZ"
        rest = _after(sentence, agent)
        changed = _sentence(
            f"{_as_subject(_phrase(agent))} {_form(verb.lemma_, tag)} {_as_object(_phrase(thing))}{rest}",
            thing,
            agent,
        )
        return changed if self._has(changed, verb.lemma_, "dobj", thing, "nsubj", agent) else None

    def _fronted(self, sentence: Any) -> str | None:
        """Return a sentence with the adverbial phrase that ends it at its front."""
        verb, last = sentence.root, _last_word(sentence)
        subject = _child(verb, "nsubj") or _child(verb, "nsubjpass")
        phrase = next(
            (child for child in verb.children if child.i > verb.i and child.right_edge.i == last.i), None
        )
        if subject is None or phrase is None or phrase.dep_ not in ("prep", "advcl", "npadvmod"):
            return None
        start = sentence[0]
        if (
            verb.lemma_ in REPORTING
            or verb.lemma_ == "be"
            or subject.left_edge.i != start.i
            or not _is_adverbial(phrase)
        ):
            return None
        head = phrase.left_edge
        # "cannot recollect when ..." is not an adverbial, whatever the parser says.
        if phrase.dep_ == "advcl" and head.text.casefold() in ("when", "if") and head.i == verb.i + 1:
            return None
        # With two objects, the phrase may belong to the second alone.
        if any(token.dep_ in ("conj", "cc") for token in sentence.doc[start.i : head.i]):
            return None
        if any(token.text == "," for token in sentence[: head.i - sentence.start]):
            return None
        main = sentence.doc.text[start.idx : head.idx].rstrip().rstrip(",")
        tail = sentence.doc.text[last.idx + len(last.text) : sentence.end_char]
        words = sentence.doc.text[head.idx : last.idx + len(last.text)]
        changed = f"{words[0].upper()}{words[1:]}, {_lowered(main, start)}{tail}"
        return changed if self._keeps_root(changed, verb, subject) else None

    def _moved_back(self, sentence: Any) -> str | None:
        """Return a sentence with the adverbial phrase that begins it at its end."""
        verb, last = sentence.root, _last_word(sentence)
        subject = _child(verb, "nsubj") or _child(verb, "nsubjpass")
        phrase = next((child for child in verb.children if child.left_edge.i == sentence.start), None)
        if subject is None or phrase is None or phrase.dep_ not in ("prep", "advcl", "npadvmod"):
            return None
        comma = phrase.right_edge.i + 1
        if (
            comma >= sentence.end
            or sentence.doc[comma].text != ","
            or subject.left_edge.i != comma + 1
            or not _is_adverbial(phrase)
        ):
            return None
        text = sentence.doc.text
        words = text[sentence.start_char : phrase.right_edge.idx + len(phrase.right_edge.text)]
        main = text[subject.left_edge.idx : last.idx + len(last.text)]
        tail = text[last.idx + len(last.text) : sentence.end_char]
        changed = f"{main[0].upper()}{main[1:]} {_lowered(words, sentence[0])}{tail}"
        return changed if self._keeps_root(changed, verb, subject) else None

    def _has(self, text: str, lemma: str, role: str, one: Any, other_role: str, other: Any) -> bool:
        """Return whether a sentence has a verb whose two arguments have the given roles."""
        sentences = list(self.parse(text).sents)
        root = sentences[0].root
        if len(sentences) != 1 or root.lemma_ != lemma:
            return False
        first, second = _child(root, role), _child(root, other_role)
        if second is not None and other_role == "agent":
            second = _child(second, "pobj")
        return first is not None and second is not None and _same(first, one) and _same(second, other)

    def _keeps_root(self, text: str, verb: Any, subject: Any) -> bool:
        """Return whether a sentence has the same verb, with the same subject."""
        sentences = list(self.parse(text).sents)
        root = sentences[0].root
        found = _child(root, subject.dep_)
        return (
            len(sentences) == 1 and root.lemma_ == verb.lemma_ and found is not None and _same(found, subject)
        )


def _child(token: Any, dependency: str) -> Any | None:
    found = [child for child in token.children if child.dep_ == dependency]
    return found[0] if len(found) == 1 else None


def _same(one: Any, other: Any) -> bool:
    """Return whether two tokens are the same word, in any case of a pronoun."""
    a, b = one.text.casefold(), other.text.casefold()
    return a == b or OBJECT.get(a, a) == OBJECT.get(b, b)


def _phrase(token: Any) -> Any:
    return token.doc[token.left_edge.i : token.right_edge.i + 1]


def _as_object(phrase: Any) -> str:
    """Return a phrase as an object: `he` becomes `him`, and the letter that began a sentence is small."""
    text = str(phrase.text)
    return str(OBJECT.get(text.casefold(), _lowered(text, phrase[0])))


def _as_subject(phrase: Any) -> str:
    text = str(phrase.text)
    return SUBJECT.get(text.casefold(), text)


def _sentence(text: str, *phrases: Any) -> str:
    """Return a text with a capital at its beginning, and `I` as it is written."""
    return f"{text[0].upper()}{text[1:]}"


def _lowered(text: str, first: Any) -> str:
    """Return a passage that began a sentence as it stands within one."""
    keeps = (
        first.pos_ in ("PROPN", "NUM")
        or first.ent_type_ not in ("", *TIMES)
        or first.text == "I"
        or not first.text.istitle()
    )
    return text if keeps else text[0].lower() + text[1:]


def _after(sentence: Any, token: Any) -> str:
    """Return what follows a phrase in its sentence, with the blank before it."""
    end = token.right_edge.idx + len(token.right_edge.text)
    return sentence.doc.text[end : sentence.end_char]


def _last_word(sentence: Any) -> Any:
    return next(
        (token for token in reversed(list(sentence)) if not token.is_punct and not token.is_space),
        sentence[-1],
    )


def _is_clause(token: Any) -> bool:
    """Return whether a phrase holds a clause or is one of several, or refers to a phrase elsewhere."""
    return any(
        each.dep_ in ("relcl", "acl", "ccomp", "conj", "advcl", "xcomp", "pcomp") for each in token.subtree
    )


def _is_reflexive(token: Any) -> bool:
    return token.text.casefold().endswith(("self", "selves")) or token.text.casefold() in (
        "each",
        "other",
        "another",
    )


def _is_adverbial(phrase: Any) -> bool:
    """Return whether a phrase says when, or under which condition, something is so."""
    # A clause inside, or a second phrase, may belong to the rest of the sentence.
    if phrase.dep_ != "advcl" and any(
        token.dep_ in ("relcl", "acl", "cc", "conj") or token.text == "," for token in phrase.subtree
    ):
        return False
    if phrase.dep_ == "npadvmod":
        return phrase.ent_type_ in TIMES and bool(A_MOMENT.search(_phrase(phrase).text))
    first = phrase.left_edge.text.casefold()
    if first not in FRONTED:
        return False
    return phrase.dep_ == "advcl" or any(token.ent_type_ in TIMES for token in phrase.subtree)


def _is_plural(token: Any) -> bool:
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


def _be(subject: Any, *, past: bool) -> str:
    first = subject.text.casefold() in ("me", "i")
    if past:
        return "were" if _is_plural(subject) and not first else "was"
    return "am" if first else "are" if _is_plural(subject) else "is"


def _form(lemma: str, tag: str) -> str:
    """Return a form of a verb; `tag` is that of the Penn Treebank."""
    inflect = require_extra("lemminflect", "augment", "generate.augment: restructuring").getInflection
    forms = inflect(lemma, tag)
    return str(forms[0]) if forms else lemma
