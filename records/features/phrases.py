"""Key phrases: a small vocabulary of phrases that set texts apart, and the one that a text holds.

Candidates are runs of words between stop words and punctuation, as in RAKE (Rose et al. 2010). They are ranked by how many
texts they divide from the rest, with a preference for longer ones.
"""

import math
import re
from collections import Counter
from collections.abc import Iterator, Sequence

MOST_PHRASES = 20
MOST_WORDS = 3
COMMON = 0.5
"""Share of the texts from which a word is taken for a stop word, whatever the language."""
AUXILIARIES = frozenset({"did", "does", "doing", "don't", "didn't", "doesn't", "having", "said", "says"})
"""Words that the list of stop words lacks."""
_TOKEN = re.compile(r"[^\W\d_]+(?:['’-][^\W\d_]+)*|\S")
_SENTENCE_START = re.compile(r"(?:^|[.!?:\n]\s*)$")


def vocabulary(texts: Sequence[str], fewest: int) -> list[str]:
    """Return at most twenty key phrases of some texts, the highest ranked first.

    Each is the key phrase of at least `fewest` texts, so that none is a trait of a few persons. Words that are mostly
    capitalised are left out: they are names.

    Args:
        texts: the texts.
        fewest: number of texts whose key phrase a phrase has to be.
    """
    runs = [list(_runs(text)) for text in texts]
    stop = _stop_words(runs)
    counts: Counter[str] = Counter()
    for of_text in runs:
        counts.update({phrase for run in of_text for phrase in _phrases(run, stop)})
    rank = {
        phrase: count * math.log(len(texts) / count) * (1 + phrase.count(" ")) ** 2
        for phrase, count in counts.items()
        if count >= fewest and count < len(texts)
    }
    chosen: list[str] = []
    for phrase in sorted(rank, key=lambda each: (-rank[each], each)):
        # "chest pain" beside "pain" would only divide the same texts once more.
        if len(chosen) < MOST_PHRASES and not any(_overlaps(phrase, other) for other in chosen):
            chosen.append(phrase)
    while chosen:
        found = Counter(key_phrases(texts, chosen))
        kept = [phrase for phrase in chosen if found[phrase] >= fewest]
        if len(kept) == len(chosen):
            break
        chosen = kept
    return chosen


def key_phrases(texts: Sequence[str], phrases: Sequence[str]) -> list[str | None]:
    """Return the key phrase of each text: of the given ones that it holds the longest, then the first; None if it holds none."""
    longest_first = sorted(phrases, key=lambda phrase: (-len(phrase), phrase))
    if not longest_first:
        return [None for _ in texts]
    by_length: dict[int, re.Pattern[str]] = {}
    for words in sorted({phrase.count(" ") for phrase in phrases}, reverse=True):
        same = [re.escape(each).replace(r"\ ", r"\s+") for each in longest_first if each.count(" ") == words]
        by_length[words] = re.compile(rf"(?<![\w-])(?:{'|'.join(same)})(?![\w-])", re.IGNORECASE)
    known = {phrase.casefold(): phrase for phrase in phrases}
    found: list[str | None] = []
    for text in texts:
        matches = (pattern.search(text) for pattern in by_length.values())
        match = next((each for each in matches if each is not None), None)
        found.append(None if match is None else known.get(" ".join(match[0].casefold().split())))
    return found


def _overlaps(one: str, other: str) -> bool:
    return bool(set(one.split()) & set(other.split()))


def _runs(text: str) -> Iterator[list[tuple[str, bool]]]:
    """Yield the words between punctuation, and whether each is capitalised within a sentence."""
    run: list[tuple[str, bool]] = []
    for match in _TOKEN.finditer(text):
        word = match[0]
        if not word[0].isalpha():
            if run:
                yield run
            run = []
            continue
        starts = bool(_SENTENCE_START.search(text, max(0, match.start() - 3), match.start()))
        run.append((word.casefold(), word[0].isupper() and not starts))
    if run:
        yield run


def _stop_words(runs: Sequence[Sequence[Sequence[tuple[str, bool]]]]) -> set[str]:
    """Return the words that are in no phrase: English stop words, very common words, and words that are mostly capitalised."""
    from sklearn.feature_extraction.text import ENGLISH_STOP_WORDS

    texts: Counter[str] = Counter()
    seen: Counter[str] = Counter()
    capitals: Counter[str] = Counter()
    for of_text in runs:
        words = [pair for run in of_text for pair in run]
        texts.update({word for word, _ in words})
        seen.update(word for word, _ in words)
        capitals.update(word for word, capital in words if capital)
    common = {word for word, count in texts.items() if count > COMMON * len(runs)}
    names = {word for word, count in seen.items() if capitals[word] > count / 2}
    short = {word for word in seen if len(word) < 3}
    return set(ENGLISH_STOP_WORDS) | AUXILIARIES | common | names | short


def _phrases(run: Sequence[tuple[str, bool]], stop: set[str]) -> Iterator[str]:
    """Yield the phrases of one to three words in a run between stop words."""
    words: list[str] = []
    for word in [*(word for word, _ in run), None]:
        if word is not None and word not in stop:
            words.append(word)
            continue
        for begin in range(len(words)):
            for end in range(begin + 1, min(begin + MOST_WORDS, len(words)) + 1):
                yield " ".join(words[begin:end])
        words = []
