"""Decisions by the name of a column: keys of persons, other keys, dates, and words that only look like keys."""

import pytest

from paracosm.records.inference.column_names import (
    may_name_a_key,
    names_a_code,
    names_a_date,
    names_a_key,
    names_a_person,
    names_a_subject,
    names_personal_cells,
)
from paracosm.records.inference.column_words import words

PERSONS = [
    "patient",
    "Patient",
    "patient_no",
    "PatNr",
    "pat_id",
    "customer",
    "client",
    "account",
    "account_no",
    "accountNumber",
    "policy",
    "Policy #",
    "case_no",
    "participant",
    "subject",
    "USUBJID",
    "SUBJID",
    "PATIENTID",
    "patientid",
    "PatientIDs",
    "Patient ID",
    "patient identifier",
    "unique patient id",
    "member",
    "member.id",
    "employee",
    "EmployeeNumber",
    "user",
    "userId",
    "user-id",
    "USER_ID",
    "nhs_number",
    "nhsNumber",
    "NHS-Nr",
    "host",
    "player",
    "msisdn",
    "iban",
    "konto",
    "Konto-Nr.",
    "customerId",
    "customerID",
    "customerid",
    "CUSTOMERID",
    "CUST_ID",
    "custno",
    "customer_no",
    "customer_id_2",
    "kundennummer",
    "Kundennummer",
    "KundenNr",
    "Kunden-ID",
    "ID Kunde",
    "Patientennummer",
    "Patientennr",
    "Mitgliedsnummer",
    "Versichertennummer",
    "Vertragsnummer",
    "Fallnummer",
    "Fall-ID",
    "Matrikelnummer",
    "Personalnummer",
    "Schülernummer",
    "Teilnehmer-ID",
    "dossier_no",
    "No de dossier",
    "N° client",
    "numero_client",
    "numéro adhérent",
    "identifiant patient",
    "code_client",
    "id_paciente",
    "numero de paciente",
    "Número de cliente",
    "codigo_cliente",
    "ID_PACIENTE",
    "id_utente",
    "codice_paziente",
    "klantnummer",
    "client_ref",
    "loan number",
    "loan_id",
    "claim no",
    "Claim Number",
    "mrn",
    "MRN",
    "medical_record_number",
    "household_id",
    "student_id",
    "StudentNo",
    "respondent",
    "donor_key",
    "borrower id",
    "driver_license_no",
    "pt_id",
    "Medical Record No",
]
OTHERS = [
    "paid",
    "amount_paid",
    "price_paid",
    "prepaid",
    "unpaid",
    "uric_acid",
    "acid",
    "amino_acid_change",
    "covid",
    "COVID",
    "covid19",
    "bid",
    "bid_amount",
    "valid",
    "is_valid",
    "grid",
    "android",
    "void",
    "avoid",
    "humid",
    "solid",
    "liquid",
    "fluid",
    "lipid",
    "hybrid",
    "thyroid",
    "opioid",
    "rapid",
    "kidney",
    "madrid",
    "casino",
    "piano",
    "domino",
    "hockey",
    "patient_age",
    "PatientAge",
    "customer_city",
    "customerCity",
    "member_since",
    "policy_type",
    "account_balance",
    "user_rating",
    "clientes_total",
    "number_of_customers",
    "customers",
    "employees",
    "num_children",
    "nr.employed",
    "no_smoking",
    "key_size",
    "loan",
    "loan_amount",
    "case_count",
    "cases",
    "claims",
    "claim_amount",
    "accounts",
    "order_total",
    "order_date",
    "product_name",
    "credit_amount",
    "Betrag",
    "Kontostand",
    "Kundengruppe",
    "Patientenalter",
    "nombre_enfants",
    "monto_pagado",
    "Number of dependents",
    "order status",
    "paidUp",
    "age",
    "sex",
    "zip",
]


@pytest.mark.parametrize("name", PERSONS)
def test_a_number_of_a_person_is_one(name: str) -> None:
    assert names_a_person(name)
    assert names_a_key(name)
    assert may_name_a_key(name)


