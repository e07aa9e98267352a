"""The kinds of personal data: names of their columns, patterns of their cells, and their masks in texts."""

import re
from dataclasses import dataclass, field

from paracosm.records.pii.check_digits import iban_is_valid, luhn_is_valid
from paracosm.records.pii.patterns import EMAIL, IP, WEB

STAFF = re.compile(
    r"doctor|physician|provider|nurse|attending|surgeon|clinician|therapist|agent|officer|judge|lawyer|attorney|advisor"
    r"|employee|teller|arzt|ärztin|medecin|medico"
)
"""Names of columns with staff: people who occur with many subjects and keep one invented name in all of them."""
NOT_PERSONS = re.compile(
    r"drug|product|medication|company|business|organi[sz]ation|file|brand|hospital|bank|course|event"
)
"""Names of columns that may contain `name` or `id` but are not about persons."""


@dataclass(frozen=True)
class PersonalKind:
    """One kind of personal data.

    Attributes:
        name: value in `data.pii.entities`.
        mask: text that replaces it when `data.pii` is `drop`.
        columns: part of the kind -> pattern of the column's name, in small letters with `_` between words.
        cell: pattern that most cells of such a column match.
        by_cells: whether the cells alone identify the kind, whatever the column is called.
    """

    name: str
    mask: str
    columns: dict[str, re.Pattern[str]] = field(default_factory=dict)
    cell: re.Pattern[str] = re.compile(r"(?s).+")  # compiled patterns are immutable
    by_cells: bool = False

    def matches(self, cell: str) -> bool:
        """Return whether a cell can be of this kind."""
        if not self.cell.fullmatch(cell.strip()):
            return False
        if self.name == "card":
            return luhn_is_valid(_digits(cell))
        return not self.by_cells or self.name != "bank_account" or iban_is_valid(cell)


def _digits(text: str) -> str:
    return "".join(letter for letter in text if letter.isdecimal())


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|_)(?:{pattern})(?:_|$)")


NAME_CELL = re.compile(r"[^\W\d_][^\d_@/\\]{0,78}")

