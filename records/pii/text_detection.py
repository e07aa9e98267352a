"""Detection of personal data in the text columns of a table.

The spans of the detectors are combined with the personal columns of the same record. A name that occurs in a column or a text
of a subject is searched for in all texts of that subject.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from paracosm.foundation.progress import Progress, silent
from paracosm.records.pii.detectors import find_spans
from paracosm.records.pii.kinds import ID_KINDS
from paracosm.records.pii.lexicon.ambiguous_names import LEAST_SHARE, OrdinaryWords
from paracosm.records.pii.lexicon.common_words import is_common, word_set
from paracosm.records.pii.lexicon.name_parts import PARTICLES, is_titled, title_gender
from paracosm.records.pii.mentions.names_and_towns import DOUBTFUL
from paracosm.records.pii.mentions.terms import is_eponym
from paracosm.records.pii.patterns import Span
from paracosm.records.pii.subjects import STAFF, Subjects

SHORTEST_WORD = 3
"""Letters of the shortest word of a name in a text that is searched for in other texts."""
SHORTEST_OWN_WORD = 2
"""Letters of the shortest word of a name in a column, such as Li, that is searched for in the texts of its subject."""
INITIALS = re.compile(r"(?<![\w.])(?P<first>[^\W\d_])\. ?(?:[^\W\d_]\. ?)?(?P<last>[^\W\d_])\.(?!\w)")
NOT_INITIALS = word_set("md do rn np pa us uk iv po am pm od os bp dc")
"""Degrees and abbreviations of notes, which stay although they are also the initials of the subject."""
SPEAKS = re.compile(
    r" (?:called|calls|requests?|requested|states|stated|reports|reported|denies|denied|said|says|complains|feels|agrees|agreed|wants|asked|asks"
    r"|told|came|returned|returns|presents|presented|declined|declines)\b"
)
ANY_PARTICLE = "|".join(sorted(PARTICLES - {"and", "und", "y", "e"}, key=len, reverse=True))
MONTHS = word_set("march april may june august")
BEFORE_MONTH = re.compile(
    r"\b(?:in|on|of|since|until|till|by|last|next|this|early|late|mid|through|during|from|to|before|after|between|and|every) $|\d(?:st|nd|rd|th)? $",
    re.IGNORECASE,
)
SHORTEST_VALUE = 4
"""Characters of the shortest value of a column that is searched for in texts."""
TOKEN = re.compile(r"[^\W_](?:[\w./@+-]*[^\W_])?")
GREETING = re.compile(
    r"\b(?:hi|hey|hello|morning|afternoon|evening|bye|thanks|thank you|pt|patient|client)[ ,.]+(?:there[ ,]+)?$",
    re.IGNORECASE,
)
LEAST_SHARE_TITLED = 0.2
"""Share of the subjects who use a word in small letters from which on it is not a name, not even after a title."""
VERBS = ("will", "may")
SENTENCE_START = re.compile(r"(?:^|[.!?:\n•\]]\s*)$")


@dataclass(frozen=True)
class TextCell:
    """A text of a table and the personal data in the other columns of its record.

    Attributes:
        row: index of the row.
        column: name of the column.
        text: the text.
        subject: subject of the record.
        staff: words of the names of staff in the record, case-folded.
        values: case-folded values of the other personal columns of the record -> kind.
    """

    row: int
    column: str
    text: str
    subject: str
    staff: frozenset[str]
    values: Mapping[str, str]


def find_in_texts(
    cells: Sequence[TextCell],
    names: Subjects,
    identifiers: Mapping[str, str],
    *,
    language: str,
    kinds: Collection[str],
    progress: Progress = silent,
) -> list[list[Span]]:
    """Return the spans of each text, and add the names in them to `names`.

    Args:
        cells: texts of a table.
        names: words of names by subject; on entry those of the columns.
        identifiers: case-folded identifiers of all records -> kind.
        language: language of the texts.
        kinds: the kinds to search for.
        progress: receives progress lines.
    """
    detected = find_spans([cell.text for cell in cells], language=language, kinds=kinds, progress=progress)
    detected = [
        _merge_spans(_from_columns(cell, identifiers, kinds), spans)
        for cell, spans in zip(cells, detected, strict=True)
    ]
    if "name" not in kinds:
        return detected
    ordinary = OrdinaryWords([cell.text for cell in cells], [cell.subject for cell in cells], language)
    detected = [
        [
            span
            for span in spans
            if (
                _is_confirmed_name(cell, span, names, ordinary, language)
                if span.kind == "name"
                else span.by != "ner"
                or not ordinary.is_ordinary(cell.text[span.start : span.end].casefold(), set())
            )
        ]
        for cell, spans in zip(cells, detected, strict=True)
    ]
    _learn_names(cells, detected, names)
    titled = _titled_words(cells, detected)
    bearers: dict[str, set[str]] = defaultdict(set)
    for scope, words in names.roles.items():
        for word in words:
            bearers[word].add(scope)
    return [
        _merge_spans(spans, [*_repeated(cell, names, ordinary, bearers, titled), *_initials(cell, names)])
        for cell, spans in zip(cells, detected, strict=True)
    ]


def scope_of(names: Subjects, cell: TextCell, name: str) -> str:
    """Return the scope of a name in a text: `STAFF` if all its words are names of the record's staff, else the subject."""
    words = [part.key for part in names.parts(name) if part.role in ("given", "family")]
    own = names.from_columns.get(cell.subject, set())
    if words and all(word in cell.staff and word not in own for word in words):
        return STAFF
    return cell.subject


