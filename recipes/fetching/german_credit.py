"""The German credit data of UCI with readable labels in place of its codes (Hofmann 1994, its file german.doc)."""

import csv
from collections.abc import Iterator, Sequence
from pathlib import Path

from paracosm.recipes.fetching.origin import Row

COLUMNS: tuple[tuple[str, dict[str, str]], ...] = (
    (
        "status_of_existing_checking_account",
        {
            "A11": "... < 0 DM",
            "A12": "0 <= ... < 200 DM",
            "A13": "... >= 200 DM / salary assignments for at least 1 year",
            "A14": "no checking account",
        },
    ),
    ("duration_in_month", {}),
    (
        "credit_history",
        {
            "A30": "no credits taken/ all credits paid back duly",
            "A31": "all credits at this bank paid back duly",
            "A32": "existing credits paid back duly till now",
            "A33": "delay in paying off in the past",
            "A34": "critical account/ other credits existing (not at this bank)",
        },
    ),
    (
        "purpose",
        {
            "A40": "car (new)",
            "A41": "car (used)",
            "A42": "furniture/equipment",
            "A43": "radio/television",
            "A44": "domestic appliances",
            "A45": "repairs",
            "A46": "education",
            "A48": "retraining",
            "A49": "business",
            "A410": "others",
        },
    ),
    ("credit_amount", {}),
    (
        "savings_account_and_bonds",
        {
            "A61": "... < 100 DM",
            "A62": "100 <= ... < 500 DM",
            "A63": "500 <= ... < 1000 DM",
            "A64": "... >= 1000 DM",
            "A65": "unknown/ no savings account",
        },
    ),
    (
        "present_employment_since",
        {
            "A71": "unemployed",
            "A72": "... < 1 year",
            "A73": "1 <= ... < 4 years",
            "A74": "4 <= ... < 7 years",
            "A75": "... >= 7 years",
        },
    ),
    ("installment_rate_in_percentage_of_disposable_income", {}),
    (
        "personal_status_and_sex",
        {
            "A91": "male : divorced/separated",
            "A92": "female : divorced/separated/married",
            "A93": "male : single",
            "A94": "male : married/widowed",
            "A95": "female : single",
        },
    ),
    ("other_debtors_or_guarantors", {"A101": "none", "A102": "co-applicant", "A103": "guarantor"}),
    ("present_residence_since", {}),
    (
        "property",
        {
            "A121": "real estate",
            "A122": "building society savings agreement/ life insurance",
            "A123": "car or other, not in attribute Savings account/bonds",
            "A124": "unknown / no property",
        },
    ),
    ("age_in_years", {}),
    ("other_installment_plans", {"A141": "bank", "A142": "stores", "A143": "none"}),
    ("housing", {"A151": "rent", "A152": "own", "A153": "for free"}),
    ("number_of_existing_credits_at_this_bank", {}),
    (
        "job",
        {
            "A171": "unemployed/ unskilled - non-resident",
            "A172": "unskilled - resident",
            "A173": "skilled employee / official",
            "A174": "management/ self-employed/ highly qualified employee/ officer",
        },
    ),
    ("number_of_people_being_liable_to_provide_maintenance_for", {}),
    ("telephone", {"A191": "none", "A192": "yes, registered under the customers name"}),
    ("foreign_worker", {"A201": "yes", "A202": "no"}),
    ("creditability", {"1": "good", "2": "bad"}),
)
"""Name of each column, and label of each of its codes; no labels for a number."""


def german_credit(paths: Sequence[Path]) -> Iterator[Row]:
    """Yield the applications with names and labels; the published file has no header."""
    with paths[0].open(encoding="utf-8", newline="") as file:
        for cells in csv.reader(file):
            yield {
                name: labels[cell] if labels else cell
                for (name, labels), cell in zip(COLUMNS, cells, strict=True)
            }
