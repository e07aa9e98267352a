"""User and password in the URL of a registry: used, and never shown."""

import os

import pytest

from paracosm.foundation.errors import RegistryError
from paracosm.registry.stores.addresses import address
from paracosm.registry.stores.bounded import Bounded
from paracosm.registry.stores.mlflow_server import PASSWORD, USER, TrackingServer
from paracosm.registry.stores.store import StoreUrl
from paracosm.registry.verbs import list_versions


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("toy://host", ("host", None, None, None, None)),
        ("toy://host/", ("host", None, None, None, None)),
        ("toy://host:80/patients@v3", ("host:80", "patients", "v3", None, None)),
        ("toy://host/patients/", ("host", "patients", None, None, None)),
        ("toy://host@v3", ("host", None, "v3", None, None)),
        ("toy://bob:S3cr3t@host:80/patients@v3", ("host:80", "patients", "v3", "bob", "S3cr3t")),
        ("toy://bob:S3cr3t@host", ("host", None, None, "bob", "S3cr3t")),
        ("toy://bob%40corp:S3%2Fcr3t@host/patients", ("host", "patients", None, "bob@corp", "S3/cr3t")),
        ("toy://:S3cr3t@host/patients", ("host", "patients", None, None, "S3cr3t")),
    ],
)
def test_a_store_url_is_divided(url: str, parts: tuple[str | None, ...]) -> None:
    found = StoreUrl.parse(url)
    assert (found.host, found.name, found.version, found.user, found.password) == parts
    assert "S3cr3t" not in repr(found)


@pytest.mark.parametrize(
    "url",
    [
        "hf://bob:S3cr3t@acme/patients",
        "hf://S3cr3t@acme/patients",
        "s3://bob:S3cr3t@bucket/patients",
        "mlfow://bob:S3cr3t@host/patients",
        "postgresql://host/db?password=S3cr3t",
        "mlflow://bob:S3cr3t@/patients",
        "mlflow://bob:S3cr3t@host/Not A Name",
        "mlflow://bob:x/S3cr3t@host/patients",
        "mlflow://bob:${ABSENT}S3cr3t@host/patients",
    ],
)
def test_an_error_about_a_store_url_hides_the_password(url: str) -> None:
    for call in (lambda: address(None, url=url), lambda: address(url), lambda: address(url, url=url)):
        with pytest.raises(RegistryError) as error:
            call()
        assert "S3cr3t" not in str(error.value)
        assert "\n" not in str(error.value)


def test_a_server_that_cannot_be_reached_is_named_without_the_password(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    pytest.importorskip("mlflow")
    monkeypatch.setenv("TRACKING_PASSWORD", "S3/cr3t")
    for url in (
        "mlflow://bob:S3%2Fcr3t@127.0.0.1:9/patients",
        "mlflow://bob:${TRACKING_PASSWORD}@127.0.0.1:9/patients",
    ):
        with pytest.raises(RegistryError, match=r"^mlflow://127\.0\.0\.1:9/patients: ") as error:
            list_versions(name=url)
        assert "cr3t" not in str(error.value)
    assert os.environ.get(PASSWORD) is None


def test_mlflow_gets_user_and_password_while_it_is_used(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRACKING_PASSWORD", "S3/cr3t")
    monkeypatch.setenv(USER, "alice")
    store = address("mlflow+https://bob:${TRACKING_PASSWORD}@tracking/patients@v3").store
    assert isinstance(store, Bounded)
    server = store.store
    assert isinstance(server, TrackingServer)
    assert store.location == "mlflow+https://tracking"
    assert store.reference("patients") == "mlflow+https://tracking/patients"
    assert "cr3t" not in repr(store)
    with server._login():
        assert (os.environ[USER], os.environ[PASSWORD]) == ("bob", "S3/cr3t")
    assert (os.environ[USER], os.environ.get(PASSWORD)) == ("alice", None)


def test_a_missing_variable_of_a_store_url_is_one_line() -> None:
    with pytest.raises(
        RegistryError, match=r"^the registry URL: needs the environment variable ABSENT, which is not set$"
    ):
        address(None, url="mlflow://bob:${ABSENT}@host/patients")
