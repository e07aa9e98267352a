"""Three wide files from daily life, as a hospital, a bank and a shop export them, with what each column has to become.

A column is right if its type is one of those listed, or if a line names it: `said` means that inference has to say something.
"""

import csv
import datetime as dates
import io
import random
from collections.abc import Callable
from dataclasses import dataclass

FAMILY = [
    "Abel",
    "Brandt",
    "Czerny",
    "Dorn",
    "Engel",
    "Fuchs",
    "Gruber",
    "Hahn",
    "Jung",
    "Kern",
    "Lang",
    "Maier",
]
GIVEN = ["Anna", "Bruno", "Clara", "David", "Emma", "Felix", "Greta", "Hugo", "Ida", "Jonas", "Klara", "Leo"]
STREETS = ["Ahornweg", "Bahnhofstraße", "Schulgasse", "Lindenallee"]
TOWNS = {"Ostheim": "17033", "Talfurt": "05218", "Nordau": "23611", "Westrode": "48090", "Seebach": "01854"}


@dataclass(frozen=True)
class DailyFile:
    """A file with the types that are right for its columns.

    Attributes:
        name: of the file.
        text: its content.
        types: column -> types that are right, separated by blanks; `said` where a line may say why not.
        subject: column that names the persons, or None.
    """

    name: str
    text: str
    types: dict[str, str]
    subject: str | None


Cell = Callable[[], object]


