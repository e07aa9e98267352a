"""Recall by kind and false alarms of personal data detection in clinical, legal and complaint texts, and what must stay.

    python bench/privacy/pii_text.py               about four minutes on one core

Three parts, each on texts of which the right answer is known:

1. Invented personal data in sentences of several forms is put into real texts that hold none of it: sections of clinical notes
   (MTS-Dialog), complaints with masked personal data (CFPB) and contract clauses (CUAD). Recall is the share of the invented
   values of which no word is left.
2. The same texts without the sentences: spans of each kind per 1,000 words. The complaints are masked, so that every span is a
   false alarm; the notes and the clauses hold few real names and places, which count as false alarms too.
3. `pii_probes.csv`: sentences with values that must go and eponyms, devices, drugs, laws, companies and numbers that must stay.
   They were written before the rules.

It runs on older versions too: put it into another checkout, or set PYTHONPATH to one.
"""

import argparse
import os
import random
import re
import time
from collections import Counter
from pathlib import Path

import pandas as pd
from faker import Faker

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.pii.kinds import KINDS
from paracosm.records.pii.lexicon.name_lists import name_lists
from paracosm.records.pii.protect import protect
from paracosm.records.pii.subjects import Subjects
from paracosm.records.pii.text_detection import TextCell, find_in_texts

