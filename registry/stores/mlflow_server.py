"""Store on an MLflow server: one registered model per name, one model version per version, its files on an MLflow run.

MLflow assigns the number. A version exists once its tag with the digest of its manifest is set, which is the last step. A
model version of a killed publisher has no such tag and is ignored.
"""

import hashlib
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.foundation.credentials.redaction import HIDDEN, redact, replace_value
from paracosm.foundation.errors import RegistryError
from paracosm.foundation.extras import require_extra
from paracosm.foundation.temporary import temporary_folder
from paracosm.registry.stores.bounded import Bounded
from paracosm.registry.stores.capped_download import CHUNK_BYTES, read_capped, save_capped
from paracosm.registry.stores.mlflow_answers import check_answers, explanation
from paracosm.registry.stores.mlflow_run import EXTRA, FOLDER, description, experiment_id, log_metrics
from paracosm.registry.stores.store import Address, StoreFactory, StoreUrl
from paracosm.registry.versions.manifest import (
    LARGEST_MANIFEST,
    LARGEST_TEXT,
    MANIFEST,
    NAME,
    SIGNATURE,
    Version,
)
from paracosm.registry.versions.release import Release

if TYPE_CHECKING:
    from mlflow import MlflowClient
    from mlflow.entities.model_registry import ModelVersion

USER, PASSWORD = "MLFLOW_TRACKING_USERNAME", "MLFLOW_TRACKING_PASSWORD"
MARK = "paracosm.manifest"
"""Tag of a model version with the SHA-256 of its manifest; on a registered model it states that Paracosm created it."""
QUIET = {
    # By default the client reports its use to its makers, and retries for minutes when no server answers.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "1",
    "MLFLOW_HTTP_REQUEST_TIMEOUT": "60",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}
_ANSWERED: set["TrackingServer"] = set()
"""Servers that have answered this process."""


