"""Recall, precision and speed of personal data detection, against Presidio's default analyzer with the same language model.

    python bench/privacy/pii.py                    both halves, about three minutes
    python bench/privacy/pii.py --half even        the templates that the rules were developed on

Recall, precision and F2 count words: a word of a gold span is detected if any span of the same group covers it. Words of
titles, organisations, nationalities, ages, countries, states, bare years and weekdays are ignored, because neither system
is meant to detect them. The data set's templates are split by number: rules were developed on the even ones, and the odd
ones are reported. The second part counts the mentions of names of a name column that are left in the texts after
`pii: replace`.
"""

import argparse
import os
import re
import time
from collections import Counter
from pathlib import Path

import pandas as pd

from paracosm.recipes.sections.data import Data
from paracosm.records.inference.infer_schema import infer
from paracosm.records.pii.detectors import ner_model
from paracosm.records.pii.kinds import KINDS
from paracosm.records.pii.lexicon.name_lists import name_lists
from paracosm.records.pii.lexicon.regions import countries_and_states
from paracosm.records.pii.protect import protect
from paracosm.records.pii.subjects import Subjects
from paracosm.records.pii.text_detection import TextCell, find_in_texts
from paracosm.records.sources.read_source import read_source

DATA = Path(os.environ.get("PARACOSM_SHARED_DATA", Path(__file__).resolve().parents[3] / "shared" / "data"))
LOCATION = "address, place, postcode"
GOLD = {
    "PERSON": "name",
    "STREET_ADDRESS": LOCATION,
    "GPE": LOCATION,
    "ZIP_CODE": LOCATION,
    "EMAIL_ADDRESS": "email",
    "PHONE_NUMBER": "phone",
    "CREDIT_CARD": "card",
    "IBAN_CODE": "bank_account",
    "US_SSN": "national_id",
    "US_DRIVER_LICENSE": "national_id",
    "IP_ADDRESS": "ip",
    "DOMAIN_NAME": "url",
    "DATE_TIME": "date",
}
PRESIDIO = {
    **GOLD,
    "LOCATION": LOCATION,
    "URL": "url",
    "US_ITIN": "national_id",
    "US_PASSPORT": "national_id",
}
PARACOSM = {"address": LOCATION, "place": LOCATION, "postcode": LOCATION}
WORD = re.compile(r"\S+")
Spans = list[tuple[int, int, str]]


def gold_spans(row: pd.Series) -> Spans:
    """Return the gold spans; an empty group marks words that are ignored."""
    spans: Spans = []
    for span in row["spans"]:
        group = GOLD.get(span["entity_type"], "")
        value = span["entity_value"].casefold()
        if span["entity_type"] == "GPE" and value in countries_and_states("en"):
            group = ""
        if group == "date" and not re.search(r"\d[\d\W]*\d.*\d.*\d|\d.*[a-z]{3}|[a-z]{3}.*\d", value):
            group = ""
        if group == "date" and re.fullmatch(r"\d{4}", value):
            group = ""
        spans.append((span["start_position"], span["end_position"], group))
    return spans


def paracosm_spans(texts: list[str]) -> list[Spans]:
    """Return the spans that paracosm detects."""
    cells = [TextCell(row, "text", text, f"record {row}", frozenset(), {}) for row, text in enumerate(texts)]
    detected = find_in_texts(cells, Subjects(name_lists("en")), {}, language="en", kinds=list(KINDS))
    return [
        [(span.start, span.end, PARACOSM.get(span.kind, span.kind)) for span in spans] for spans in detected
    ]


def presidio_spans(texts: list[str]) -> list[Spans]:
    """Return the spans that Presidio's default recognisers detect; of overlapping ones that with the highest score."""
    import tldextract
    from presidio_analyzer import AnalyzerEngine
    from presidio_analyzer.nlp_engine import NlpEngineProvider

    # Use the packaged list of domains; otherwise the newest one is downloaded.
    tldextract.extract = tldextract.TLDExtract(suffix_list_urls=())
    model = {"lang_code": "en", "model_name": ner_model("en")}
    engine = NlpEngineProvider(
        nlp_configuration={"nlp_engine_name": "spacy", "models": [model]}
    ).create_engine()
    analyzer = AnalyzerEngine(nlp_engine=engine, supported_languages=["en"])
    detected = []
    for text in texts:
        spans: Spans = []
        for span in sorted(analyzer.analyze(text, language="en"), key=lambda span: -span.score):
            kind = PRESIDIO.get(span.entity_type)
            if kind and all(span.end <= start or span.start >= end for start, end, _ in spans):
                spans.append((span.start, span.end, kind))
        detected.append(spans)
    return detected


