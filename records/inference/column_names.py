"""Decisions by the name of a column alone: keys, persons, dates and kinds of personal data.

Every function decides on the words of the name (`column_words`), so that `customerId`, `CUSTOMER_ID`, `customerid` and `Kundennummer`
are numbers of persons, and `amount_paid`, `covid` and `patient_age` are not.
"""

import re
from collections.abc import Iterator

from paracosm.records.inference.column_words import (
    FILES_OF_PERSONS,
    KEY_WORDS,
    PERSON_KEYS,
    PERSONS,
    RECORDS_OF_PERSONS,
    STRONG_KEY_WORDS,
    THINGS,
    snake_case,
    word_set,
    words,
)

OF = word_set(
    "de del della des du la le el of the unique anonymous anon hashed hash pseudo study source external "
    "internal"
)
"""Words that change nothing about a key: `numero de cliente`, `unique patient id`."""
OWN_KEYS = word_set("mrn ssn uuid guid index rowid rownames rowname rownum rownumber")
CODED = word_set(
    "icd nace naics isic cpt hcpcs drg ndc atc loinc snomed dx diagnosis diagnose diagnostic procedure "
    "zip plz postcode postal postleitzahl fips iata icao airport flight tail sku ean gtin upc isbn "
    "product produkt artikel article material part model version rev release size grade class section "
    "unit room seat gate shelf bin rack time date period month quarter year week hour currency country "
    "region state district county area zone grid tract block color colour rating score range band "
    "interval group bucket reading bp pressure ratio dose dosage score formula gene protein mutation "
    "allele star spectral"
)
"""Words for codes of things, which do not identify a person however often they repeat."""
RELATIVES = word_set(
    "mother father mutter vater spouse partner husband wife guardian parent child contact emergency kin sibling mere pere madre"
    " padre recipient sender payee maiden birth geburtsname referrer"
)
BARE_NAMES = {(word,) for word in ("name", "names", "namen", "nom", "nome", "naam")}
THING_WORDS = word_set(
    "job jobs occupation profession beruf trade title position role colour color brand make maker manufacturer marke label species"
    " breed city town village place stadt ort ville ciudad location country land pays state bundesland region province county"
    " district street language religion ethnicity race airport port site team club sport day month weekday category type kind class"
    " status level grade product drug medication medicine department ward unit diagnosis disease symptom food fruit animal plant"
)
EMPTY_WORDS = word_set(
    "col column spalte colonne columna field feld champ campo var variable feature attr attribute value wert unnamed data text"
    " string str val info item entry cell"
)
DATE_WORDS = word_set("date dates dt dob day datum fecha datetime timestamp jour giorno")
DURATION_WORDS = word_set(
    "duration durations elapsed waited waiting wait length runtime uptime downtime lap split delay took lasted stay worked hours"
    " minutes hrs mins overtime dauer wartezeit laufzeit stunden duree duracion durata"
)
TIME_OF_DAY_WORDS = word_set(
    "uhr uhrzeit heure heures horaire hora horas ora ore orario kellonaika klokkeslett klockslag tijdstip"
)
HOUR_WORDS = word_set("hours hrs worked overtime stunden shift")
SEX_WORDS = frozenset(["sex", "gender", "geschlecht", "sexo", "sexe", "sesso"])
STAFF = re.compile(
    r"doctor|physician|provider|nurse|attending|surgeon|clinician|therapist|agent|officer|judge|lawyer|attorney|advisor|adviser"
    r"|employee|teller|salesperson|sales_?rep|account_manager|arzt|arztin|medecin|medico|sachbearbeiter|berater|betreuer"
)
"""Names of columns with staff: people who occur with many subjects and keep one invented name in all of them."""
NOT_PERSONS = re.compile(
    r"(?:^|_)(?:drug|product|produkt|artikel|medication|company|business|firm|firma|file|brand|hospital|bank(?!_acc)|course|event"
    r"|school|store|shop|hotel|restaurant|team|column|feature|variable|project|task|model|species|song|movie|film|album|game"
    r"|domain|table|class|recipe|dish|item)s?(?:_|$)|organi[sz]ation|filename"
)
"""Names of columns that may contain `name` or `id` but are not about persons."""


