"""Passwords in URLs: hidden wherever they stand in the URL, and read from the environment."""

import re

import pytest
from hypothesis import given
from hypothesis import strategies as some

from paracosm.foundation.credentials.redaction import redact, redact_url, secrets_of, without_credentials
from paracosm.foundation.credentials.references import resolve
from paracosm.foundation.errors import DataError

SECRETS = [
    "postgresql://bob:S3cr3t@db.internal/ward",
    "postgresql+psycopg://bob:S3cr3t@db.internal:5432/ward?sslmode=require",
    "postgresql://:S3cr3t@db/ward",
    "postgresql://bob:S3cr3t@[::1]:5432/ward",
    "postgresql://bob:S3cr3t@one:5432,two:5433/ward",
    "postgresql://bob:S3cr3t/x@db/ward",
    "postgresql://bob:x/S3cr3t@db/ward",
    "postgresql://bob:12/S3cr3t@db/ward",
    "postgresql://bob:x@S3cr3t@db/ward",
    "postgresql://bob:x@y/S3cr3t@db/ward",
    "postgresql://bob:x?S3cr3t@db/ward",
    "postgresql://bob:x#S3cr3t@db/ward",
    "postgresql://bob:x:S3cr3t@db/ward",
    "postgresql://bob:%53%33cr3t@db/ward?password=S3cr3t",
    "postgresql://bob%40corp:S3cr3t@db/ward",
    "postgresql://bob@corp:S3cr3t@db/ward",
    "postgresql://127.0.0.1:9/db?user=bob&password=S3cr3t",
    "postgresql://127.0.0.1:9/db?password=S3cr3t&user=bob",
    "postgresql://db/ward?PASSWORD=S3cr3t",
    "postgresql://db/ward?pass%77ord=S3cr3t",
    "postgresql://db/ward?sslpassword=S3cr3t",
    "postgresql://db/ward?sslmode=x&sslpassword=S3cr3t&sslkey=/k",
    "postgresql://db/ward?password=a&S3cr3t",
    "postgresql://db/ward?password=a#S3cr3t",
    "postgresql://db/ward?options=-c%20ldap.password%3DS3cr3t",
    "postgresql:///?dsn=host%3Ddb%20password%3DS3cr3t",
    "postgresql://db/ward?passwd=S3cr3t",
    "mysql+pymysql://bob:S3cr3t@db/ward?charset=utf8mb4",
    "mysql://db/ward?ssl_key_password=S3cr3t",
    "mssql+pyodbc://sa:S3cr3t@db/ward?driver=ODBC+Driver+18",
    "mssql+pyodbc:///?odbc_connect=DRIVER%3D%7BODBC%7D%3BUID%3Dsa%3BPWD%3DS3cr3t",
    "mssql+pyodbc:///?odbc_connect=DRIVER%253D%257BODBC%257D%253BPWD%253DS3cr3t",
    "jdbc:sqlserver://db:1433;user=sa;password=S3cr3t",
    "jdbc:oracle:thin:scott/S3cr3t@db:1521/xe",
    "oracle://scott:S3cr3t@db:1521/?service_name=xe",
    "snowflake://bob:S3cr3t@account/ward?warehouse=w&role=r",
    "bigquery://project?credentials_base64=S3cr3t",
    "sqlite+pysqlcipher://:S3cr3t@/x.db?cipher=aes-256-cfb",
    "http://bob:S3cr3t@tracking:5000",
    "https://S3cr3t@example.org/a.csv",
    "https://example.org/a.csv?X-Amz-Signature=S3cr3t",
    "https://example.org/a.csv?sv=2020&sig=S3cr3t",
    "https://example.org/a.csv#access_token=S3cr3t",
    "https://example.org/?url=postgresql%3A%2F%2Fbob%3AS3cr3t%40db%2Fward",
    "s3://AKIA:S3cr3t@bucket/key",
    "s3://bucket/key?aws_secret_access_key=S3cr3t",
    "az://account/container?account_key=S3cr3t",
    "mlflow://bob:S3cr3t@tracking:5000/patients@v3",
    "mlflow+https://bob:S3cr3t@tracking/patients",
    "mlflow://bob:S3cr3t@tracking:5000",
    "mlflow://S3cr3t@tracking/patients",
    "mlflow://bob:x/S3cr3t@tracking/patients",
    "hf://bob:S3cr3t@acme/patients",
    "hf://S3cr3t@acme/patients@v1",
    "toy://bob:S3cr3t@host/patients@v1",
    "POSTGRESQL://bob:S3cr3t@db/ward",
    "host=db user=bob password=S3cr3t",
    "host=db user=bob password = 'S3cr3t x'",
    "postgresql:/bob:S3cr3t@db/ward",
    "Server=db;Uid=sa;Pwd=S3cr3t;",
]
HARMLESS = [
    "postgresql://db.internal:5432/ward?sslmode=require&application_name=paracosm",
    "postgresql://clerk@db/ward",
    "postgresql://clerk:${DB_PASSWORD}@db/ward?sslmode=require",
    "postgresql://${USER}:${DB_PASSWORD}@${HOST}/ward",
    "postgresql://db/ward?user=bob&password=${DB_PASSWORD}",
    "${DATABASE_URL}",
    "sqlite:///folder/clinic.db",
    "sqlite:////folder/a:b@c.db",
    "sqlite:///:memory:",
    "hf://acme/patients@v3",
    "mlflow://tracking:5000/patients@stable",
    "mlflow+https://tracking/patients@v12",
    "file:store",
    "sample:heart-disease",
    "visits/*.csv",
    "folder/a@b.csv",
    "s3://bucket/key.csv",
]
PLAIN = some.text(some.characters(codec="utf-8", exclude_characters="*${}"), min_size=6, max_size=20)
QUOTED = PLAIN.filter(lambda text: text.strip() == text and not re.search(r"\s", text))


