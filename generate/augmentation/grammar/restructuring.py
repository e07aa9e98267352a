"""Grammatical restructuring: active and passive voice, and adverbial phrases moved to or from the front, each checked by a new parse."""

import re
from collections.abc import Callable
from typing import Any

import numpy as np

from paracosm.generate.augmentation.grammar.phrases import (
    after,
    as_object,
    as_subject,
    capitalized,
    form_of_be,
    is_adverbial,
    is_clause,
    is_plural,
    is_reflexive,
    last_word,
    lowered,
    only_child,
    phrase_of,
    same_word,
    verb_form,
)

Parse = Callable[[str], Any]
NO_SENTENCE = re.compile(r"[\n:;()/\"]")
"""Marks of headings and lists, which the parser takes for sentences."""
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
        subject, thing = only_child(verb, "nsubj"), only_child(verb, "dobj")
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
        if others or subject.i > verb.i or thing.i < verb.i or is_clause(subject) or is_clause(thing):
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
        if bare or verb.lemma_ in STATIVE or subject.pos_ in ("PRON", "DET") or is_reflexive(thing):
            return None
        adverbs = [
            child for child in verb.children if child.dep_ in ("advmod", "npadvmod") and child.i < thing.i
        ]
        if adverbs:
            return None
        participle = verb_form(verb.lemma_, "VBN")
        be = form_of_be(thing, past=verb.tag_ == "VBD")
        rest = after(sentence, thing)
        agent = as_object(phrase_of(subject))
        changed = capitalized(f"{as_subject(phrase_of(thing))} {be} {participle} by {agent}{rest}")
        return changed if self._has(changed, verb.lemma_, "nsubjpass", thing, "agent", subject) else None

    def _active(self, sentence: Any) -> str | None:
        """Return a passive sentence with an agent in the active voice."""
        verb = sentence.root
        thing, by, be = only_child(verb, "nsubjpass"), only_child(verb, "agent"), only_child(verb, "auxpass")
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
        agent = only_child(by, "pobj")
        # Only phrases after the agent keep their place.
        moved = [child for child in verb.children if child.dep_ in ("prep", "npadvmod") and child.i < by.i]
        if (
            others
            or moved
            or agent is None
            or be.tag_ not in ("VBD", "VBZ", "VBP")
            or is_clause(thing)
            or is_clause(agent)
        ):
            return None
        tag = "VBD" if be.tag_ == "VBD" else "VBP" if is_plural(agent) else "VBZ"
        rest = after(sentence, agent)
        changed = capitalized(
            f"{as_subject(phrase_of(agent))} {verb_form(verb.lemma_, tag)} {as_object(phrase_of(thing))}{rest}"
        )
        return changed if self._has(changed, verb.lemma_, "dobj", thing, "nsubj", agent) else None

    def _fronted(self, sentence: Any) -> str | None:
        """Return a sentence with the adverbial phrase that ends it at its front."""
        verb, last = sentence.root, last_word(sentence)
        subject = only_child(verb, "nsubj") or only_child(verb, "nsubjpass")
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
            or not is_adverbial(phrase)
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
        changed = f"{capitalized(words)}, {lowered(main, start)}{tail}"
        return changed if self._keeps_root(changed, verb, subject) else None

    def _moved_back(self, sentence: Any) -> str | None:
        """Return a sentence with the adverbial phrase that begins it at its end."""
        verb, last = sentence.root, last_word(sentence)
        subject = only_child(verb, "nsubj") or only_child(verb, "nsubjpass")
        phrase = next((child for child in verb.children if child.left_edge.i == sentence.start), None)
        if subject is None or phrase is None or phrase.dep_ not in ("prep", "advcl", "npadvmod"):
            return None
        comma = phrase.right_edge.i + 1
        if (
            comma >= sentence.end
            or sentence.doc[comma].text != ","
            or subject.left_edge.i != comma + 1
            or not is_adverbial(phrase)
        ):
            return None
        text = sentence.doc.text
        words = text[sentence.start_char : phrase.right_edge.idx + len(phrase.right_edge.text)]
        main = text[subject.left_edge.idx : last.idx + len(last.text)]
        tail = text[last.idx + len(last.text) : sentence.end_char]
        changed = f"{capitalized(main)} {lowered(words, sentence[0])}{tail}"
        return changed if self._keeps_root(changed, verb, subject) else None

    def _has(self, text: str, lemma: str, role: str, one: Any, other_role: str, other: Any) -> bool:
        """Return whether a sentence has a verb whose two arguments have the given roles."""
        sentences = list(self.parse(text).sents)
        root = sentences[0].root
        if len(sentences) != 1 or root.lemma_ != lemma:
            return False
        first, second = only_child(root, role), only_child(root, other_role)
        if second is not None and other_role == "agent":
            second = only_child(second, "pobj")
        return first is not None and second is not None and same_word(first, one) and same_word(second, other)

    def _keeps_root(self, text: str, verb: Any, subject: Any) -> bool:
        """Return whether a sentence has the same verb, with the same subject."""
        sentences = list(self.parse(text).sents)
        root = sentences[0].root
        found = only_child(root, subject.dep_)
        return (
            len(sentences) == 1
            and root.lemma_ == verb.lemma_
            and found is not None
            and same_word(found, subject)
        )
