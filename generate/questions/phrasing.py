"""Phrasing of questions: several templates for each kind of field and of passage."""

import re

TEMPLATES: dict[str, tuple[str, ...]] = {
    "amount": (
        "What is the {name}?",
        "What {name} does the record state?",
        "Which value is recorded for {name}?",
        "What {name} was recorded?",
    ),
    "word": (
        "What is the {name}?",
        "Which {name} does the record state?",
        "What is recorded under {name}?",
        "What is stated for {name}?",
    ),
    "truth": (
        "Is {name} recorded as true or false?",
        "What does the record state for {name}?",
        "Which of true and false is recorded under {name}?",
    ),
    "moment": (
        "What is the recorded {name}?",
        "Which {name} does the record state?",
        "What {name} is given?",
    ),
    "PERSON": ("Who is named in the {name}?", "Which person does the {name} mention?"),
    "GPE": ("Which place does the {name} mention?", "What place is named in the {name}?"),
    "ORG": ("Which organisation does the {name} mention?", "What organisation is named in the {name}?"),
    "DATE": ("Which date or period does the {name} mention?", "What time is named in the {name}?"),
    "MONEY": ("Which amount of money does the {name} mention?", "What sum is named in the {name}?"),
    "PERCENT": ("Which percentage does the {name} mention?", "What percentage is named in the {name}?"),
}
"""Kind of a question -> its templates."""
KINDS = {
    "integer": "amount",
    "number": "amount",
    "duration": "amount",
    "category": "word",
    "boolean": "truth",
    "datetime": "moment",
    "time": "moment",
}
"""Type of a field -> kind of the question about it."""


def spoken(name: str) -> str:
    """Return the name of a column as it is said in a question: `systolicBP_mmHg` becomes `systolic BP mm Hg`."""
    words = re.sub(r"(?<=[a-z])(?=[A-Z])|[_.\s]+", " ", name.strip().rstrip("?:"))
    words = words.strip()
    return (
        " ".join(word if word.isupper() and len(word) > 1 else word.lower() for word in words.split()) or name
    )
