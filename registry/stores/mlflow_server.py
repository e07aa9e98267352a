"""A registry on an MLflow server: a registered model per name, a model version per version, its files on a run.

MLflow gives the number. A version counts from the moment that its tag with the digest of its manifest is set, which comes
last: what a killed publisher left has no such tag and is not seen here.
"""

import hashlib
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from paracosm.eval.results.evaluation_file import read_evaluation
from paracosm.foundation.errors import RegistryError
from paracosm.foundation.extras import needed
from paracosm.registry.stores.capped_download import read_capped, save_capped
from paracosm.registry.versions.checks import FRONT_MATTER
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

EXPERIMENT = "paracosm"
FOLDER = "version"
MARK = "paracosm.manifest"
"""Tag of a model version with the SHA-256 of its manifest; of a registered model, that it is one of ours."""
LONGEST_DESCRIPTION = 5000
"""What MLflow's own tables hold."""
CHUNK = 2**20
QUIET = {
    # The client would otherwise tell its makers how it is used, and try for minutes where nobody answers.
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "DO_NOT_TRACK": "true",
    "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "2",
    "MLFLOW_ENABLE_ARTIFACTS_PROGRESS_BAR": "false",
    "MLFLOW_SUPPRESS_PRINTING_URL_TO_STDOUT": "true",
}


@dataclass(frozen=True)
class TrackingServer:
    """The model registry of the MLflow server at `url`; a user or token comes from MLflow's own environment variables."""

    url: str

    @property
    def place(self) -> str:
        return self.url.replace("https://", "mlflow+https://").replace("http://", "mlflow://")

    def reference(self, name: str) -> str:
        return f"{self.place}/{name}"

    def add(self, release: Release) -> Version:
        name = release.about.name
        with tempfile.TemporaryDirectory(prefix="paracosm-") as place, self._explained(name) as client:
            folder = Path(place)
            version = release.lay_out(folder)
            self._prepare(client, name)
            run = client.create_run(_experiment(client), run_name=name)
            try:
                version = self._publish(client, release, version, run)
            except BaseException:
                client.set_terminated(run.info.run_id, "FAILED")
                raise
            client.set_terminated(run.info.run_id)
        return replace(version, where=f"{self.reference(name)}@v{version.number}")

    def _publish(self, client: "MlflowClient", release: Release, version: Version, run: Any) -> Version:
        name, run_id = version.name, run.info.run_id
        expected = max((int(each.version) for each in self._rows(client, name)), default=0) + 1
        version = release.seal(version, expected)
        _log_figures(client, run_id, version.folder)
        client.log_artifacts(run_id, str(version.folder), FOLDER)
        made = client.create_model_version(
            name,
            source=f"{run.info.artifact_uri}/{FOLDER}",
            run_id=run_id,
            description=_description(version.folder),
            await_creation_for=0,
        )
        if int(made.version) != expected:
            version = release.seal(version, int(made.version))
            for file in (MANIFEST, *([SIGNATURE] if release.key else [])):
                client.log_artifact(run_id, str(version.folder / file), FOLDER)
        told = {"verdict": version.verdict, "profile": version.profile, "base_model": version.base_model}
        told |= {"published": version.published} | (version.override or {})
        for key, value in told.items():
            client.set_model_version_tag(name, made.version, f"paracosm.{key}", value)
        digest = hashlib.sha256((version.folder / MANIFEST).read_bytes()).hexdigest()
        client.set_model_version_tag(name, made.version, MARK, digest)
        return version

    def _prepare(self, client: "MlflowClient", name: str) -> None:
        exceptions = needed("mlflow.exceptions", extra="mlflow", purpose="an MLflow registry")
        try:
            client.create_registered_model(name, tags={MARK: "yes"})
        except exceptions.MlflowException as fault:
            if fault.error_code != "RESOURCE_ALREADY_EXISTS":
                raise
            if MARK not in client.get_registered_model(name).tags:
                raise RegistryError(
                    f"{self.reference(name)}: is a model of that name that Paracosm did not make"
                ) from fault

    def names(self) -> list[str]:
        with self._explained(None) as client:
            found = _all(lambda page: client.search_registered_models(page_token=page, max_results=200))
        return sorted(
            each.name
            for each in found
            if MARK in each.tags and NAME.fullmatch(each.name) and each.latest_versions
        )

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        with self._explained(name) as client:
            numbers = sorted(int(row.version) for row in self._rows(client, name) if MARK in row.tags)
            aliases = client.get_registered_model(name).aliases if numbers else {}
        return {
            number: tuple(sorted(alias for alias, its in aliases.items() if str(its) == str(number)))
            for number in numbers
        }

    def version(self, name: str, number: int) -> Version:
        where = f"{self.reference(name)}@v{number}"
        with self._explained(name) as client:
            row = client.get_model_version(name, str(number))
            with self._download(row.run_id, MANIFEST) as body:
                text = read_capped(body, largest=LARGEST_MANIFEST, where=f"{where}/{MANIFEST}")
        if hashlib.sha256(text.encode()).hexdigest() != row.tags.get(MARK):
            raise RegistryError(f"{where}: its manifest is not the one that was published")
        version = Version.read(text, Path(), where=f"{where}/{MANIFEST}")
        if (version.name, version.number) != (name, number):
            raise RegistryError(f"{where}: its manifest says {version.reference}")
        return replace(version, where=where)

    def fetch(self, version: Version, into: Path) -> None:
        sizes = {name: entry["bytes"] for name, entry in version.files.items()} | {MANIFEST: LARGEST_MANIFEST}
        with self._explained(version.name) as client:
            run_id = _run_of(client, version)
            if any(Path(each.path).name == SIGNATURE for each in client.list_artifacts(run_id, FOLDER)):
                sizes[SIGNATURE] = LARGEST_TEXT
            for name, largest in sizes.items():
                where = f"{self.reference(version.name)}/{name}"
                with self._download(run_id, name) as body:
                    save_capped(body, into / name, largest=largest, where=where)

    def promote(self, version: Version, alias: str) -> None:
        with self._explained(version.name) as client:
            client.set_registered_model_alias(version.name, alias, str(version.number))

    def remove(self, version: Version) -> None:
        """Delete the model version and its run; the server's own `mlflow gc` then frees the files."""
        with self._explained(version.name) as client:
            run_id = _run_of(client, version)
            client.delete_model_version(version.name, str(version.number))
            client.delete_run(run_id)

    def _rows(self, client: "MlflowClient", name: str) -> "list[ModelVersion]":
        return _all(
            lambda page: client.search_model_versions(f"name='{name}'", max_results=200, page_token=page)
        )

    @contextmanager
    def _download(self, run_id: str | None, file: str) -> Iterator[Iterator[bytes]]:
        credentials = needed("mlflow.utils.credentials", extra="mlflow", purpose="an MLflow registry")
        requests = needed("mlflow.utils.rest_utils", extra="mlflow", purpose="an MLflow registry")
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
                raise RegistryError(f"{self.place}: the server answered {response.status_code} for {file}")
            yield response.iter_content(CHUNK)

    @contextmanager
    def _explained(self, name: str | None) -> Iterator["MlflowClient"]:
        """Yield a client, and turn what it raises into one line."""
        for key, value in QUIET.items():
            os.environ.setdefault(key, value)
        mlflow = needed("mlflow", extra="mlflow", purpose="an MLflow registry")
        exceptions = needed("mlflow.exceptions", extra="mlflow", purpose="an MLflow registry")
        where = self.place if name is None else self.reference(name)
        from requests import RequestException

        try:
            yield mlflow.MlflowClient(self.url, self.url)
        except (exceptions.MlflowException, RequestException) as fault:
            words = " ".join(str(fault).split())
            raise RegistryError(f"{where}: {''.join(filter(str.isprintable, words))[:300]}") from fault


