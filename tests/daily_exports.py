"""Three exports as everyday systems write them: a hospital's (German), a bank's (German) and a shop's (American)."""

import random
from pathlib import Path

GIVEN_F = [
    "Anna",
    "Sabine",
    "Petra",
    "Monika",
    "Claudia",
    "Julia",
    "Katharina",
    "Ursula",
    "Birgit",
    "Heike",
    "Andrea",
    "Susanne",
]
GIVEN_M = [
    "Hans",
    "Peter",
    "Michael",
    "Thomas",
    "Andreas",
    "Wolfgang",
    "Klaus",
    "Jürgen",
    "Stefan",
    "Markus",
    "Jan",
    "Uwe",
]
FAMILY = [
    "Müller",
    "Schmidt",
    "Schneider",
    "Fischer",
    "Weber",
    "Meyer",
    "Wagner",
    "Becker",
    "Schulz",
    "Hoffmann",
    "Schäfer",
    "Koch",
    "Bauer",
    "Richter",
    "Klein",
    "Wolf",
    "Schröder",
    "Neumann",
    "Schwarz",
    "Zimmermann",
    "Braun",
    "Krüger",
    "Hofmann",
    "Hartmann",
    "Lange",
    "Schmitt",
    "Werner",
    "Krause",
    "Meier",
    "Lehmann",
]
AMERICAN = [
    "Smith",
    "Johnson",
    "Williams",
    "Brown",
    "Jones",
    "Garcia",
    "Miller",
    "Davis",
    "Rodriguez",
    "Martinez",
    "Hernandez",
    "Lopez",
    "Gonzalez",
    "Wilson",
    "Anderson",
    "Thomas",
    "Taylor",
    "Moore",
    "Jackson",
    "Martin",
    "Lee",
    "Perez",
    "Thompson",
    "White",
    "Harris",
    "Sanchez",
    "Clark",
    "Ramirez",
    "Lewis",
    "Robinson",
]
TOWNS = {"Köln": "50667", "Bonn": "53111", "Aachen": "52062", "Düren": "52349", "Neuss": "41460"}


def hospital(path: Path, *, patients: int = 160, seed: int = 1) -> Path:
    """Write an export of stays with 22 columns, several stays per patient."""
    draw = random.Random(seed)
    lines = [
        "Fallnummer;Patientennr;Name;Vorname;Geburtsdatum;Geschlecht;Strasse;PLZ;Ort;Telefon;Versichertennummer;Kostenträger;Aufnahme;"
        "Entlassung;Station;Hauptdiagnose;Gewicht;Größe;Temperatur;Blutdruck;Zuzahlung;Aufnahmeart"
    ]
    case = 70000
    for patient in range(patients):
        sex = draw.choice("mw")
        given = draw.choice(GIVEN_M if sex == "m" else GIVEN_F)
        town = draw.choice(list(TOWNS))
        fixed = [
            f"{400000 + 13 * patient}",
            draw.choice(FAMILY),
            given,
            f"{draw.randrange(1, 29):02d}.{draw.randrange(1, 13):02d}.{draw.randrange(1930, 2005)}",
            sex,
            f"{draw.choice(['Haupt', 'Garten', 'Bahnhof', 'Schul'])}str. {draw.randrange(1, 150)}",
            TOWNS[town],
            town,
            f"0{draw.randrange(200, 999)}/{draw.randrange(10**5, 10**7)}",
            f"{draw.choice('ABCDE')}{draw.randrange(10**8, 10**9)}",
            draw.choice(["AOK", "TK", "Barmer", "DAK", "privat"]),
        ]
        for _ in range(draw.randrange(1, 5)):
            case += draw.randrange(1, 9)
            month, day = draw.randrange(1, 12), draw.randrange(1, 20)
            lines.append(
                ";".join(
                    [
                        str(case),
                        *fixed,
                        f"{day:02d}.{month:02d}.2024",
                        f"{day + draw.randrange(0, 9):02d}.{month:02d}.2024",
                        draw.choice(["CH1", "IN2", "GYN", "URO"]),
                        draw.choice(["I10", "E11.9", "J18.9", "K35.8", "N39.0", "S72.0"]),
                        f"{draw.randrange(450, 1200) / 10:.1f}".replace(".", ","),
                        str(draw.randrange(150, 200)),
                        f"{draw.randrange(360, 400) / 10:.1f}".replace(".", ","),
                        f"{draw.randrange(100, 180)}/{draw.randrange(60, 100)}",
                        f"{draw.randrange(1000, 200000) / 100:,.2f}".translate(str.maketrans(",.", ".,")),
                        draw.choice(["Notfall", "Einweisung", "Verlegung"]),
                    ]
                )
            )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def bank(path: Path, *, customers: int = 90, seed: int = 2) -> Path:
    """Write an export of bookings: IBAN, number and names of customers, amounts with decimal comma."""
    draw = random.Random(seed)
    lines = ["Buchungsdatum;Valuta;customer_no;Kontoinhaber;IBAN;Buchungstext;Betrag;Saldo;Währung;Filiale"]
    for customer in range(customers):
        number, name = 8800123 + 31 * customer, f"{draw.choice(GIVEN_F + GIVEN_M)} {draw.choice(FAMILY)}"
        iban = f"DE{draw.randrange(10, 99)}{draw.randrange(10**17, 10**18)}"
        for _ in range(draw.randrange(3, 9)):
            month, day = draw.randrange(1, 13), draw.randrange(1, 28)
            amount, balance = draw.randrange(-300000, 500000), draw.randrange(0, 9_000_000)
            written = [f"{x / 100:,.2f}".translate(str.maketrans(",.", ".,")) for x in (amount, balance)]
            lines.append(
                f"{day:02d}.{month:02d}.2024;{day + 1:02d}.{month:02d}.2024;{number};{name};{iban};"
                f"{draw.choice(['Überweisung', 'Lastschrift', 'Gehalt', 'Kartenzahlung'])};{written[0]};{written[1]};EUR;"
                f"{draw.choice(['0012', '0047', '0103'])}"
            )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def shop(path: Path, *, orders: int = 400, seed: int = 3) -> Path:
    """Write an export of order lines: e-mail and phone of customers, SKU, American dates and prices."""
    draw = random.Random(seed)
    lines = [
        "Order ID,Order Date,Customer Email,First Name,Last Name,Phone,City,State,SKU,Qty,Unit Price,Total,Coupon,Brand"
    ]
    for order in range(orders):
        given, family = (
            draw.choice(["Mary", "James", "Linda", "Robert", "Susan", "David"]),
            draw.choice(AMERICAN),
        )
        quantity, price = draw.randrange(1, 9), draw.randrange(500, 20000)
        lines.append(
            f"#{10001 + order},{draw.randrange(1, 13):02d}/{draw.randrange(1, 29):02d}/2024,"
            f"{given}.{family}{draw.randrange(99)}@mail.example.com".lower()
            + f",{given},{family},({draw.randrange(200, 989)}) 555-{draw.randrange(1000, 9999)},"
            f"{draw.choice(['Austin', 'Boston', 'Denver', 'Phoenix'])},{draw.choice(['TX', 'MA', 'CO', 'AZ'])},"
            f"{draw.choice(['TS-100', 'TS-200', 'MUG-1', 'CAP-7'])},{quantity},${price / 100:.2f},"
            f'"${quantity * price / 100:,.2f}",{draw.choice(["", "SPRING10", "VIP"])},'
            f"{draw.choice(['Lacoste', 'Hugo Boss', 'Tommy Hilfiger', 'Calvin Klein', 'Ralph Lauren'])}"
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path
