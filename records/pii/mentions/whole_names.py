"""Whole names of people in running text: over hyphens, particles and initials, after titles, roles and kin, before degrees."""

import re
from collections.abc import Iterator

from paracosm.records.pii.lexicon.ambiguous_names import always_ambiguous
from paracosm.records.pii.lexicon.common_words import common_words, is_common, word_set
from paracosm.records.pii.lexicon.name_lists import NameLists
from paracosm.records.pii.lexicon.name_parts import ENDINGS, PARTICLES, TITLES
from paracosm.records.pii.mentions.terms import DRUG_ENDING, FIRM_WORDS, SHORTEST_STEM

UPPER = "A-ZÀ-ÖØ-ÞĀ-Ž"
JOINED = r"(?:['’](?!s\b)[^\W\d_]+|-[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)*)*"
UNIT = rf"(?:[A-Za-z]['’]|[AaEe]l-|[Bb]in-)?[{UPPER}][^\W\d_]+{JOINED}"
"""A capitalized word with what hyphens and apostrophes join to it."""
FIRST_PARTICLES = PARTICLES - {"and", "und", "y", "e", "st"}
PARTICLE = rf"(?:(?i:{'|'.join(sorted(FIRST_PARTICLES, key=len, reverse=True))}|ste?\.?) )"
INITIALS = rf"(?:(?:[{UPPER}]\. ?){{1,3}}|[{UPPER}] )"
CHAIN = re.compile(rf"{INITIALS}?{PARTICLE}{{0,3}}{UNIT}(?: {INITIALS}?{PARTICLE}{{0,3}}{UNIT}){{0,4}}")
TITLED_CHAIN = re.compile(
    rf"\b(?:{'|'.join(sorted(TITLES, key=len, reverse=True))})\b(?: ?\.)?[ \t]+(?=[^\W\d_])",
    re.IGNORECASE,
)
SMALL_UNIT = re.compile(rf"{PARTICLE}{{0,3}}[^\W\d_]{{2,}}{JOINED}")
SMALL_TITLES = word_set("dr mr mrs ms prof capt sgt")
"""Titles after which a word in small letters can be a name."""
DEGREE = (
    r"(?:M\.?D|D\.?O|R\.?N|N\.?P|Ph\.?D|PA-?C|P\.A\.|DDS|D\.D\.S|D\.?M\.?D|DPM|DVM|OD|CRNA|CNM|FNP|ARNP|APRN|LPN|LCSW|LMFT|LPC|MSW|MBBS|PharmD|PsyD"
    r"|DPT|OTR|Esq|J\.?D|CPA|CFA|CEO|CFO|COO)\b"
)
BEFORE_DEGREE = re.compile(rf",? (?:(?:Jr|Sr|II|III|IV)\.?,? )?{DEGREE}")
CHAIN_AT_END = re.compile(rf"{CHAIN.pattern}$")
LONGEST_BEFORE_DEGREE = 70
"""Characters before a degree that are searched for the name."""
ANNOUNCED = re.compile(
    rf"(?:\b(?i:patient(?:'s)? name|patient|pt|name|client|attn|attention|cc|re|provider|physician|attending|surgeon|signed|author|witness"
    rf"|contact|employee|resident)[ \t]*:[ \t]*"
    rf"|\b(?i:(?:dictated|signed|reviewed|seen|authored|transcribed|prepared|referred|notarized|witnessed|executed|examined|interpreted)(?: electronically)? by:?) "
    rf"|\b(?i:defendants?|plaintiffs?|claimants?|petitioners?|respondents?|decedent|appellants?|appellees?|witness|testator|notary|attorney|lessee|lessor|borrower) "
    rf"|\b(?i:dear) )(?P<value>{CHAIN.pattern})"
)
KIN = re.compile(
    r"\b(?i:(?:grand|step|half-|god)?(?:son|daughter|mother|father|sister|brother|child)(?:-in-law)?|wife|husband|spouse|aunt|uncle|niece|nephew|cousin"
    r"|fianc[ée]e?|girlfriend|boyfriend|partner|roommate|neighbou?r|caregiver|guardian|mom|dad|friend)(?:,? |, (?:named|called) | (?:named|called) )"
    rf"(?P<value>{CHAIN.pattern})"
)
ANNOUNCED_INVERTED = re.compile(
    rf"\b(?i:patient(?:'s)? name|patient|pt|name|client)[ \t]*:[ \t]*(?P<value>{PARTICLE}{{0,3}}(?P<family>{UNIT}), (?P<given>{UNIT})(?: {UNIT}| [{UPPER}]\b\.?)?)"
)
INVERTED = re.compile(
    rf"(?<![^\W_-])(?<![^\W\d_] )(?P<value>{PARTICLE}{{0,3}}(?P<family>{UNIT}), (?P<given>{UNIT})(?: {UNIT}| [{UPPER}]\b\.?)?)"
)
WORD = re.compile(r"[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+|-[^\W\d_]+)*")
SHORT_FAMILY_NAMES = word_set("an do he long my so you")
"""Family names that are frequent English words; after a title and with a capital they are names."""
SENTENCE_START = re.compile(r"(?:^|[.!?:;\n]\s*)$")
LONGEST = 5
"""Most words of a name, without initials and particles."""