@pytest.mark.parametrize("name", OTHERS)
def test_a_name_that_only_looks_like_a_key_is_none(name: str) -> None:
    assert not names_a_person(name)
    assert not names_a_key(name)


def test_the_lists_are_long_enough() -> None:
    assert len({*PERSONS, *OTHERS}) >= 160


@pytest.mark.parametrize(
    "name",
    ["order_id", "OrderID", "orderid", "invoice no", "Rechnungsnummer", "id", "uuid", "SKU_ID", "id_pedido"],
)
def test_keys_of_things_are_keys_and_no_persons(name: str) -> None:
    assert names_a_key(name)
    assert not names_a_person(name)


@pytest.mark.parametrize("name", ["house_number", "index", "column 1", "Unnamed: 0", "zip code", "lfd. Nr."])
def test_numbers_may_be_keys_where_all_cells_differ(name: str) -> None:
    assert may_name_a_key(name)
    assert not names_a_key(name)


def test_subjects_are_no_staff_and_no_visits() -> None:
    assert all(
        map(
            names_a_subject, ["patient", "customer_no", "mrn", "Kundennummer", "USUBJID", "medical_record_no"]
        )
    )
    assert not any(
        map(
            names_a_subject,
            ["doctor_id", "employee", "visit_id", "encounter_no", "order_id", "policy", "patient_age"],
        )
    )


@pytest.mark.parametrize(
    "name", ["icd", "ICD10", "icd_code", "zip", "PLZ", "product_code", "sku", "nace", "diagnosis", "DRG"]
)
def test_codes_of_things_are_codes(name: str) -> None:
    assert names_a_code(name)


@pytest.mark.parametrize(
    "name",
    ["date", "order_date", "orderDate", "birthdate", "Geburtsdatum", "DOB", "fecha", "updated_dt", "day"],
)
def test_dates_are_dates(name: str) -> None:
    assert names_a_date(name)


@pytest.mark.parametrize(
    "name",
    [
        "name",
        "Name",
        "first_name",
        "FirstName",
        "firstname",
        "surname",
        "Nachname",
        "Vorname",
        "Familienname",
        "patient_name",
        "PatientName",
        "Kundenname",
        "nom",
        "prenom",
        "apellidos",
        "cognome",
        "email",
        "E-Mail",
        "customerEmail",
        "phone",
        "phone_number",
        "phoneNumber",
        "Telefonnummer",
        "Handy",
        "mobile",
        "address",
        "street",
        "Straße",
        "Strasse",
        "Anschrift",
        "adresse",
        "direccion",
        "IBAN",
        "ssn",
        "passport_no",
        "ip",
        "url",
        "file_name",
        "filename",
        "username",
        "credit_card_number",
        "card_no",
    ],
)
def test_columns_of_personal_cells_are_recognized(name: str) -> None:
    assert names_personal_cells(name)


@pytest.mark.parametrize(
    "name",
    [
        "product_name",
        "company name",
        "Produktname",
        "drug_name",
        "brand",
        "city",
        "status",
        "phase",
        "title",
        "hotel_name",
        "score",
    ],
)
def test_names_of_things_are_no_personal_cells(name: str) -> None:
    assert not names_personal_cells(name)


@pytest.mark.parametrize(
    ("name", "parts"),
    [
        ("customerId", ("customer", "id")),
        ("USUBJID", ("usubjid",)),
        ("HTTPServerName", ("http", "server", "name")),
        ("Patientennummer", ("patienten", "nummer")),
        ("Straße", ("strasse",)),
        ("address2", ("address", "2")),
        ("paid", ("paid",)),
        ("№", ("no",)),
    ],
)
def test_a_name_is_divided_into_words(name: str, parts: tuple[str, ...]) -> None:
    assert words(name) == parts


@pytest.mark.parametrize(
    "name", ["B" * 1_000_000, "patient" * 100_000, "idnr" * 50_000], ids=lambda name: name[:7]
)
def test_a_long_word_is_not_divided(name: str) -> None:
    assert words(name) == (name.lower(),)