def counts(texts: list[str], gold: list[Spans], detected: list[Spans]) -> dict[str, Counter[str]]:
    """Return hit, missed and falsely detected words by group; `any` ignores the group."""
    words: dict[str, Counter[str]] = {}
    for text, expected, spans in zip(texts, gold, detected, strict=True):
        for word in WORD.finditer(text):
            wanted, got = _kind_at(word, expected), _kind_at(word, spans)
            if wanted == "":
                continue
            if wanted:
                words.setdefault(wanted, Counter())["hit" if got == wanted else "miss"] += 1
                words.setdefault("any", Counter())["hit" if got else "miss"] += 1
            if got and got != wanted:
                words.setdefault(got, Counter())["false"] += 1
            if got and not wanted:
                words.setdefault("any", Counter())["false"] += 1
    return words


def _kind_at(word: re.Match[str], spans: Spans) -> str | None:
    return next((kind for start, end, kind in spans if start < word.end() and end > word.start()), None)


def scores(count: Counter[str]) -> tuple[float, float, float]:
    """Return recall, precision and F2."""
    recall = count["hit"] / max(1, count["hit"] + count["miss"])
    precision = count["hit"] / max(1, count["hit"] + count["false"])
    return recall, precision, 5 * recall * precision / max(1e-9, 4 * precision + recall)


def detection(half: str) -> None:
    """Print the detection scores of both systems on one half of the templates."""
    table = pd.read_json(DATA / "pii" / "presidio_synth_v2.jsonl.gz", lines=True)
    table = table[table["template_id"] % 2 == (half == "odd")].reset_index(drop=True)
    texts, gold = table["text"].tolist(), [gold_spans(row) for _, row in table.iterrows()]
    results, speed = {}, {}
    for name, find in (("paracosm", paracosm_spans), ("presidio", presidio_spans)):
        find(texts[:2])
        began = time.perf_counter()
        results[name] = counts(texts, gold, find(texts))
        speed[name] = len(texts) / (time.perf_counter() - began)
    print(f"presidio-research synth_dataset_v2, {half} templates: {len(texts)} texts\n")
    print("| kind | words | recall | precision | F2 | Presidio's recall | precision | F2 |")
    print("| --- | --- | --- | --- | --- | --- | --- | --- |")
    for kind in [*sorted({kind for spans in gold for *_, kind in spans if kind}), "any"]:
        count = results["paracosm"][kind]
        cells = [f"{value:.3f}" for name in results for value in scores(results[name].get(kind, Counter()))]
        print(f"| {kind} | {count['hit'] + count['miss']} | {' | '.join(cells)} |")
    print(
        f"\nrecords per second on this machine, paracosm and Presidio: {speed['paracosm']:.0f} and {speed['presidio']:.0f}\n"
    )


def consistency() -> None:
    """Print how many mentions of the patients' names are left in notes and dialogues."""
    data = Data(source=str(DATA / "healthcare" / "aci_bench_encounters.csv.gz"), pii="replace")  # type: ignore[arg-type]
    raw = read_source(data, root=Path())
    began = time.perf_counter()
    new = protect(raw, infer(raw, data).schema, data, salt=b"bench" * 7).raw
    seconds = time.perf_counter() - began
    before = after = linked = with_mention = 0
    for row in range(len(raw)):
        for column in ("patient_firstname", "patient_familyname"):
            real, invented = raw[column].iat[row], new[column].iat[row]
            if pd.isna(real):
                continue
            for text in ("note", "dialogue"):
                original, replaced = (str(table[text].iat[row]) for table in (raw, new))
                mentions = _mentions(real, original)
                before += mentions
                after += _mentions(real, replaced)
                with_mention += mentions > 0
                linked += mentions > 0 and _mentions(invented, replaced) > 0
    letters = int(raw[["note", "dialogue"]].map(lambda cell: len(str(cell))).to_numpy().sum())
    print(
        f"aci_bench, {len(raw)} encounters: {before} mentions of a patient's own name in the texts, {after} left ({after / before:.1%})"
    )
    print(
        f"texts with such a mention: {with_mention}; the column's pseudonym replaces it in {linked} ({linked / with_mention:.1%})"
    )
    print(
        f"{len(raw) / seconds:.1f} records per second, {letters / seconds / 1000:.0f} thousand letters per second, one core of a busy machine"
    )


def _mentions(name: str, text: str) -> int:
    return len(re.findall(rf"(?<![^\W_]){re.escape(name)}(?![^\W_])", text, re.IGNORECASE))


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--half", choices=("even", "odd"), help="one half of the templates only")
    chosen = parser.parse_args().half
    for half in (chosen,) if chosen else ("even", "odd"):
        detection(half)
    if chosen is None:
        consistency()