@pytest.mark.parametrize("url", SECRETS)
def test_a_secret_is_hidden_wherever_it_stands(url: str) -> None:
    hidden = redact_url(url)
    assert "S3cr3t" not in hidden
    assert "***" in hidden
    assert redact_url(hidden) == hidden
    for sentence in (
        f"cannot open {url}",
        f"error at '{url}': refused.",
        f"({url}), and {url}",
        f"x={url}\nmore",
    ):
        assert "S3cr3t" not in redact(sentence)
    assert "S3cr3t" not in str(DataError(f"{url}: cannot be opened"))


@pytest.mark.parametrize("url", HARMLESS)
def test_a_url_without_a_secret_stays(url: str) -> None:
    assert redact_url(url) == url
    assert redact(f"{url}: cannot be opened") == f"{url}: cannot be opened"


@given(PLAIN)
def test_any_password_before_the_host_is_hidden(password: str) -> None:
    url = f"postgresql://bob:q{password}@db/ward"
    assert redact_url(url) == "postgresql://***@db/ward"
    assert f"q{password}" not in redact(f"cannot open {url}", url)


@given(QUOTED)
def test_any_encoded_password_is_hidden_in_every_form(password: str) -> None:
    from urllib.parse import quote

    encoded = quote(password, safe="")
    for url in (f"mysql://bob:{encoded}@db/ward", f"mysql://db/ward?user=bob&password={encoded}"):
        assert {password, encoded} <= secrets_of(url)
        message = redact(f"login with {password!r} ({password}, {encoded}) failed at {url}", url)
        assert f"({password}, " not in message
        assert f" {encoded})" not in message


@given(some.text(max_size=200))
def test_a_text_without_urls_and_settings_stays(text: str) -> None:
    if "://" not in text and "=" not in text and "jdbc" not in text.lower() and ":" not in text:
        assert redact(text) == text


def test_a_long_text_takes_no_long_time() -> None:
    import time

    began = time.monotonic()
    for text in (
        "a" * 10**6,
        "://" * 10**5,
        "password" * 10**5,
        "a://b:c " * 10**4,
        "?a=" * 10**5,
        "=" * 10**5,
    ):
        redact(text)
    assert time.monotonic() - began < 10


def test_a_short_password_is_hidden_as_a_word_only() -> None:
    assert redact("a base: login a failed", "mysql://bob:a@db") == "*** base: login *** failed"


def test_an_address_on_a_card_has_no_user() -> None:
    assert without_credentials("https://bob:S3cr3t@hub.internal/x") == "https://hub.internal/x"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("postgresql://bob:${PW}@db/ward", "postgresql://bob:p%40%2F%25%20x@db/ward"),
        ("postgresql://db/ward?password=${PW}", "postgresql://db/ward?password=p%40%2F%25%20x"),
        ("postgresql://bob:${PW}@${HOST}/ward", "postgresql://bob:p%40%2F%25%20x@db:5432/ward"),
        ("${WHOLE}", "postgresql://bob:S3cr3t@db/ward"),
        ("${FOLDER}/x.csv", "/some/folder/x.csv"),
        ("x.csv", "x.csv"),
        ("price$.csv", "price$.csv"),
    ],
)
def test_a_reference_is_replaced_by_the_environment(
    text: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PW", "p@/% x")
    monkeypatch.setenv("HOST", "db:5432")
    monkeypatch.setenv("FOLDER", "/some/folder")
    monkeypatch.setenv("WHOLE", "postgresql://bob:S3cr3t@db/ward")
    resolved = resolve(text, "data.source", DataError)
    assert resolved.text == expected
    assert resolved.hide(f"{expected} {expected}: failed") == f"{text} {text}: failed"
    assert "S3cr3t" not in repr(resolved)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "postgresql://bob:${ABSENT}@db",
            "data.source: needs the environment variable ABSENT, which is not set",
        ),
        ("postgresql://bob:${EMPTY}@db", "data.source: needs the environment variable EMPTY, which is empty"),
        ("postgresql://bob:${DB-PASSWORD}@db", "data.source: ${DB-PASSWORD} is not a reference"),
        ("postgresql://bob:${}@db", "data.source: ${} is not a reference"),
        ("postgresql://bob:${1@db", "data.source: a part of the text that starts with ${ is not a reference"),
        ("postgresql://***@db/ward", "data.source: was stored without its password"),
        ("postgresql://db/ward?password=***", "data.source: was stored without its password"),
    ],
)
def test_a_reference_that_cannot_be_used_is_one_line(
    text: str, expected: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("EMPTY", "")
    with pytest.raises(DataError) as error:
        resolve(text, "data.source", DataError)
    assert str(error.value).startswith(expected)
    assert "\n" not in str(error.value)


def test_a_value_is_not_searched_for_references(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PW", "${HOME}")
    assert (
        resolve("postgresql://b:${PW}@db", "data.source", DataError).text == "postgresql://b:%24%7BHOME%7D@db"
    )
