"""Write patients.csv: 600 invented admissions, for the tutorials.

    python docs/tutorials/patients.py

Names come from short lists and every number from a fixed seed; no person is described.
"""

import numpy as np
import pandas as pd

ROWS = 600


def patients() -> pd.DataFrame:
    """Return the table: an identifier, a name, demographics, a diagnosis, a charge, and an outcome of which one class is rare."""
    draw = np.random.default_rng(0)
    age = draw.integers(18, 95, ROWS)
    ward = draw.choice(["surgery", "medicine", "cardiology"], ROWS, p=[0.4, 0.4, 0.2])
    risk = 0.02 + 0.25 * (age > 75) + 0.1 * (ward == "cardiology")
    first = draw.choice(["Anna", "John", "Ravi", "Maria", "Li", "Omar", "Ewa", "Paul"], ROWS)
    last = draw.choice(["Meyer", "Smith", "Patel", "Rossi", "Wang", "Haddad", "Nowak", "Martin"], ROWS)
    return pd.DataFrame(
        {
            "patient_id": [f"P{draw.integers(10**6):06d}-{row:03d}" for row in range(ROWS)],
            "name": [f"{given} {family}" for given, family in zip(first, last, strict=True)],
            "age": age,
            "sex": draw.choice(["f", "m"], ROWS),
            "admission": pd.to_datetime("2024-01-01")
            + pd.to_timedelta(draw.integers(0, 366, ROWS), unit="D"),
            "ward": ward,
            "icd": draw.choice(["250.00", "401.9", "428.0", "V45.81"], ROWS),
            "charge": np.round(draw.gamma(2.0, 900.0, ROWS) + 40 * (age - 18), 2),
            "outcome": np.where(draw.random(ROWS) < risk, "dead", "alive"),
        }
    )


if __name__ == "__main__":
    patients().to_csv("patients.csv", index=False, date_format="%Y-%m-%d")
    print(f"wrote patients.csv: {ROWS} rows")
