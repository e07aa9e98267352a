"""What names a person in the texts of a table: what the detectors find, and what the columns of the same record say.

A name that a column or any other text of the subject has is looked for in all texts of that subject.
"""

import re
from collections import defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from paracosm.foundation.progress import Progress, silent
from paracosm.records.pii.detectors import DOUBTFUL, find_spans
from paracosm.records.pii.kinds import ID_KINDS
from paracosm.records.pii.lexicon.ambiguous_names import LEAST_SHARE, OrdinaryWords
from paracosm.records.pii.lexicon.name_parts import is_titled, title_gender
from paracosm.records.pii.patterns import Span
from paracosm.records.pii.subjects import STAFF, Subjects

SHORTEST_WORD = 3
SHORTEST_VALUE = 4
TOKEN = re.compile(r"[^\W_](?:[\w./@+-]*[^\W_])?")
GREETING = re.compile(
    r"\b(?:hi|hey|hello|morning|afternoon|evening|bye|thanks|thank you)[ ,.]+(?:there[ ,]+)?$", re.IGNORECASE
)
EVERYWHERE = 0.2
"""Share of the subjects from which on a word is no name, not even after a title that ends the sentence before."""
VERBS = ("will", "may")
SENTENCE_START = re.compile(r"(?:^|[.!?:\n•\]]\s*)$")


@dataclass(frozen=True)
class Cell:
    """A text: where it stands, whom it is about, and what the columns of its record say.

    Attributes:
        row: of the table.
        column: of the table.
        text: the cell.
        subject: scope of its names.
        staff: words of the names of staff in its record, case-folded.
        values: values of its record's other personal columns, case-folded -> kind.
    """

    row: int
    column: str
    text: str
    subject: str
    staff: frozenset[str]
    values: Mapping[str, str]


def find_in_texts(
    cells: Sequence[Cell],
    people: Subjects,
    identifiers: Mapping[str, str],
    *,
    language: str,
    kinds: Collection[str],
    progress: Progress = silent,
) -> list[list[Span]]:
    """Return the spans of each cell, and teach `people` the names in them.

    Args:
        cells: texts of a table.
        people: knows the names of the columns.
        identifiers: identifiers of all records, case-folded -> kind.
        language: of the texts.
        kinds: which kinds are looked for.
        progress: takes a progress line now and then.
    """
    found = find_spans([cell.text for cell in cells], language=language, kinds=kinds, progress=progress)
    found = [
        _merged(_from_columns(cell, identifiers, kinds), spans)
        for cell, spans in zip(cells, found, strict=True)
    ]
    if "name" not in kinds:
        return found
    ordinary = OrdinaryWords([cell.text for cell in cells], [cell.subject for cell in cells])
    found = [
        [span for span in spans if span.kind != "name" or _is_borne_out(cell, span, people, ordinary)]
        for cell, spans in zip(cells, found, strict=True)
    ]
    _learn_names(cells, found, people)
    bearers: dict[str, set[str]] = defaultdict(set)
    for scope, words in people.roles.items():
        for word in words:
            bearers[word].add(scope)
    return [
        _merged(spans, _repeated(cell, people, ordinary, bearers))
        for cell, spans in zip(cells, found, strict=True)
    ]


def scope_of(people: Subjects, cell: Cell, name: str) -> str:
    """Return whose words a name in a text is made of: the staff's when all of them are, else the subject's."""
    words = [part.key for part in people.parts(name) if part.role in ("given", "family")]
    own = people.firm.get(cell.subject, set())
    if words and all(word in cell.staff and word not in own for word in words):
        return STAFF
    return cell.subject


def _learn_names(cells: Sequence[Cell], found: Sequence[list[Span]], people: Subjects) -> None:
    """Take the names of all texts to their scopes, longest first, so that full names decide on the roles."""
    names = [
        (
            cell,
            cell.text[span.start : span.end],
            is_titled(cell.text, span.start),
            title_gender(cell.text, span.start),
        )
        for cell, spans in zip(cells, found, strict=True)
        for span in spans
        if span.kind == "name"
    ]
    names.sort(key=lambda each: (-len(each[1].split()), not each[2]))
    for cell, name, titled, gender in names:
        people.learn(scope_of(people, cell, name), people.parts(name, titled=titled), gender=gender)