KINDS: dict[str, PersonalKind] = {
    kind.name: kind
    for kind in (
        PersonalKind(
            "email",
            "[EMAIL]",
            {"": re.compile(r"(?:^|_)e_?mail")},
            EMAIL,
            by_cells=True,
        ),
        PersonalKind(
            "url", "[URL]", {"": _named(r"url|website|web_?site|homepage|web_?page")}, WEB, by_cells=True
        ),
        PersonalKind("ip", "[IP]", {"": _named(r"ip|ipv?[46]|ip_?addr\w*|mac_?addr\w*")}, IP, by_cells=True),
        PersonalKind(
            "card",
            "[CARD]",
            {
                "": _named(
                    r"(?:credit|debit|bank)?_?card(?:_?(?:no|nr|num|number))?|cc_?(?:no|num|number)|pan"
                )
            },
            re.compile(r"\d(?:[ -]?\d){11,18}"),
        ),
        PersonalKind(
            "bank_account",
            "[ACCOUNT]",
            {
                "": _named(
                    r"iban|(?:bank_?)?(?:account|acct)_?(?:no|nr|num|number)|routing\w*|sort_?code|bic|swift"
                )
            },
            re.compile(r"(?=(?:.*\d){4})[A-Za-z0-9][A-Za-z0-9 -]{3,40}"),
            by_cells=True,
        ),
        PersonalKind(
            "national_id",
            "[ID]",
            {
                "": _named(
                    r"ssn|social_?sec\w*|nhs(?:_?(?:no|num|number))?|nino|national_?(?:id|insurance)\w*|passport\w*"
                    r"|driv\w*_?licen[cs]e\w*|licen[cs]e_?(?:no|num|number|plate)|tax_?(?:id|no|number)|itin|npi|curp|dni|nif|nie"
                    r"|aadhaar|pesel|bsn|medicare\w*|medicaid\w*|insurance_?(?:id|no|num|number)|steuer\w*|versicherten\w*"
                )
            },
            re.compile(r"(?=.*\d)[A-Za-z0-9][A-Za-z0-9 ./-]{3,30}"),
        ),
        PersonalKind(
            "phone",
            "[PHONE]",
            {
                "": re.compile(
                    r"(?:^|_)(?:tele)?(?:phone|fax)|(?:^|_)(?:mobile|cell|tel|telefon|handy|telefono|telephone)(?:_?(?:no|nr|num|number))?(?:_|$)"
                )
            },
            re.compile(r"(?=(?:.*\d){6})\+?[\d ()./-]{6,24}(?: ?(?:x|ext\.?) ?\d+)?"),
        ),
        PersonalKind(
            "address",
            "[ADDRESS]",
            {
                "": re.compile(
                    r"(?:^|_)(?:street|strasse|straße|addr|adresse|direccion|indirizzo)(?:_|$)|(?<!ip_)(?<!mail_)(?<!web_)(?<!mac_)address(?!_?id)"
                )
            },
            re.compile(r"(?s).{4,200}"),
        ),
        PersonalKind(
            "place",
            "[PLACE]",
            {
                "": _named(
                    r"city|town|village|municipality|suburb|county|birth_?place|place_of_birth|stadt|ort|ville|ciudad"
                )
            },
            NAME_CELL,
        ),
        PersonalKind(
            "postcode",
            "[POSTCODE]",
            {"": _named(r"zip|zip_?code|postal_?code|post_?code|plz|cap|codigo_postal|code_postal")},
            re.compile(r"(?=.*[\dX])[A-Za-z0-9][A-Za-z0-9 -]{1,9}"),
        ),
        PersonalKind(
            "name",
            "[NAME]",
            {
                "given": _named(r"(?:first|given|fore|christian|middle)_?names?|fname|vorname|prenom|nombre"),
                "family": _named(
                    r"(?:last|family|sur|maiden)_?names?|lname|nachname|apellidos?|cognome|achternaam"
                ),
                "full": re.compile(
                    r"(?:^|_)(?:full|patient|client|customer|person|contact|borrower|applicant|owner|mother|father|spouse"
                    rf"|guardian|holder|cardholder|member|{STAFF.pattern})s?_?names?(?:_|$)|^names?$"
                    rf"|^(?:{STAFF.pattern}|patient|next_of_kin)$"
                ),
            },
            NAME_CELL,
        ),
        PersonalKind(
            "record_id",
            "[ID]",
            {
                "": _named(
                    r"mrn|medical_?record\w*|(?:patient|person|client|customer|member|subject|case|encounter|visit|admission"
                    r"|chart|employee|policy|claim|loan|complaint|application|user|account|hospital|stay|study|record)_?"
                    r"(?:id|no|nr|num|number|key|code)|user_?name|login|device_?(?:id|serial)\w*|serial_?(?:no|number)"
                )
            },
            re.compile(r"(?=.*\w)[^\s](?:.{0,62}[^\s])?"),
        ),
        PersonalKind(
            "date",
            "[DATE]",
            {
                "birth": re.compile(
                    r"(?:^|_)(?:dob|birth_?(?:date|day)|date_?of_?birth|born|geburtsdatum)(?:_|$)"
                )
            },
        ),
        PersonalKind(
            "age",
            "[AGE]",
            {
                "": re.compile(
                    r"^(?:patient_?|subject_?|person_?|client_?|customer_?)?age(?:_?(?:in_)?(?:years?|yrs?))?$"
                )
            },
        ),
    )
}
"""In the order in which the name of a column is tried."""
ID_KINDS = ("record_id", "national_id", "bank_account", "card", "phone", "email", "ip", "url")
"""Kinds of which a value identifies one person, account or machine: two values never share an invented value."""


def snake_case(name: str) -> str:
    """Return the name of a column in snake case: `PatientName 2` becomes `patient_name_2`."""
    divided = re.sub(r"(?<=[a-zäöüß0-9])(?=[A-Z])", "_", name)
    return re.sub(r"[\W_]+", "_", divided).strip("_").lower()
