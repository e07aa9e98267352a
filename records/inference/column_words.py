"""Words of a column's name: `customerId`, `CUSTOMER_ID`, `customerid` and `Kundennummer` are divided into words in small letters.

Capitals, digits and punctuation divide a name. A word without them is divided only if all its parts are in `VOCABULARY`, so
that `customerid` is `customer id`, and `paid`, `valid` and `casino` stay whole.
"""

import re
import unicodedata
from functools import cache


def word_set(text: str) -> frozenset[str]:
    """Return the words of a text."""
    return frozenset(text.split())


KEY_WORDS = word_set(  # English
    "id ids identifier ident uid uuid guid oid pid cid tid key no nr num number numbers ref reference code rowid index"
    # German
    " nummer kennung kennziffer kennnummer schlussel schluessel zeichen kennzeichen"
    # French, Spanish, Italian, Portuguese
    " numero num identifiant matricule cle identificador identificativo clave referencia codigo codice riferimento"
)
"""Words that say that a column holds keys or numbers of something."""
STRONG_KEY_WORDS = word_set(
    "id identifier ident uid uuid guid oid pid cid rowid kennung kennnummer identifiant identificador "
    "identificativo matricule"
)
"""Words that say so whatever stands before them."""
PERSONS = word_set(  # English
    "patient pat pt customer cust client member subject subj usubj person participant respondent employee student pupil user player"
    " tenant borrower applicant insured insuree policyholder cardholder holder beneficiary claimant donor recipient household resident citizen taxpayer voter"
    " guest passenger driver rider subscriber debtor worker owner host doctor physician provider nurse teacher"
    " buyer payer payee patron volunteer enrollee inmate offender defendant plaintiff victim suspect caller visitor learner"
    # German
    " patienten kunde kunden kd klient klienten mitglied mitglieds mitarbeiter versicherte versicherten versicherter"
    " versicherungsnehmer schuler schueler studenten studierenden teilnehmer proband probanden nutzer benutzer"
    " halter mieter bewohner arzt inhaber"
    # French
    " cliente patiente assure adherent salarie employe eleve etudiant usager utilisateur"
    " beneficiaire locataire membre individu personne titulaire"
    # Spanish, Italian, Portuguese
    " paciente socio miembro usuario empleado alumno estudiante persona asegurado titular afiliado participante"
    " ciudadano paziente utente dipendente studente assistito assicurato iscritto aluno utilizador funcionario"
    # Dutch
    " klant klanten lid gebruiker medewerker"
)
"""Words for one person."""
RECORDS_OF_PERSONS = word_set(
    "account acct policy chart konto kontos police compte cuenta poliza conto polizza conta apolice "
    "rekening polis enrolment enrollment membership"
)
"""Words for what one person has; alone, they name its number."""
FILES_OF_PERSONS = word_set(
    "personal personen case loan claim contract dossier file record application admission encounter visit "
    "stay episode study hospital complaint insurance national medical passport licence license card badge staff "
    "emp personnel registration fall akte akten vertrag vertrags darlehen darlehens kredit antrags "
    "aufnahme behandlungs ausweis personalausweis reisepass fuhrerschein pret contrat contrato expediente "
    "siniestro historia pratica cartella contratto processo social versicherungs sozialversicherungs "
    "krankenversicherungs steuer matrikel mobile phone msisdn"
)
"""Words that name a person's number only together with a word for keys: `case` alone may count cases."""
PERSON_KEYS = word_set(
    "mrn ssn nhs nino usubjid subjid patnr patid kdnr pnr sin nir dni nif nie curp cpf bsn pesel aadhaar "
    "medicare medicaid iban msisdn imsi imei vin custid custno kvnr svnr ahv acctno empno empid uid userid memberid "
    "matrikelnr"
)
"""Words that are keys of persons, or of what one person has."""
THINGS = word_set(
    "order orders invoice item line product article row record transaction trans txn booking reservation "
    "shipment parcel tracking serial device sensor vehicle car machine station site store shop branch "
    "company business organisation organization org event session request ticket receipt message post "
    "tweet review comment document doc batch lot sample specimen test lab property listing building "
    "unit school class course group team game match movie film book song track image trip flight route "
    "stop job task project asset node parent entity object obs observation entry payment check cheque "
    "location region bestell bestellung auftrag auftrags rechnung rechnungs artikel beleg buchungs liefer "
    "commande facture pedido factura ordine fattura producto produit prodotto sku trial center centre "
    "clinic ward bed household gene protein compound"
)
"""Words for things that have keys."""
OTHER_PARTS = word_set(
    "first last family given sur middle maiden full fore name names email mail e phone telephone "
    "telefon tel mobil handy fax address adresse addr street strasse str post postal zip code city stadt "
    "date datum geburts birth day time login web url home work private contact emergency mother father "
    "spouse guardian date geburt naissance nacimiento nascita haus number"
)
VOCABULARY = (
    KEY_WORDS | PERSONS | RECORDS_OF_PERSONS | FILES_OF_PERSONS | PERSON_KEYS | THINGS | OTHER_PARTS
) - {"e"}
FEWEST_LETTERS = 2
"""Letters of the shortest part of a word that is divided."""
MOST_LETTERS = 100
"""Letters of the longest word that is divided; the time grows with their square, and a name can have a million."""
BOUNDARY = re.compile(
    r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})|(?<=[^\W\d_])(?=\d)|(?<=\d)(?=[^\W\d_])"
)
NUMERO = re.compile(r"№|\b[nN][°º]")


@cache
def words(name: str) -> tuple[str, ...]:
    """Return the words of a column's name in small letters without accents.

    Numbers are words too: `address2` is `address` and `2`.
    """
    letters = unicodedata.normalize("NFKD", NUMERO.sub(" no ", name).replace("ß", "ss"))
    plain = "".join(letter for letter in letters if not unicodedata.combining(letter))
    pieces = (piece for part in re.split(r"[\W_]+", plain) for piece in BOUNDARY.split(part) if piece)
    return tuple(word for piece in pieces for word in _divided(piece.lower()))


def snake_case(name: str) -> str:
    """Return the words of a column's name with `_` between them: `PatientName 2` becomes `patient_name_2`."""
    return "_".join(words(name))


def _divided(word: str) -> tuple[str, ...]:
    """Return the parts of a word if all of them are in the vocabulary, in as few parts as possible, else the word."""
    if word in VOCABULARY or word in WHOLE or len(word) > MOST_LETTERS:
        return (word,)
    best: list[tuple[str, ...] | None] = [(), *[None] * len(word)]
    for end in range(FEWEST_LETTERS, len(word) + 1):
        for start in range(end - FEWEST_LETTERS + 1):
            before, part = best[start], word[start:end]
            if before is not None and part in VOCABULARY:
                shorter = best[end]
                if shorter is None or len(before) + 1 < len(shorter):
                    best[end] = (*before, part)
    return best[-1] or (word,)


WHOLE = word_set(
    "postcode username filename surname birthday cellphone homepage refno personal vorname nachname"
)
"""Words that are not divided."""