def _from_columns(cell: Cell, identifiers: Mapping[str, str], kinds: Collection[str]) -> list[Span]:
    spans = []
    for match in TOKEN.finditer(cell.text):
        kind = identifiers.get(match.group().casefold())
        if kind in kinds:
            spans.append(Span(*match.span(), kind, "column"))  # type: ignore[arg-type]
    for value, kind in cell.values.items():
        if kind in kinds and len(value) >= SHORTEST_VALUE:
            pattern = rf"(?<![^\W_]){re.escape(value)}(?![^\W_])"
            spans += [
                Span(*each.span(), kind, "column") for each in re.finditer(pattern, cell.text, re.IGNORECASE)
            ]
    return spans


def _repeated(
    cell: Cell, people: Subjects, ordinary: OrdinaryWords, bearers: Mapping[str, set[str]]
) -> list[Span]:
    """Return where words of names that belong to the subject or the staff of its record stand once more."""
    known = {*people.roles.get(cell.subject, {}), *cell.staff}
    words = sorted((word for word in known if len(word) >= SHORTEST_WORD), key=len, reverse=True)
    if not words:
        return []
    firm = people.firm.get(cell.subject, set()) | cell.staff

    def sure(word: str) -> bool:
        return word in firm or people.lists.is_known(word)

    one = "|".join(map(re.escape, words))
    pattern = rf"(?<![^\W_])(?:{one})(?:[ -](?:{one}))*(?![^\W_])"
    return [
        Span(*match.span(), "name", "repeated")
        for match in re.finditer(pattern, cell.text, re.IGNORECASE)
        if _is_meant(cell.text, match, ordinary, bearers)
        and (match.group()[0].isupper() or all(map(sure, re.split("[ -]", match.group().casefold()))))
    ]


def _is_borne_out(cell: Cell, span: Span, people: Subjects, ordinary: OrdinaryWords) -> bool:
    """Return whether a name is more than ordinary words with capitals, such as a heading or a drug."""
    parts = people.parts(cell.text[span.start : span.end])
    if any(part.key in people.firm.get(cell.subject, set()) or part.key in cell.staff for part in parts):
        return True
    words = [part.key for part in parts if part.role in ("given", "family")]
    if span.by == DOUBTFUL:
        return not any(ordinary.is_written_small(word) for word in words)
    if len(words) != 1:
        return True
    least = EVERYWHERE if is_titled(cell.text, span.start) else LEAST_SHARE
    return not ordinary.holds(words[0], set(), least=least)


def _is_meant(
    text: str, match: re.Match[str], ordinary: OrdinaryWords, bearers: Mapping[str, set[str]]
) -> bool:
    words = re.split(r"[ -]", match.group().casefold())
    if not all(ordinary.is_often_a_name(word, bearers.get(word, set())) for word in words):
        return True
    start = match.start()
    if is_titled(text, start) or GREETING.search(text[max(0, start - 24) : start]):
        return match.group()[0].isupper() or words[0] not in VERBS
    if len(words) > 1:
        return match.group()[0].isupper()
    return match.group()[0].isupper() and SENTENCE_START.search(text[max(0, start - 8) : start]) is None


def _merged(first: Sequence[Span], then: Sequence[Span]) -> list[Span]:
    """Return both, without those of `then` that lie in one of `first`; of two that overlap, the longer one stays."""
    kept: list[Span] = []
    firm = set(ID_KINDS)
    ranked = sorted(
        [*((span, 0) for span in first), *((span, 1) for span in then)],
        key=lambda pair: (-(pair[0].end - pair[0].start), pair[1], pair[0].kind not in firm),
    )
    for span, _ in ranked:
        if all(span.end <= each.start or span.start >= each.end for each in kept):
            kept.append(span)
    return sorted(kept, key=lambda each: each.start)
