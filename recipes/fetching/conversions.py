"""Conversions of published files into the tables that recipes read, with the standard library alone."""

import ast
import csv
import json
import re
from collections.abc import Iterator, Sequence
from datetime import datetime
from pathlib import Path

from paracosm.recipes.fetching.origin import Row

CLAUSE = 40
"""Fewest characters of a clause; shorter ones are names and dates."""
CONTRACT_TYPES = (
    *("Affiliate", "Agency", "Co-Branding", "Collaboration", "Consulting", "Cooperation", "Development"),
    *("Distributor", "Endorsement", "Franchise", "Hosting", "Intellectual Property", "Joint Venture"),
    *("License", "Maintenance", "Manufacturing", "Marketing", "Non-Compete", "Outsourcing", "Promotion"),
    *("Reseller", "Service", "Sponsorship", "Strategic Alliance", "Supply", "Transportation"),
)
"""Types of contracts in CUAD, as they stand in file names."""
SPEAKER = re.compile(
    r"\s*(Doctor|Docotr|Patient|Guest_family|Gest_family|Guest_clinician|Guest_clinican)_?\d?\s*:\s*"
)
MISSPELT = {
    "Docotr": "Doctor",
    "Gest_family": "Guest_family",
    "Guest_clinican": "Guest_clinician",
}


def rows_of(path: Path) -> Iterator[dict[str, str]]:
    """Yield the rows of a published CSV file, as they are."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        yield from csv.DictReader(file)


def as_published(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield the rows of one file."""
    yield from rows_of(paths[0])


def support2(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield the patients of SUPPORT2 without their number."""
    for row in rows_of(paths[0]):
        yield {name: cell for name, cell in row.items() if name != "Index"}


def joined_parts(names: Sequence[str], paths: Sequence[Path]) -> Iterator[Row]:
    """Yield the rows of several files of the same columns, with the name of their part in the column `split`."""
    for name, path in zip(names, paths, strict=True):
        for row in rows_of(path):
            yield {**row, "split": name}


def mts_sections(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield sections of clinical notes with their conversations (MTS-Dialog)."""
    yield from joined_parts(("train", "valid", "test1", "test2"), paths)


def mts_dialogues(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield the conversations of MTS-Dialog as lists of messages, with the section of the note that they led to."""
    for row in mts_sections(paths):
        messages: list[dict[str, str]] = []
        for line in str(row["dialogue"]).splitlines():
            speaker = SPEAKER.match(line)
            if speaker is not None:
                role = MISSPELT.get(speaker[1], speaker[1]).lower().replace("_", " ")
                messages.append({"role": role, "content": line[speaker.end() :].strip()})
            elif line.strip() and messages:
                messages[-1]["content"] += f"\n{line.strip()}"
        messages = [message for message in messages if message["content"]]
        if messages:
            yield {"section": row["section_header"], "messages": messages}


def aci_encounters(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield encounters of ACI-Bench: what is known of the patient, the conversation and the note.

    The files come in pairs, texts and metadata.
    """
    names = ("train", "valid", "test1", "test2", "test3")
    for name, texts, metadata in zip(names, paths[::2], paths[1::2], strict=True):
        known = {row["encounter_id"]: row for row in rows_of(metadata)}
        for row in rows_of(texts):
            patient = known[row["encounter_id"]]
            age = patient["patient_age"].removesuffix(".0")
            rest = {"dialogue": row["dialogue"], "note": row["note"], "split": name}
            yield {**patient, "patient_age": age, **rest}


def cuad_clauses(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield the clauses of CUAD: the contract, the category and the text."""
    for row in rows_of(paths[0]):
        for category, cell in row.items():
            if category == "Filename" or category.endswith("Answer"):
                continue
            for clause in ast.literal_eval(cell):
                if len(clause) >= CLAUSE:
                    yield {
                        "filename": row["Filename"],
                        "document_name": row["Document Name-Answer"],
                        "category": category,
                        "clause": " ".join(clause.split()),
                    }


def cuad_contracts(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield the contracts of CUAD without their texts: type, date, law, and what a lawyer answered to each question."""
    for row in rows_of(paths[0]):
        answers = {
            name.removesuffix("-Answer"): cell
            for name, cell in row.items()
            if name.endswith("-Answer") and cell in ("Yes", "No")
        }
        yield {
            "filename": row["Filename"],
            "contract_type": _contract_type(row["Filename"]),
            "agreement_date": _iso_date(row["Agreement Date-Answer"]),
            "governing_law": row["Governing Law-Answer"].strip(),
            "perpetual": "Yes" if row["Expiration Date-Answer"].strip().lower() == "perpetual" else "No",
            "renewal": "Yes" if row["Renewal Term-Answer"].strip() else "No",
            **answers,
        }


def _contract_type(filename: str) -> str:
    words = re.sub(r"[^a-z]", "", filename.rpartition("EX-")[2].lower())
    return next((name for name in CONTRACT_TYPES if re.sub(r"[^a-z]", "", name.lower()) in words), "Other")


def _iso_date(cell: str) -> str:
    try:
        return datetime.strptime(cell.strip(), "%m/%d/%Y").date().isoformat()
    except ValueError:
        return ""


def contract_nli(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield agreements of ContractNLI: the text, and whether it entails each of 17 statements."""
    for name, path in zip(("dev", "test"), paths, strict=True):
        content = json.loads(path.read_text(encoding="utf-8"))
        labels = {key: value["short_description"] for key, value in content["labels"].items()}
        for document in content["documents"]:
            choices = document["annotation_sets"][0]["annotations"]
            yield {
                "id": str(document["id"]),
                "file_name": document["file_name"],
                "document_type": document["document_type"],
                "split": name,
                **{label: choices[key]["choice"] for key, label in labels.items()},
                "text": document["text"],
            }


def pbc_visits(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield visits of patients with primary biliary cirrhosis; years are rounded to two decimals."""
    for row in rows_of(paths[0]):
        rounded = {name: f"{float(row[name]):.2f}" for name in ("years", "age", "year")}
        yield {
            name: rounded.get(name, cell) for name, cell in row.items() if name not in ("", "sno.", "status2")
        }
