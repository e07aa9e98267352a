"""Phrasing of questions: several templates for each kind of field and of passage."""

import re

NEUTRAL = (
    "What is recorded under {name}?",
    "What does the record state for {name}?",
    "What is stated for {name}?",
    "What is the entry for {name}?",
)
"""Questions that are right for every name of a column: `tags` and `submitted via` are no nouns in the singular."""
TEMPLATES: dict[str, tuple[str, ...]] = {
    "amount": (
        *NEUTRAL,
        "Which value is recorded for {name}?",
        "How much or how many is recorded for {name}?",
    ),
    "word": (*NEUTRAL, "Which entry does the record have under {name}?"),
    "truth": NEUTRAL,
    "moment": (*NEUTRAL, "Which point in time is recorded under {name}?"),
    "PERSON": (
        "Which person does the {name} mention with a title?",
        "Who is named with a title in the {name}?",
    ),
    "DATE": (
        "Which date or length of time does the {name} state in figures?",
        "What date or length of time is stated in figures in the {name}?",
    ),
    "MONEY": ("Which amount of money does the {name} mention?", "What sum is named in the {name}?"),
    "PERCENT": ("Which percentage does the {name} mention?", "What percentage is named in the {name}?"),
}
"""Kind of a question -> its templates."""
KEYWORDS: dict[str, tuple[tuple[str, ...], ...]] = {
    "PERSON": (("title",),),
    "DATE": (("figures",),),
    "MONEY": (("amount", "sum", "money"),),
    "PERCENT": (("percentage", "percent"),),
}
"""Kind of a question -> groups of words, of each of which any wording has one: without them another passage could be meant."""
OPENERS: dict[str, tuple[str, ...]] = {
    "amount": ("what", "which", "how"),
    "word": ("what", "which", "who", "how", "where"),
    "truth": ("what", "which", "is", "does"),
    "moment": ("what", "which", "when"),
    "PERSON": ("who", "which", "what"),
    "DATE": ("when", "which", "what"),
    "MONEY": ("how", "which", "what"),
    "PERCENT": ("how", "which", "what"),
}
"""Kind of a question -> the words that ask for such an answer, of which any wording has one."""
KINDS = {"number": "amount", "text": "word", "truth": "truth", "moment": "moment"}
"""What the values of a field are expressed as -> kind of the question about it."""


def spoken(name: str) -> str:
    """Return the name of a column as it is said in a question: `systolicBP_mmHg` becomes `systolic BP mm Hg`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_.\s]+", " ", name.strip().rstrip("?:"))
    words = words.strip()
    return (
        " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words.split()) or name
    )