def _learn_names(cells: Sequence[TextCell], detected: Sequence[list[Span]], names: Subjects) -> None:
    """Add the names of all texts to their scopes, longest first, so that full names decide on the roles."""
    mentions = [
        (
            cell,
            cell.text[span.start : span.end],
            is_titled(cell.text, span.start),
            title_gender(cell.text, span.start),
        )
        for cell, spans in zip(cells, detected, strict=True)
        for span in spans
        if span.kind == "name"
    ]
    mentions.sort(key=lambda mention: (-len(mention[1].split()), not mention[2]))
    for cell, name, titled, gender in mentions:
        names.learn(scope_of(names, cell, name), names.parts(name, titled=titled), gender=gender)


def _from_columns(cell: TextCell, identifiers: Mapping[str, str], kinds: Collection[str]) -> list[Span]:
    """Return where a text repeats an identifier of any record, or a personal value of its record."""
    spans = []
    for match in TOKEN.finditer(cell.text):
        kind = identifiers.get(match.group().casefold())
        if kind in kinds:
            spans.append(Span(*match.span(), kind, "column"))  # type: ignore[arg-type]
    for value, kind in cell.values.items():
        if kind in kinds and len(value) >= SHORTEST_VALUE:
            pattern = rf"(?<![^\W_]){re.escape(value)}(?![^\W_])"
            spans += [
                Span(*match.span(), kind, "column")
                for match in re.finditer(pattern, cell.text, re.IGNORECASE)
            ]
    return spans


def _titled_words(cells: Sequence[TextCell], detected: Sequence[list[Span]]) -> dict[str, set[str]]:
    """Return the words in small letters that follow a title (`dr. patel`), by subject."""
    words: dict[str, set[str]] = defaultdict(set)
    for cell, spans in zip(cells, detected, strict=True):
        for span in spans:
            name = cell.text[span.start : span.end]
            if span.kind == "name" and name.islower() and is_titled(cell.text, span.start):
                words[cell.subject].update(re.split("[ -]", name))
    return words


def _repeated(
    cell: TextCell,
    names: Subjects,
    ordinary: OrdinaryWords,
    bearers: Mapping[str, set[str]],
    titled: Mapping[str, set[str]],
) -> list[Span]:
    """Return where a text repeats words of the names of its subject or of its record's staff."""
    from_columns = names.from_columns.get(cell.subject, set()) | cell.staff
    words = sorted(
        (
            word
            for word in {*names.roles.get(cell.subject, {}), *cell.staff}
            if len(word) >= (SHORTEST_OWN_WORD if word in from_columns else SHORTEST_WORD)
        ),
        key=len,
        reverse=True,
    )
    if not words:
        return []

    def is_sure(word: str) -> bool:
        return (
            word in from_columns
            or word in PARTICLES
            or names.lists.is_known(word)
            or word in titled.get(cell.subject, ())
        )

    any_word = "|".join(map(re.escape, words))
    pattern = rf"(?<![^\W_])(?:{any_word})(?:(?:[ -]|, )(?:(?:{ANY_PARTICLE}) )*(?:{any_word}))*(?![^\W_])"
    return [
        Span(*match.span(), "name", "repeated")
        for match in re.finditer(pattern, cell.text, re.IGNORECASE)
        if _is_used_as_name(cell.text, match, ordinary, bearers)
        and (match.group().casefold() in from_columns or not is_eponym(cell.text, *match.span()))
        and (match.group()[0].isupper() or all(map(is_sure, re.split(r"[ -]|, ", match.group().casefold()))))
    ]