def names_a_person(name: str) -> bool:
    """Return whether a column of this name holds keys of persons or of what one person has, such as `customer_no` or `policy`."""
    parts = _words_of_a_key(name)
    if not parts:
        return False
    named = PERSONS | RECORDS_OF_PERSONS | PERSON_KEYS
    if not all(word in named or word in FILES_OF_PERSONS or word in KEY_WORDS for word in parts):
        return False
    return not named.isdisjoint(parts) or not (
        KEY_WORDS.isdisjoint(parts) or FILES_OF_PERSONS.isdisjoint(parts)
    )


def names_a_subject(name: str) -> bool:
    """Return whether a column of this name holds keys of the persons that the records are about, who are not staff."""
    about_persons = not (PERSONS | PERSON_KEYS | {"medical", "national", "social"}).isdisjoint(words(name))
    return about_persons and names_a_person(name) and not names_staff(name)


def names_a_key(name: str) -> bool:
    """Return whether a column of this name holds keys that may repeat: `order_id`, `invoice no`, `id_paciente`."""
    parts = _words_of_a_key(name)
    if not parts:
        return False
    if parts[-1] in STRONG_KEY_WORDS | OWN_KEYS - {"index"} or names_a_person(name):
        return True
    nouns = THINGS | FILES_OF_PERSONS | PERSONS | RECORDS_OF_PERSONS
    if not all(word in nouns or word in KEY_WORDS for word in parts):
        return False
    return not (nouns.isdisjoint(parts) or KEY_WORDS.isdisjoint(parts))


def may_name_a_key(name: str) -> bool:
    """Return whether a column of this name holds keys if all its cells differ: `house number`, `index`, `column 1`."""
    parts = _words_of_a_key(name)
    if words(name)[:1] in (("unnamed",), ("column",)):
        return words(name)[1:] in (("0",), ("1",))
    if parts[-1:] == ("index",):
        # A price index is a quantity.
        return parts in (("index",), ("row", "index"), ("record", "index"))
    if parts in (("row", "names"), ("row", "name"), ("rn",)):
        return True
    return bool(parts) and (parts[-1] in KEY_WORDS | OWN_KEYS or names_a_key(name))


def names_a_code(name: str) -> bool:
    """Return whether a column of this name holds codes of things, such as ICD or postcodes, which repeat without a person."""
    return not CODED.isdisjoint(words(name))


def names_a_date(name: str) -> bool:
    """Return whether a column of this name holds dates."""
    parts = words(name)
    return not DATE_WORDS.isdisjoint(parts) or any("date" in word or word.endswith("datum") for word in parts)


def names_a_duration(name: str) -> bool:
    """Return whether a column of this name holds lengths of time."""
    return not DURATION_WORDS.isdisjoint(words(name))


def names_a_time_of_day(name: str) -> bool:
    """Return whether a column of this name holds times of day, however they are written."""
    return not TIME_OF_DAY_WORDS.isdisjoint(words(name))


def names_hours(name: str) -> bool:
    """Return whether a column of this name holds lengths of time in hours."""
    return not HOUR_WORDS.isdisjoint(words(name))


def names_a_sex(name: str) -> bool:
    """Return whether a column of this name holds the sex or gender of a person."""
    return not SEX_WORDS.isdisjoint(words(name))


def names_a_relative(name: str) -> bool:
    """Return whether a column of this name is about a person beside the subject, such as a mother or an emergency contact."""
    return not RELATIVES.isdisjoint(words(name)) or names_staff(name)


def names_a_subject_name(name: str) -> bool:
    """Return whether a column of this name holds the whole name of the subject of a record."""
    return names_a_name(name) or not PERSONS.union({"full", "display"}).isdisjoint(words(name))


def names_staff(name: str) -> bool:
    """Return whether a column of this name holds persons who occur with many subjects, such as doctors."""
    return bool(STAFF.search(snake_case(name)))