@dataclass(frozen=True)
class TrackingServer:
    """The model registry of the MLflow server at `url`.

    User and password come from the registry URL, or else from MLflow's own environment variables.
    """

    url: str
    """Address of the server, without user and password."""
    user: str | None = None
    password: str | None = field(default=None, repr=False)

    @property
    def location(self) -> str:
        return self.url.replace("https://", "mlflow+https://").replace("http://", "mlflow://")

    def reference(self, name: str) -> str:
        return f"{self.location}/{name}"

    def add(self, release: Release) -> Version:
        name = release.about.name
        with temporary_folder() as folder, self._client(name) as client:
            version = release.lay_out(folder)
            self._prepare(client, name)
            run = client.create_run(experiment_id(client), run_name=name)
            try:
                version = self._publish(client, release, version, run)
            except BaseException:  # also Ctrl-C; the server would list the run as running for ever
                client.set_terminated(run.info.run_id, "FAILED")
                raise
            client.set_terminated(run.info.run_id)
        return replace(version, where=f"{self.reference(name)}@v{version.number}")

    def _publish(self, client: "MlflowClient", release: Release, version: Version, run: Any) -> Version:
        name, run_id = version.name, run.info.run_id
        expected = max((int(row.version) for row in self._rows(client, name)), default=0) + 1
        version = release.seal(version, expected)
        log_metrics(client, run_id, version.folder)
        client.log_artifacts(run_id, str(version.folder), FOLDER)
        model_version = client.create_model_version(
            name,
            source=f"{run.info.artifact_uri}/{FOLDER}",
            run_id=run_id,
            description=description(version.folder),
            await_creation_for=0,
        )
        if int(model_version.version) != expected:
            # Another publisher took the expected number, which the manifest states.
            version = release.seal(version, int(model_version.version))
            for file in (MANIFEST, *([SIGNATURE] if release.key else [])):
                client.log_artifact(run_id, str(version.folder / file), FOLDER)
        tags = {"verdict": version.verdict, "profile": version.profile, "base_model": version.base_model}
        tags |= {"published": version.published} | (asdict(version.override) if version.override else {})
        for key, value in tags.items():
            client.set_model_version_tag(name, model_version.version, f"paracosm.{key}", value)
        digest = hashlib.sha256((version.folder / MANIFEST).read_bytes()).hexdigest()
        client.set_model_version_tag(name, model_version.version, MARK, digest)
        return version

    def _prepare(self, client: "MlflowClient", name: str) -> None:
        exceptions = require_extra("mlflow.exceptions", *EXTRA)
        try:
            client.create_registered_model(name, tags={MARK: "yes"})
        except exceptions.MlflowException as error:
            if error.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            if MARK not in client.get_registered_model(name).tags:
                raise RegistryError(
                    f"{self.reference(name)}: exists already, and was not created by Paracosm; publish under another name"
                ) from error

    def names(self) -> list[str]:
        with self._client(None) as client:
            models = _all_pages(
                lambda page: client.search_registered_models(page_token=page, max_results=200)
            )
        return sorted(
            model.name
            for model in models
            if MARK in model.tags and NAME.fullmatch(model.name) and model.latest_versions
        )

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        with self._client(name) as client:
            numbers = sorted(int(row.version) for row in self._rows(client, name) if MARK in row.tags)
            aliases = client.get_registered_model(name).aliases if numbers else {}
        return {
            number: tuple(sorted(alias for alias, target in aliases.items() if str(target) == str(number)))
            for number in numbers
        }

    def version(self, name: str, number: int) -> Version:
        where = f"{self.reference(name)}@v{number}"
        with self._client(name) as client:
            row = client.get_model_version(name, str(number))
            with self._download(row.run_id, MANIFEST) as body:
                text = read_capped(body, largest=LARGEST_MANIFEST, where=f"{where}/{MANIFEST}")
        if hashlib.sha256(text.encode()).hexdigest() != row.tags.get(MARK):
            raise RegistryError(f"{where}: its manifest is not the one that was published")
        return Version.read(text, Path(), where=f"{where}/{MANIFEST}").expected(name, number, where=where)

    def fetch(self, version: Version, into: Path) -> None:
        limits = version.download_limits()
        with self._client(version.name) as client:
            run_id = _run_of(client, version)
            if any(Path(file.path).name == SIGNATURE for file in client.list_artifacts(run_id, FOLDER)):
                limits[SIGNATURE] = LARGEST_TEXT
            for name, largest in limits.items():
                where = f"{self.reference(version.name)}/{name}"
                with self._download(run_id, name) as body:
                    save_capped(body, into / name, largest=largest, where=where)

    def promote(self, version: Version, alias: str) -> None:
        with self._client(version.name) as client:
            client.set_registered_model_alias(version.name, alias, str(version.number))

    def remove(self, version: Version) -> None:
        """Delete the model version and its run; the command `mlflow gc` on the server then deletes the files."""
        with self._client(version.name) as client:
            run_id = _run_of(client, version)
            client.delete_model_version(version.name, str(version.number))
            client.delete_run(run_id)

    def _rows(self, client: "MlflowClient", name: str) -> "list[ModelVersion]":
        return _all_pages(
            lambda page: client.search_model_versions(f"name='{name}'", max_results=200, page_token=page)
        )

    @contextmanager
    def _download(self, run_id: str | None, file: str) -> Iterator[Iterator[bytes]]:
        credentials = require_extra("mlflow.utils.credentials", *EXTRA)
        requests = require_extra("mlflow.utils.rest_utils", *EXTRA)
        response = requests.http_request(
            credentials.get_default_host_creds(self.url),
            "/get-artifact",
            "GET",
            params={"run_uuid": run_id, "path": f"{FOLDER}/{file}"},
            extra_headers={"Accept-Encoding": "identity"},
            stream=True,
        )
        with response:
            if response.status_code >= 400:
                raise RegistryError(f"{self.location}: the server answered {response.status_code} for {file}")
            yield response.iter_content(CHUNK_BYTES)

    @contextmanager
    def _client(self, name: str | None) -> Iterator["MlflowClient"]:
        """Yield a client, and raise its errors as a RegistryError of one line."""
        for key, value in QUIET.items():
            os.environ.setdefault(key, value)
        mlflow = require_extra("mlflow", *EXTRA)
        exceptions = require_extra("mlflow.exceptions", *EXTRA)
        where = self.location if name is None else self.reference(name)
        from requests import RequestException

        try:
            with self._login():
                if self not in _ANSWERED:
                    check_answers(self.url, where)
                    _ANSWERED.add(self)
                yield mlflow.MlflowClient(self.url, self.url)
        except (exceptions.MlflowException, RequestException) as error:
            # Redacted before it is shortened, because a URL that lost its end is not recognised.
            text = redact(" ".join(str(error).split()))
            if self.password:
                text = replace_value(text, self.password, HIDDEN)
            raise RegistryError(f"{where}: {explanation(error, text)}") from error

    @contextmanager
    def _login(self) -> Iterator[None]:
        """Give MLflow the user and password of the URL, in the environment variables where it looks for them."""
        if self.user is None and self.password is None:
            yield
            return
        before = {name: os.environ.get(name) for name in (USER, PASSWORD)}
        os.environ |= {USER: self.user or "", PASSWORD: self.password or ""}
        try:
            yield
        finally:
            for name, value in before.items():
                if value is None:
                    del os.environ[name]
                else:
                    os.environ[name] = value


def _run_of(client: "MlflowClient", version: Version) -> str:
    """Return the id of the MLflow run that holds the files of a version.

    Raises:
        RegistryError: the model version has no run.
    """
    run_id = client.get_model_version(version.name, str(version.number)).run_id
    if run_id is None:
        raise RegistryError(f"{version.reference}: its model version has no MLflow run, so it has no files")
    return run_id


def _all_pages(search: Any) -> list[Any]:
    """Return the results of a paged search; `search` takes the token of a page, None for the first."""
    results, token = [], None
    while True:
        page = search(token)
        results += page
        token = page.token
        if not token:
            return results


def _open(url: str) -> Address:
    parts = StoreUrl.parse(url)
    protocol = parts.scheme.partition("+")[2] or "http"
    server = TrackingServer(f"{protocol}://{parts.host}", parts.user, parts.password)
    return Address(Bounded(server), parts.name, parts.version)


FACTORY = StoreFactory(
    schemes=("mlflow", "mlflow+http", "mlflow+https"),
    form="mlflow://HOST:PORT/NAME or mlflow+https://HOST/NAME",
    open=_open,
)