def _initials(cell: TextCell, names: Subjects) -> list[Span]:
    """Return where a text has the initials of its subject, whose name is in a column: `G.Y.`."""
    own = names.from_columns.get(cell.subject, set())
    roles = names.roles.get(cell.subject, {})
    given = {word[0] for word in own if roles.get(word) == "given"}
    family = {word[0] for word in own if roles.get(word) == "family"}
    family |= {particle[0] for particle in names.particles.get(cell.subject, ())}
    return [
        Span(*match.span(), "name", "repeated")
        for match in INITIALS.finditer(cell.text)
        if match["first"].casefold() in given
        and match["last"].casefold() in family
        and match.group().isupper()
        and re.sub(r"[. ]", "", match.group()).casefold() not in NOT_INITIALS
    ]


def _is_confirmed_name(
    cell: TextCell, span: Span, names: Subjects, ordinary: OrdinaryWords, language: str
) -> bool:
    """Return whether a detected name is more than capitalized ordinary words, such as a heading or a drug."""
    parts = names.parts(cell.text[span.start : span.end])
    if any(
        part.key in names.from_columns.get(cell.subject, set()) or part.key in cell.staff for part in parts
    ):
        return True
    words = [part.key for part in parts if part.role in ("given", "family")]
    if span.by == DOUBTFUL:
        return not any(ordinary.is_ever_ordinary(word) for word in words)
    if len(words) != 1:
        return True
    titled = is_titled(cell.text, span.start)
    if titled and names.lists.is_known(words[0]) and not is_common(words[0], language):
        return True
    least = LEAST_SHARE_TITLED if titled else LEAST_SHARE
    return not ordinary.is_ordinary(words[0], set(), least=least)


def _is_used_as_name(
    text: str, match: re.Match[str], ordinary: OrdinaryWords, bearers: Mapping[str, set[str]]
) -> bool:
    """Return whether a repeated word is used as a name: ambiguous words need a title, a greeting or a capital."""
    words = [word for word in re.split(r"[ -]|, ", match.group().casefold()) if word not in PARTICLES] or [
        match.group().casefold()
    ]
    if not all(ordinary.is_ambiguous(word, bearers.get(word, set())) for word in words):
        return True
    start = match.start()
    if (
        is_titled(text, start)
        or GREETING.search(text[max(0, start - 24) : start])
        or SPEAKS.match(text, match.end())
    ):
        return match.group()[0].isupper() or words[0] not in VERBS
    if len(words) > 1:
        return match.group()[0].isupper()
    if words[0] in MONTHS and (
        BEFORE_MONTH.search(text[max(0, start - 12) : start]) or re.match(r",? \d", text[match.end() :])
    ):
        return False
    return match.group()[0].isupper() and SENTENCE_START.search(text[max(0, start - 8) : start]) is None


def _merge_spans(first: Sequence[Span], then: Sequence[Span]) -> list[Span]:
    """Return the spans of both in order; of overlapping ones the longest, then the one of `first`, then an identifier."""
    merged: list[Span] = []
    ranked = sorted(
        [*((span, 0) for span in first), *((span, 1) for span in then)],
        key=lambda pair: (-(pair[0].end - pair[0].start), pair[1], pair[0].kind not in ID_KINDS),
    )
    for span, _ in ranked:
        if all(span.end <= other.start or span.start >= other.end for other in merged):
            merged.append(span)
    return sorted(merged, key=lambda span: span.start)