DATA = Path(os.environ.get("PARACOSM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
PROBES = Path(__file__).with_name("pii_probes.csv")
SOURCES = {
    "clinical": ("healthcare/mts_dialog.csv.gz", "section_text"),
    "complaint": ("finance/cfpb_complaints.csv.gz", "Consumer complaint narrative"),
    "legal": ("legal/cuad_clauses.csv.gz", "clause"),
}
LOCALES = (
    "en_US",
    "en_GB",
    "en_IN",
    "de_DE",
    "fr_FR",
    "es_ES",
    "it_IT",
    "nl_NL",
    "pl_PL",
    "pt_BR",
    "cs_CZ",
    "fi_FI",
)
STARTS, MIDDLES, ENDS = (
    ["bra", "quill", "thar", "vos", "wen", "dra", "ost", "fen", "mar", "klu", "sza", "obi"],
    ["nd", "l", "fr", "sk", "nn", "m", "th", "rb", "zz", "v"],
    ["owitz", "aker", "ingham", "alu", "berry", "ovic", "ström", "entes", "ayo", "ouldt", "eira", "emann"],
)
SECURITY_NUMBER = re.compile(r"(?:SSN|number is) (\d{3}[- ]\d\d[- ]\d{4})")
FEWEST_LETTERS, MOST_LETTERS = 80, 2500
OLDEST_AGE = 89
PARTS = ("letter", "second", "apartment", "house", "area")
"""Parts of values that are too short to be looked for."""
TEMPLATES: dict[str, list[str]] = {
    "name after a title": [
        "Mr. {family} agreed to this.",
        "This was discussed with Dr. {given} {family} and noted.",
        "dr. {small} was informed.",
        "Mrs. {family}-{other} called about it.",
        "MS. {upper_given} {upper} WAS PRESENT.",
    ],
    "full name": [
        "{given} {family} was present.",
        "Signed by: {given} {letter}. {family}, MD.",
        "Patient: {upper}, {upper_given} was there.",
        "It was reviewed by {letter}.{second}. {family} RN on that day.",
        "{family}, {given} was notified.",
    ],
    "name of kin": [
        "Her daughter {given} came along.",
        "His son, {given}, was told about it.",
        "The brother-in-law {given} {family} helped.",
    ],
    "date": [
        "It happened on {day} {month} {year}.",
        "This was repeated on {month} {day}, {year}.",
        "The date is {number}/{day}/{year} in the file.",
        "On {day} {short} {year} 2 forms were sent.",
    ],
    "age": [
        "The person is aged {age} now.",
        "Age: {age}.",
        "An {age}-year-old neighbor helped.",
        "A friend, {age} y.o., saw it.",
        "Her mother is {age} years old.",
        "The person is a {age}F.",
    ],
    "announced number": [
        "SSN {ssn} was given.",
        "The social security number is {blank_ssn}.",
        "MRN: {eight}.",
        "The account number {ten} was named.",
        "NPI {ten}.",
        "See policy number {ten} for this.",
    ],
    "phone": [
        "Call {phone} for this.",
        "The phone is ({area}) 555-{four}.",
        "Reached at {area}.555.{four} later.",
    ],
    "e-mail": ["Write to {mail} about it."],
    "address": [
        "They live at {house} {street} St, {town}, OH 45402 now.",
        "The address is {house} {street} Avenue Apt {apartment}.",
        "Mail goes to {house} {street} Road.",
    ],
}


def texts_of(name: str, count: int) -> list[str]:
    """Return texts of a source, the same ones in every run."""
    file, column = SOURCES[name]
    texts = pd.read_csv(DATA / file)[column].dropna().astype(str)
    texts = texts[texts.str.len().between(FEWEST_LETTERS, MOST_LETTERS)].drop_duplicates()
    return texts.sample(min(count, len(texts)), random_state=7).tolist()


def with_insertions(texts: list[str], seed: int) -> tuple[list[str], list[list[tuple[str, str]]]]:
    """Return the texts, each with three sentences at ends of sentences, and the inserted values with their kinds."""
    rng = random.Random(seed)
    fakers = [Faker(locale) for locale in LOCALES]
    for number, faker in enumerate(fakers):
        faker.seed_instance(seed + number)
    new, values = [], []
    for text in texts:
        inserted: list[tuple[str, str]] = []
        for kind in rng.sample(list(TEMPLATES), 3):
            template, filling = rng.choice(TEMPLATES[kind]), _filling(rng, rng.choice(fakers))
            ends = [match.end() for match in re.finditer(r"(?<=[a-z]{3})[.!?] ", text)] or [len(text)]
            place = rng.choice(ends)
            text = f"{text[:place].rstrip()} {template.format(**filling)} {text[place:].lstrip()}"
            used = re.findall(r"{(\w+)}", template)
            if kind == "date":
                inserted.append((kind, _date(template, filling)))
            else:
                inserted += [(kind, filling[word]) for word in used if word not in PARTS]
        new.append(text)
        values.append(inserted)
    return new, values


def _date(template: str, filling: dict[str, str]) -> str:
    return re.search(r"{(?:day|month|number)}.*?{year}", template).group().format(**filling)  # type: ignore[union-attr]


def _filling(rng: random.Random, faker: Faker) -> dict[str, str]:
    """Return invented values. Names with blanks, which some countries have, are left out."""

    def name(provider: str) -> str:
        while " " in (name := str(getattr(faker, provider)())) or len(name) < 3:
            pass
        return name

    def family_name() -> str:
        """Return a name of Faker, whose lists the product reads too, or as often one that no list has."""
        syllables = ("".join(map(rng.choice, (STARTS, MIDDLES, ENDS)))).capitalize()
        return name("last_name") if rng.random() < 0.5 else syllables

    given, family, month = name("first_name"), family_name(), rng.randrange(12)
    months = [
        "January",
        "February",
        "March",
        "April",
        "May",
        "June",
        "July",
        "August",
        "September",
        "October",
        "November",
        "December",
    ]
    return {
        "given": given,
        "family": family,
        "other": family_name(),
        "small": family_name().lower(),
        "upper": family_name().upper(),
        "upper_given": name("first_name").upper(),
        "letter": rng.choice("ABCDEFGHJKLMPRSTW"),
        "second": rng.choice("ABCDEFGHJKLMPRSTW"),
        "day": str(rng.randint(1, 28)),
        "month": months[month],
        "short": months[month][:3],
        "number": str(month + 1),
        "year": str(rng.randint(1990, 2022)),
        "age": str(rng.randint(91, 99)),
        "ssn": f"{rng.randint(100, 665)}-{rng.randint(10, 99)}-{rng.randint(1000, 9999)}",
        "blank_ssn": f"{rng.randint(100, 665)} {rng.randint(10, 99)} {rng.randint(1000, 9999)}",
        "eight": str(rng.randint(10**7, 10**8 - 1)),
        "ten": str(rng.randint(2 * 10**9, 10**10 - 1)),
        "phone": f"{rng.randint(201, 989)}-555-{rng.randint(1000, 9999)}",
        "area": str(rng.randint(201, 989)),
        "four": str(rng.randint(1000, 9999)),
        "mail": f"{given}.{family}@mail.org".lower(),
        "house": str(rng.randint(100, 9999)),
        "street": rng.choice(
            ["Wilmot", "Ferncliff", "Ridgemont", "Harbor", "Juniper", "Quarry", "Tamarack", "Ashgrove"]
        ),
        "town": rng.choice(["Dayton", "Akron", "Fresno", "Tulsa", "Wichita"]),
        "apartment": str(rng.randint(1, 99)),
    }


def replaced(texts: list[str]) -> list[str]:
    """Return texts after `pii: replace`, each as the text of a record of its own."""
    raw = pd.DataFrame({"text": texts}, dtype="string")
    pii = {"action": "replace", "oldest_age": OLDEST_AGE}
    data = Data.model_validate({"source": "t.csv", "pii": pii, "fields": {"text": {"type": "text"}}})
    return protect(raw, infer(raw, data).schema, data, salt=b"bench" * 7).raw["text"].astype(str).tolist()


def is_left(value: str, text: str) -> bool:
    """Return whether a value, or a word of a name in it, stands in a text."""
    parts = [value] if re.search(r"\d|@", value) else re.split(r"[-'’ ]", value)
    return any(re.search(rf"(?<![^\W_]){re.escape(part)}(?![^\W_])", text) for part in parts if len(part) > 1)


def recall_and_false_alarms(count: int) -> None:
    """Print recall of inserted values by kind, and spans per 1,000 words of the texts without them."""
    kinds = list(TEMPLATES)
    recall: dict[str, dict[str, str]] = {}
    alarms: dict[str, Counter[str]] = {}
    security_numbers: list[str] = []
    for source in SOURCES:
        texts = texts_of(source, count)
        new, values = with_insertions(texts, seed=11)
        hits, all_values = Counter[str](), Counter[str]()
        replaced_texts = replaced(new)
        for text, inserted in zip(replaced_texts, values, strict=True):
            for kind, value in inserted:
                all_values[kind] += 1
                hits[kind] += not is_left(value, text)
                if is_left(value, text) and os.environ.get("PII_SPANS"):
                    at = text.find(value)
                    print("    missed", kind, repr(value), "<-", text[max(0, at - 40) : at + 60])
        recall[source] = {
            kind: f"{hits[kind] / max(1, all_values[kind]):.3f} ({all_values[kind]})" for kind in kinds
        }
        cells = [
            TextCell(row, "text", text, f"record {row}", frozenset(), {}) for row, text in enumerate(texts)
        ]
        began = time.process_time()
        spans = find_in_texts(cells, Subjects(name_lists("en")), {}, language="en", kinds=list(KINDS))
        seconds = time.process_time() - began
        words = sum(len(text.split()) for text in texts)
        security_numbers += SECURITY_NUMBER.findall("\n".join(replaced_texts))
        alarms[source] = Counter(
            dict.fromkeys(("name", "place", "address", "national_id", "phone", "date"), 0)
        )
        for of_text in spans:
            alarms[source].update(span.kind for span in of_text)
        alarms[source] = Counter({kind: 1000 * number / words for kind, number in alarms[source].items()})  # type: ignore[misc]
        print(f"{source}: {len(texts)} texts, {words} words, {len(texts) / seconds:.1f} texts per CPU second")
        if os.environ.get("PII_SPANS"):
            for cell, of_text in zip(cells, spans, strict=True):
                for span in of_text:
                    if span.kind not in ("date", "url"):
                        near = cell.text[max(0, span.start - 30) : span.end + 30].replace("\n", " ")
                        print("   ", span.kind, span.by, repr(cell.text[span.start : span.end]), "<-", near)
    print("\n| recall | " + " | ".join(SOURCES) + " |\n| --- |" + " --- |" * len(SOURCES))
    for kind in kinds:
        print(f"| {kind} | " + " | ".join(recall[source][kind] for source in SOURCES) + " |")
    possible = sum(not number.startswith("9") for number in security_numbers)
    print(f"\ninvented social security numbers that a person may have: {possible} of {len(security_numbers)}")
    print("\n| spans per 1,000 words | " + " | ".join(SOURCES) + " |\n| --- |" + " --- |" * len(SOURCES))
    for kind in alarms["clinical"]:
        print(f"| {kind} | " + " | ".join(f"{alarms[source][kind]:.2f}" for source in SOURCES) + " |")


def probes() -> None:
    """Print how many values of the probes are left that must go, and how many are lost that must stay."""
    table = pd.read_csv(PROBES, keep_default_na=False)
    print("\n| probes | must go | left | must stay | lost |\n| --- | --- | --- | --- | --- |")
    lines = []
    for kind, rows in table.groupby("kind", sort=False):
        counts = Counter[str]()
        for row, new in zip(rows.itertuples(), replaced(rows["text"].tolist()), strict=True):
            go = [value for value in str(row.must_go).split("|") if value]
            stay = [value for value in str(row.must_stay).split("|") if value]
            left, lost = (
                [value for value in go if value in new],
                [value for value in stay if value not in new],
            )
            counts.update(go=len(go), stay=len(stay), left=len(left), lost=len(lost))
            if left or lost:
                lines.append(f"left {left}, lost {lost}: {new}")
        print(f"| {kind} | {counts['go']} | {counts['left']} | {counts['stay']} | {counts['lost']} |")
    print("\n" + "\n".join(lines))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--texts", type=int, default=300, help="texts of each source")
    arguments = parser.parse_args()
    recall_and_false_alarms(arguments.texts)
    probes()