def _table(rows: list[dict[str, object]], delimiter: str) -> str:
    out = io.StringIO()
    writer = csv.DictWriter(out, list(rows[0]), delimiter=delimiter, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


def german(value: float, decimals: int = 2) -> str:
    return f"{value:,.{decimals}f}".replace(",", "_").replace(".", ",").replace("_", ".")


def hospital(rows: int = 400) -> DailyFile:
    """A German hospital's export of stays: semicolons, decimal commas, dates with points."""
    draw = random.Random(101)
    people = []
    for number in range(rows // 2):
        born = dates.date(1930, 1, 1) + dates.timedelta(days=draw.randrange(27_000))
        town = draw.choice(list(TOWNS))
        people.append(
            {
                "PatNr": f"{4_000_000 + 37 * number + draw.randrange(30)}",
                "Nachname": f"{draw.choice(FAMILY)}{draw.choice(['', 'mann', 'er', 'berg'])}",
                "Vorname": draw.choice(GIVEN),
                "Geburtsdatum": f"{born:%d.%m.%Y}",
                "Geschlecht": draw.choice("mw"),
                "Straße": f"{draw.choice(STREETS)} {draw.randrange(1, 120)}",
                "PLZ": TOWNS[town],
                "Ort": town,
                "Telefon": f"0{draw.randrange(30, 999)} / {draw.randrange(10_000, 999_999)}",
                "Krankenkasse": draw.choice(["AOK", "TK", "Barmer", "DAK"]),
                "Versicherten-Nr": f"{draw.choice('ABK')}{draw.randrange(10**8, 10**9)}",
            }
        )
    table = []
    for number in range(rows):
        person = draw.choice(people)
        admitted = dates.datetime(2023, 1, 1) + dates.timedelta(minutes=draw.randrange(900_000))
        stay = draw.choice([0, 1, 2, 3, 5, 8])
        weight, size = draw.gauss(78, 14), draw.gauss(1.71, 0.09)
        table.append(
            person
            | {
                "Fallnummer": f"{20_230_000_000 + number * 7 + draw.randrange(5)}",
                "Aufnahme": f"{admitted:%d.%m.%Y %H:%M}",
                "Entlassung": f"{admitted + dates.timedelta(days=stay, hours=3):%d.%m.%Y %H:%M}",
                "Verweildauer": f"{stay} Tage",
                "Ankunft": f"{admitted:%H:%M} Uhr",
                "Wartezeit": f"{draw.randrange(0, 4)}:{draw.randrange(60):02d}",
                "Hauptdiagnose": draw.choice(["I10.00", "E11.90", "J44.19", "K35.8", "N39.0"]),
                "OPS": draw.choice(["5-470.11", "8-930", "1-632.0", ""]),
                "Station": draw.choice(["3A", "3B", "ITS", "12"]),
                "Gewicht kg": german(weight, 1),
                "Größe m": german(size),
                "RR": f"{draw.randrange(95, 180)}/{draw.randrange(55, 105)}",
                "Temperatur": f"{german(draw.gauss(37.2, 0.8), 1)} °C",
                "CRP": draw.choice(
                    ["<0,5", german(draw.lognormvariate(1, 1), 1), german(draw.lognormvariate(1, 1), 1)]
                ),
                "Raucher": draw.choice(["ja", "nein", "unbekannt"]),
                "Notfall": draw.choice(["J", "N"]),
                "Arzt": f"Dr. {draw.choice(FAMILY)}",
                "Kosten": f"{german(draw.lognormvariate(7, 1))} €",
                "Zuzahlung": german(draw.choice([0, 10, 20, 50, 100])),
                "Bemerkung": "",
            }
        )
    return DailyFile(
        "aufenthalte.csv",
        _table(table, ";"),
        {
            "PatNr": "identifier",
            "Nachname": "identifier said",
            "Vorname": "identifier category said",
            "Geburtsdatum": "datetime",
            "Geschlecht": "category",
            "Straße": "identifier said",
            "PLZ": "category",
            "Ort": "category",
            "Telefon": "identifier said",
            "Krankenkasse": "category",
            "Versicherten-Nr": "identifier said",
            "Fallnummer": "identifier said",
            "Aufnahme": "datetime",
            "Entlassung": "datetime",
            "Verweildauer": "integer category",
            "Ankunft": "time",
            "Wartezeit": "duration",
            "Hauptdiagnose": "category",
            "OPS": "category",
            "Station": "category",
            "Gewicht kg": "number",
            "Größe m": "number",
            "RR": "text said",
            "Temperatur": "number",
            "CRP": "text said",
            "Raucher": "category",
            "Notfall": "category boolean",
            "Arzt": "category identifier said",
            "Kosten": "number",
            "Zuzahlung": "number category integer",
            "Bemerkung": "empty",
        },
        "PatNr",
    )


def bank(rows: int = 500) -> DailyFile:
    """An American bank's export of card payments: dollars, parentheses, dates with slashes, twelve hours."""
    draw = random.Random(102)
    accounts = []
    for _ in range(rows // 5):
        opened = dates.date(1998, 1, 1) + dates.timedelta(days=draw.randrange(9000))
        state, zip_code = draw.choice([("MA", "02139"), ("NY", "10001"), ("CA", "94105"), ("NJ", "07030")])
        accounts.append(
            {
                "Account Number": f"{draw.randrange(10**9, 10**10)}",
                "Customer Name": f"{draw.choice(GIVEN)} {draw.choice(FAMILY)}{draw.choice(['', 'son', 'ton'])}",
                "SSN": f"{draw.randrange(100, 899)}-{draw.randrange(10, 99)}-{draw.randrange(1000, 9999)}",
                "Email": f"user{draw.randrange(10**6)}@example.com",
                "Opened": f"{opened.month}/{opened.day}/{opened.year}",
                "State": state,
                "ZIP": zip_code,
                "Credit Score": f"{draw.randrange(520, 840)}",
                "Annual Income": f"${draw.randrange(20, 180) * 1000:,}",
            }
        )
    table, balance = [], 2000.0
    for number in range(rows):
        moment = dates.datetime(2024, 2, 1) + dates.timedelta(seconds=draw.randrange(20_000_000))
        amount = draw.lognormvariate(4, 1) * draw.choice([1, -1, -1])
        balance += amount
        table.append(
            draw.choice(accounts)
            | {
                "Transaction ID": f"TX{10**7 + 13 * number + draw.randrange(9)}",
                "Posted": f"{moment:%m/%d/%Y %I:%M %p}",
                "Value Date": f"{moment:%Y%m%d}",
                "Period": f"{moment:%b-%y}",
                "Amount": f"(${-amount:,.2f})" if amount < 0 else f"${amount:,.2f}",
                "Running Balance": f"{balance:,.2f}",
                "Fee": f"{draw.choice([0, 0, 0, 0.25, 1.5, 3]):.2f}",
                "FX Rate": f"{draw.uniform(0.9, 1.2):.5f}",
                "Interest": f"{draw.uniform(0.5, 24.9):.2f}%",
                "MCC": draw.choice(["5411", "5812", "4121", "5999", "0742"]),
                "Branch": draw.choice(["001", "014", "120", "007"]),
                "Merchant": draw.choice(["Grocer", "Taxi, night", 'Cafe "Blue"', "Vet"]),
                "Channel": draw.choice(["POS", "ATM", "WEB"]),
                "Chargeback": draw.choice(["Y", "N", "N", "N"]),
                "Approved": draw.choice(["TRUE", "TRUE", "FALSE"]),
                "Currency": draw.choice(["USD", "USD", "CAD"]),
                "Device IP": f"10.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}",
                "Auth Hash": f"{draw.getrandbits(256):064x}",
                "Location": f"{draw.uniform(25, 48):.5f}, {-draw.uniform(70, 122):.5f}",
                "Processing": f"00:00:{draw.randrange(60):02d}.{draw.randrange(1000):03d}",
                "Risk": f"{draw.lognormvariate(-7, 2):.3e}",
                "Reversal Of": "",
            }
        )
    return DailyFile(
        "transactions.csv",
        _table(table, ","),
        {
            "Account Number": "identifier",
            "Customer Name": "identifier said",
            "SSN": "identifier",
            "Email": "identifier",
            "Opened": "datetime",
            "State": "category",
            "ZIP": "category",
            "Credit Score": "integer",
            "Annual Income": "integer",
            "Transaction ID": "identifier said",
            "Posted": "datetime",
            "Value Date": "datetime",
            "Period": "datetime category",
            "Amount": "number",
            "Running Balance": "number",
            "Fee": "category number",
            "FX Rate": "number",
            "Interest": "number",
            "MCC": "category",
            "Branch": "category",
            "Merchant": "category",
            "Channel": "category",
            "Chargeback": "category boolean",
            "Approved": "boolean",
            "Currency": "category",
            "Device IP": "identifier said",
            "Auth Hash": "identifier said",
            "Location": "text said",
            "Processing": "time duration",
            "Risk": "number",
            "Reversal Of": "empty",
        },
        "Account Number",
    )


def shop(rows: int = 450) -> DailyFile:
    """A French shop's export of orders: semicolons, narrow blanks between thousands, months in words, article numbers."""
    draw = random.Random(103)
    months = ["janvier", "février", "mars", "avril", "mai", "juin", "juillet", "août", "septembre", "octobre"]
    articles = [f"{draw.randrange(10**12, 10**13)}" for _ in range(30)]
    customers = [f"C{draw.randrange(10**5, 10**6)}" for _ in range(rows // 4)]
    table = []
    for number in range(rows):
        moment = dates.datetime(2024, 1, 1) + dates.timedelta(minutes=draw.randrange(430_000))
        net = round(draw.lognormvariate(4, 1), 2)
        tax = round(net * 0.2, 2)
        rank = draw.randrange(len(articles))
        table.append(
            {
                "N° commande": f"CMD-2024-{number * 3 + 1001:05d}",
                "Code client": draw.choice(customers),
                "Date": f"{moment.day} {months[moment.month - 1]} {moment.year}",
                "Heure": f"{moment:%Hh%M}",
                "Horodatage": f"{moment:%Y-%m-%dT%H:%M:%S}.{draw.randrange(1000):03d}+01:00",
                "EAN": articles[rank],
                "Réf": f"REF-{rank:03d}",
                "Taille": draw.choice(["XS", "S", "M", "L", "38", "40"]),
                "Quantité": f"{draw.randrange(1, 9)}",
                "Prix HT": german(net).replace(".", "\u202f") + " €",
                "TVA": german(tax).replace(".", "\u202f") + " €",
                "Total": german(net + tax).replace(".", "\u202f") + " €",
                "Remise": f"{draw.choice([0, 5, 10, 20])} %",
                "Marge": f"{draw.uniform(-5, 40):.1f}".replace(".", ","),
                "Poids": f"{draw.randrange(80, 9000)} g",
                "Dimensions": f"{draw.randrange(10, 60)}x{draw.randrange(10, 60)}x{draw.randrange(2, 30)}",
                "Livraison": draw.choice(["Colissimo", "Point relais", "Retrait"]),
                "Délai": f"{draw.randrange(1, 10)} jours",
                "Suivi": f"{draw.randrange(10**12, 10**13)}" if number % 3 else "",
                "Note": draw.choice(["1", "2", "3", "4", "5", ""]),
                "Fidélité": draw.choice(["oui", "non"]),
                "Code postal": draw.choice(["75011", "13001", "06000", "01000", "69003"]),
                "Téléphone": f"0{draw.randrange(6, 8)} {draw.randrange(10, 99)} {draw.randrange(10, 99)} {draw.randrange(10, 99)} {draw.randrange(10, 99)}",
                "Adresse IP": f"81.{draw.randrange(256)}.{draw.randrange(256)}.{draw.randrange(256)}",
                "Semaine": f"{moment:%G-W%V}",
                "Points": f"{draw.randrange(0, 60) * 50}",
                "Retour": draw.choice(["", "", "", "X"]),
                "Session": f"{moment:%Y%m%d%H%M%S}",
                "Avis": draw.choice(["", "Très bon article, livraison rapide et soignée"])
                and f"Article {number} reçu en bon état, couleur conforme, je recommande vivement.",
            }
        )
    return DailyFile(
        "commandes.csv",
        _table(table, ";"),
        {
            "N° commande": "identifier said",
            "Code client": "identifier",
            "Date": "datetime",
            "Heure": "time",
            "Horodatage": "datetime",
            "EAN": "category identifier said",
            "Réf": "category",
            "Taille": "category",
            "Quantité": "integer",
            "Prix HT": "number",
            "TVA": "number",
            "Total": "number",
            "Remise": "integer category",
            "Marge": "number",
            "Poids": "integer",
            "Dimensions": "text said",
            "Livraison": "category",
            "Délai": "integer category",
            "Suivi": "identifier said",
            "Note": "integer category",
            "Fidélité": "category",
            "Code postal": "category",
            "Téléphone": "identifier said",
            "Adresse IP": "identifier said",
            "Semaine": "category",
            "Points": "integer",
            "Retour": "category",
            "Session": "datetime",
            "Avis": "text",
        },
        "Code client",
    )


DAILY_FILES = [hospital(), bank(), shop()]