def names_no_person(name: str) -> bool:
    """Return whether a column of this name is about things that have names or numbers, such as products."""
    return bool(NOT_PERSONS.search(snake_case(name)))


def names_a_name(name: str) -> bool:
    """Return whether a column is called `name` in some language, which anything may have."""
    return words(name) in BARE_NAMES


def names_a_thing(name: str) -> bool:
    """Return whether a column of this name holds words for things, some of which are names too: towns, jobs, colours, brands."""
    return names_no_person(name) or names_a_code(name) or not THING_WORDS.isdisjoint(words(name))


def says_nothing(name: str) -> bool:
    """Return whether a header says nothing about its column: `col7`, `f3`, `Unnamed: 2`, `text`."""
    return all(word.isdecimal() or len(word) <= 2 or word in EMPTY_WORDS for word in words(name))


def names_personal_cells(name: str) -> bool:
    """Return whether a column of this name holds names of persons, addresses, phones or the like, or files."""
    return bool(FILE_NAME.search(snake_case(name))) or (
        not names_no_person(name) and any(kind in DIRECT_KINDS for kind, _ in personal_kinds(name))
    )


def personal_kinds(name: str) -> Iterator[tuple[str, str]]:
    """Yield the kinds of personal data that a column of this name may hold, with the part of the kind; the likeliest first."""
    snake = snake_case(name)
    for kind, parts in PERSONAL_NAMES.items():
        yield from ((kind, part) for part, pattern in parts.items() if pattern.search(snake))


def _words_of_a_key(name: str) -> tuple[str, ...]:
    """Return the words without those that change nothing about a key, and without numbers at the end."""
    parts = [word for word in words(name) if word not in OF]
    while len(parts) > 1 and parts[-1].isdecimal():
        parts.pop()
    return tuple(parts)


def _named(pattern: str) -> re.Pattern[str]:
    return re.compile(rf"(?:^|_)(?:{pattern})(?:_|$)")