def _run_of(client: "MlflowClient", version: Version) -> str:
    """Return the id of the run that holds a version's files.

    Raises:
        RegistryError: the server names none.
    """
    run_id = client.get_model_version(version.name, str(version.number)).run_id
    if run_id is None:
        raise RegistryError(f"{version.reference}: belongs to no run, so it has no files")
    return run_id


def _all(search: Any) -> list[Any]:
    found, page = [], None
    while True:
        part = search(page)
        found += part
        page = part.token
        if not page:
            return found


def _experiment(client: "MlflowClient") -> str:
    exceptions = needed("mlflow.exceptions", extra="mlflow", purpose="an MLflow registry")
    if (found := client.get_experiment_by_name(EXPERIMENT)) is not None:
        return found.experiment_id
    try:
        return client.create_experiment(EXPERIMENT)
    except exceptions.MlflowException as fault:
        # Another publisher may have made it in between.
        found = client.get_experiment_by_name(EXPERIMENT)
        if fault.error_code != "RESOURCE_ALREADY_EXISTS" or found is None:
            raise
        return found.experiment_id


def _log_figures(client: "MlflowClient", run_id: str, folder: Path) -> None:
    """Log every metric with its interval and anchors, and the settings, where MLflow's own pages compare them."""
    import json
    import time

    entities = needed("mlflow.entities", extra="mlflow", purpose="an MLflow registry")
    evaluation = read_evaluation(folder / "metrics.json", RegistryError)
    settings = json.loads((folder / "provenance.json").read_text(encoding="utf-8"))["recipe"]["settings"]
    figures: dict[str, float] = {}
    for name, metric in evaluation.measured.items():
        figures[name] = metric.value
        figures[f"{name}.low"], figures[f"{name}.high"] = metric.interval
        figures |= {f"{name}.{anchor}": entry.value for anchor, entry in metric.anchors.items()}
    now = int(time.time() * 1000)
    rows = [entities.Metric(name, value, now, 0) for name, value in figures.items()]
    values = {f"{section}.{key}": value for section, its in settings.items() for key, value in its.items()}
    params = [entities.Param(key, str(value)[:500]) for key, value in values.items()]
    client.log_batch(run_id, metrics=rows, params=params[:100])


def _description(folder: Path) -> str:
    card = FRONT_MATTER.sub("", (folder / "README.md").read_text(encoding="utf-8"), count=1).strip()
    if len(card) <= LONGEST_DESCRIPTION:
        return card
    ending = f"\n\n(The whole card is the artefact {FOLDER}/README.md of the version's run.)"
    return card[: LONGEST_DESCRIPTION - len(ending)].rsplit("\n", 1)[0] + ending