class WholeNames:
    """Finds the whole names of people in texts of one language."""

    def __init__(self, lists: NameLists, language: str, not_names: frozenset[str]):
        """Prepare the words that end a name.

        Args:
            lists: names.
            language: language of the texts.
            not_names: words of companies, laws and headings, case-folded.
        """
        self._lists, self._language = lists, language
        self._not_names = not_names | FIRM_WORDS

    def titled(self, text: str) -> Iterator[tuple[int, int]]:
        """Yield start and end of the names that follow a title."""
        for title in TITLED_CHAIN.finditer(text):
            start = title.end()
            if chain := CHAIN.match(text, start):
                if end := self._end(text, chain.start(), chain.end(), titled=True):
                    yield start, end
            elif (word := title.group().strip(" .\t").casefold()) in SMALL_TITLES and text[start].islower():
                small = SMALL_UNIT.match(text, start)
                if small and self._is_small_name(small.group(), word):
                    yield small.span()

    def introduced(self, text: str) -> Iterator[tuple[int, int, bool]]:
        """Yield start and end of the names beside a degree, a role or a comma, and whether they are sure."""
        for degree in BEFORE_DEGREE.finditer(text):
            first = max(0, degree.start() - LONGEST_BEFORE_DEGREE)
            if chain := CHAIN_AT_END.search(text, first, degree.start()):
                start = self._start(text, *chain.span())
                if (end := self._end(text, start, chain.end())) and self._has_degree_name(text[start:end]):
                    yield start, end, True
        for match in ANNOUNCED.finditer(text):
            start, end = match.span("value")
            if (stop := self._end(text, start, end)) and self._has_announced_name(text[start:stop]):
                yield start, stop, True
        for pattern in (ANNOUNCED_INVERTED, INVERTED):
            for match in pattern.finditer(text):
                if self._is_inverted(match, announced=pattern is ANNOUNCED_INVERTED):
                    yield *match.span("value"), True
                elif self._may_be_inverted(text, match):
                    yield *match.span("value"), False

    def kin(self, text: str) -> Iterator[tuple[int, int, bool]]:
        """Yield start and end of the names after words of kin, and whether a list has the name."""
        for match in KIN.finditer(text):
            start, end = match.span("value")
            if stop := self._end(text, start, end):
                yield start, stop, any(map(self._lists.is_known, re.split("[ -]", text[start:stop])))

    def chain(self, text: str, start: int) -> tuple[int, int]:
        """Return the span of the longest name that begins at an index, which is empty if there is none."""
        match = CHAIN.match(text, start)
        return start, max(start, self._end(text, start, match.end())) if match else start

    def widened(self, text: str, start: int, end: int) -> tuple[int, int]:
        """Return a span with the words that hyphens and particles join to its ends."""
        while match := re.compile(r"-[^\W\d_]+(?:['’](?!s\b)[^\W\d_]+)*").match(text, end):
            end = match.end()
        if match := re.compile(rf" {PARTICLE}{{1,3}}{UNIT}").match(text, end):
            end = match.end()
        if match := re.search(r"(?<![^\W_])(?:[^\W\d_]+-)+$", text[max(0, start - 40) : start]):
            start -= len(match.group())
        return start, end

    def _is_small_name(self, word: str, title: str) -> bool:
        last = word.split()[-1].split("-")
        if any(
            is_common(part, self._language) or part in ENDINGS | TITLES | always_ambiguous() for part in last
        ):
            return False
        known = any(map(self._lists.is_known, last))
        if self._language != "en":
            return known
        is_verb = last[-1].endswith(("ed", "ing", "ly", "tion"))
        return known or (not is_verb and DRUG_ENDING.search(last[-1]) is None)

    def _start(self, text: str, start: int, end: int) -> int:
        """Return the start of the name at the end of a chain, after the last word that cannot be part of a name."""
        for match in WORD.finditer(text, start, end):
            if (
                not self._may_be_name(match.group())
                and len(match.group()) > 1
                and match.group().casefold() not in PARTICLES
            ):
                start = match.end() + 1
        return min(start, end)

    def _end(self, text: str, start: int, end: int, *, titled: bool = False) -> int:
        """Return the end of the longest name at the start of a chain of capitalized words, or 0."""
        last = words = 0
        first_is_upper = False
        for match in WORD.finditer(text, start, end):
            word = match.group()
            small = word.casefold()
            if len(word) == 1 or (small in PARTICLES and last == 0 and match.end() < end):
                continue
            if small in PARTICLES and match.end() < end:
                continue
            if not words:
                if not self._may_begin(word, titled=titled):
                    # In `Dr. Le` the particle is the whole name.
                    return 0
                first_is_upper = word.isupper()
            elif not self._may_follow(word, words, first_is_upper):
                break
            last, words = match.end(), words + 1
            if words == LONGEST:
                break
        return last

    def _may_begin(self, word: str, *, titled: bool) -> bool:
        small = word.casefold()
        if small in self._not_names or small in ENDINGS or small in TITLES or is_masked(word):
            return False
        if not is_common(word, self._language):
            return not self._is_medical(word)
        if titled and small in SHORT_FAMILY_NAMES and not word.isupper():
            return True
        stops = common_words(self._language)
        return (
            titled
            and (small in self._lists.common_family or small in always_ambiguous())
            and small not in ("will", "may", "self")
            and (not word.isupper() or small not in stops)
        )

    def _may_follow(self, word: str, words: int, first_is_upper: bool) -> bool:
        if not self._may_be_name(word) or word.isupper() != first_is_upper:
            return False
        return words == 1 or "-" in word or self._lists.is_known(word)

    def _may_be_name(self, word: str) -> bool:
        small = word.casefold()
        if small in self._not_names or small in ENDINGS or small in TITLES or is_masked(word):
            return False
        if is_common(word, self._language):
            return not word.isupper() and small in self._lists.known_family and small in always_ambiguous()
        return not self._is_medical(word)

    def _is_medical(self, word: str) -> bool:
        return (
            len(word) >= SHORTEST_STEM
            and DRUG_ENDING.search(word.casefold()) is not None
            and not self._lists.is_known(word)
        )

    def _has_degree_name(self, name: str) -> bool:
        """Return whether words before a degree are a name: two words, an initial, or a word of a list."""
        units = _words_of(name)
        return len(units) > 1 or "." in name or bool(units and self._lists.is_known(units[-1]))

    def _has_announced_name(self, name: str) -> bool:
        """Return whether words after a role are a name: two words, of which a list has one."""
        units = _words_of(name)
        return (len(units) > 1 or "-" in name) and any(
            self._lists.is_known(part) for unit in units for part in unit.split("-")
        )

    def _is_inverted(self, match: re.Match[str], *, announced: bool) -> bool:
        """Return whether `Word, Word` is a family and a given name."""
        family, given = match["family"], match["given"].split("-")[0].casefold()
        parts = family.split("-")
        if any(not self._may_be_name(part) for part in parts) or not self._may_be_name(match["given"]):
            return False
        if announced and any(map(self._lists.is_known, (*parts, given))):
            return True
        if family.isupper() and match["given"].isupper():
            return given in self._lists.known_given
        return given in self._lists.common_given and all(
            part.casefold() in self._lists.known_family for part in parts
        )

    def _may_be_inverted(self, text: str, match: re.Match[str]) -> bool:
        """Return whether `Word, Given` at the start of a sentence may be a name, although no list has the first word."""
        return (
            match["given"].casefold() in self._lists.common_given
            and SENTENCE_START.search(text, max(0, match.start() - 4), match.start()) is not None
            and self._may_be_name(match["given"])
            and self._may_be_name(match["family"])
            and not match["family"].endswith("ly")
            and not re.search(rf"\b{match['family'].lower()}\b", text)
        )


def is_masked(name: str) -> bool:
    """Return whether a name is an earlier mask, such as `XXXX XXXX`."""
    return set(name.casefold()) <= {"x", " "}


def _words_of(name: str) -> list[str]:
    """Return the words of a name without initials and particles."""
    return [unit for unit in WORD.findall(name) if len(unit) > 1 and unit.casefold() not in PARTICLES]