NUMBER = r"(?:_(?:no|nr|num|number|nummer|id))?"
FILE_NAME = _named(r"file(?:_name)?|filename|file_path|path|user_name|username|login|login_name")
DIRECT_KINDS = frozenset(
    ("name", "email", "phone", "address", "bank_account", "card", "national_id", "url", "ip")
)
"""Kinds of which mostly distinct cells identify a person or a record by themselves."""
PERSONAL_NAMES: dict[str, dict[str, re.Pattern[str]]] = {
    "email": {"": re.compile(r"(?:^|_)e_?mail|(?:^|_)correo(?:_|$)|(?:^|_)courriel(?:_|$)|^mail$")},
    "url": {"": _named(r"url|website|web_site|homepage|web_page")},
    "ip": {"": _named(r"ip|ip_?v?_?[46]|ip_?addr\w*|mac_?addr\w*")},
    "card": {"": _named(rf"(?:credit|debit|bank)?_?card{NUMBER}|cc_?(?:no|num|number)|pan|kreditkarte\w*")},
    "bank_account": {
        "": _named(
            r"iban|(?:bank_)?(?:account|acct|konto|compte|cuenta)_(?:no|nr|num|number|nummer)|bankverbindung|routing\w*|sort_code"
            r"|bic|swift|kontonummer|numero_(?:de_)?(?:compte|cuenta)"
        )
    },
    "national_id": {
        "": _named(
            r"ssn|social_?(?:sec|insurance)\w*|nhs(?:_(?:no|num|number))?|nino|national_?(?:id|insurance|ident)\w*|passport\w*|passnummer"
            r"|driv\w*_?licen[cs]e\w*|licen[cs]e_?(?:no|num|number|plate)|tax_?(?:id|no|number)|itin|npi|curp|dni|nif|nie"
            r"|aadhaar|pesel|bsn|cpf|nir|nric|sin|ahv\w*|rvnr|sv_?nr|sv_?nummer|kvnr|cnp|jmbg|egn|oib|ppsn?|emso|amka|hetu|henkilotunnus"
            r"|person_?n(?:umme|umbe)?r|personnummer|fodselsnummer|cpr_?(?:no|nr|nummer)?|isikukood|rodne_cislo|cedula|rut|dui"
            r"|medicare\w*|medicaid\w*|insurance_?(?:id|no|num|number)|steuer_?(?:id|nr|nummer)\w*"
            r"|steuernummer|versicherten_?(?:id|nr|no|nummer)|versichertennummer|(?:sozial|renten|kranken)versicherung\w*|codice_fiscale"
            r"|(?:personal)?ausweis\w*|numero_(?:de_)?secu\w*"
        )
    },
    "phone": {
        "": re.compile(
            r"(?:^|_)(?:tele)?(?:phone|fax)|(?:^|_)(?:mobile|mobil|cell|tel|telefon|handy|telefono|telephone|portable|movil|cellulare"
            r"|telefoon)(?:_?(?:no|nr|num|number|nummer))?(?:_\d)?$|(?:^|_)(?:telefon|telephone|telefono|handy|mobil)nummer"
        )
    },
    "address": {
        "": re.compile(
            r"(?:^|_)(?:street|strasse|str|addr|adresse|anschrift|direccion|domicilio|indirizzo|endereco|adres|rue|calle)(?:_|$)"
            r"|strasse(?:_|$)|(?<!ip_)(?<!mail_)(?<!web_)(?<!mac_)address(?!_?id)"
        )
    },
    "place": {
        "": _named(
            r"city|town|village|municipality|suburb|county|birth_?place|place_of_birth|stadt|ort|wohnort|geburtsort|ville|ciudad"
            r"|commune|comune|citta|cidade|gemeinde|localidad|woonplaats"
        )
    },
    "postcode": {
        "": _named(
            r"zip|zip_?code|postal_?code|post_?code|plz|postleitzahl|cap|codigo_postal|code_postal|cp_postal"
        )
    },
    "name": {
        "given": _named(
            r"(?:first|given|fore|christian|middle)_?names?|fname|vornamen?|prenoms?|nombres?|voornaam"
        ),
        "family": _named(
            r"(?:last|family|sur|maiden|birth)_?names?|lname|nachnamen?|familiennamen?|geburtsname|nom_de_(?:famille|naissance)"
            r"|apellidos?|apellido_\d|cognome|sobrenome|achternaam|surnames?"
        ),
        "full": re.compile(
            r"(?:^|_)(?:full|patient|patienten|client|customer|kunden?|person|contact|borrower|applicant|owner|mother|father|spouse"
            r"|guardian|holder|cardholder|member|student|subject|emp|guest|passenger|beneficiary|payee|recipient|sender"
            rf"|{STAFF.pattern})s?_?names?(?:_|$)|^names?$|^namen?$|^nom$|^nome$|^naam$|^nombre_(?:y_)?apellidos?"
            rf"|^(?:{STAFF.pattern}|patient|next_of_kin|(?:konto|karten)_?inhaber|inhaber|versicherter|ansprechpartner)$"
        ),
    },
    "record_id": {
        "": _named(
            r"mrn|medical_?record\w*|(?:patient|person|client|customer|member|subject|case|encounter|visit|admission"
            r"|chart|employee|policy|claim|loan|complaint|application|user|account|hospital|stay|study|record)_?"
            r"(?:id|no|nr|num|number|key|code)|user_?name|login|device_?(?:id|serial)\w*|serial_?(?:no|number)"
        )
    },
    "date": {
        "birth": _named(
            r"dob|birth_?(?:date|day)|date_?of_?birth|born|geburts_?datum|geboren|geb_?datum|date_?(?:de_?)?naiss\w*"
            r"|fecha_?(?:de_?)?nac\w*|data_?(?:di_?|de_?)?nasc\w*|geboortedatum"
        )
    },
    "age": {
        "": re.compile(
            r"^(?:patient_?|subject_?|person_?|client_?|customer_?)?age(?:_?(?:in_)?(?:years?|yrs?))?$|^alter$"
        )
    },
}
"""Kind of personal data -> part of the kind -> pattern of the snake-case names of its columns, in the order in which they are tried."""
