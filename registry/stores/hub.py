"""Store on the Hugging Face Hub: one model repository per name, one commit and one tag (`v3`) per version.

A version exists once its tag exists. A publisher that is killed between commit and tag leaves a commit that no version
refers to. The synthetic records also go to a data set repository of the same name, where the Hub shows their card.
`huggingface_hub` finds the token itself; this module never handles it.
"""

import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal
from urllib.parse import quote

from paracosm.foundation.credentials.redaction import without_credentials
from paracosm.foundation.errors import RegistryError
from paracosm.foundation.temporary import temporary_folder
from paracosm.registry.stores.bounded import Bounded
from paracosm.registry.stores.capped_download import CHUNK_BYTES, read_capped, save_capped
from paracosm.registry.stores.hub_client import (
    COMMIT_PATIENCE,
    PATIENCE,
    TAG,
    errors_in_one_line,
    has_token,
    hub_api,
    waiting,
)
from paracosm.registry.stores.store import Address, StoreFactory, StoreUrl
from paracosm.registry.versions.manifest import (
    DATASET,
    LARGEST_MANIFEST,
    LARGEST_TEXT,
    MANIFEST,
    NAME,
    SIGNATURE,
    Version,
)
from paracosm.registry.versions.names import version_number
from paracosm.registry.versions.release import Release

Kind = Literal["model", "dataset"]
REMOVED = "removed-"
"""Prefix of the tag that keeps the number of a removed version taken."""
KEPT = (".gitattributes",)
"""Files of a repository that the Hub creates itself."""
CONFLICT, MOVED_ON = 409, 412
"""HTTP status when a tag exists already, and when the branch has a newer commit."""


@dataclass(frozen=True)
class Hub:
    """Store in the repositories of one user or organisation, on huggingface.co or the host in HF_ENDPOINT."""

    owner: str

    @property
    def location(self) -> str:
        return f"hf://{self.owner}"

    def reference(self, name: str) -> str:
        return f"{self.location}/{name}"

    def add(self, release: Release) -> Version:
        name = release.about.name
        with temporary_folder() as folder, errors_in_one_line(self.reference(name)):
            version = release.lay_out(folder)
            self._prepare(name, "model", public=release.public)
            self._prepare(name, "dataset", public=release.public)
            number = max(_numbered(self._refs(name), reserved=True), default=0) + 1
            while True:
                version = release.seal(version, number)
                records = self._commit(name, "dataset", _data_repository(folder, self._web(name)), number)
                model = self._commit(name, "model", _files_below(folder), number)
                if self._tag(name, "model", f"v{number}", model):
                    self._tag(name, "dataset", f"v{number}", records)
                    return replace(version, folder=folder, where=f"{self.reference(name)}@v{number}")
                number += 1

    def names(self) -> list[str]:
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        with errors_in_one_line(self.location):
            # The client would try again for half a minute and print each try.
            url = f"{without_credentials(hub_api().endpoint)}/api/models"
            query = {"author": self.owner, "filter": TAG, "limit": 1}
            hf_raise_for_status(get_session().get(url, params=query, headers=build_hf_headers()))
            models = hub_api().list_models(author=self.owner, filter=TAG)
            names = [model.id.partition("/")[2] for model in models]
        return sorted(name for name in names if NAME.fullmatch(name))

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            with errors_in_one_line(self.reference(name)):
                refs = self._refs(name)
        except RegistryError as error:
            if isinstance(error.__cause__, RepositoryNotFoundError) and has_token():
                return {}
            raise
        aliases = {tag: commit for tag, commit in refs.items() if not _number(tag)}
        return {
            number: tuple(sorted(alias for alias, target in aliases.items() if target == commit))
            for number, commit in _numbered(refs).items()
        }

    def version(self, name: str, number: int) -> Version:
        where = f"{self.reference(name)}@v{number}"
        with errors_in_one_line(self.reference(name)):
            commit = _numbered(self._refs(name))[number]
            with self._download(name, commit, MANIFEST) as body:
                text = read_capped(body, largest=LARGEST_MANIFEST, where=f"{where}/{MANIFEST}")
        return Version.read(text, Path(), where=f"{where}/{MANIFEST}").expected(name, number, where=where)

    def fetch(self, version: Version, into: Path) -> None:
        with errors_in_one_line(self.reference(version.name)):
            commit = _numbered(self._refs(version.name))[version.number]
            for name, largest in version.download_limits().items():
                where = f"{self.reference(version.name)}/{name}"
                with self._download(version.name, commit, name) as body:
                    save_capped(body, into / name, largest=largest, where=where)
            if SIGNATURE in hub_api().list_repo_files(self._repository(version.name), revision=commit):
                with self._download(version.name, commit, SIGNATURE) as body:
                    save_capped(body, into / SIGNATURE, largest=LARGEST_TEXT, where=SIGNATURE)

    def promote(self, version: Version, alias: str) -> None:
        """Move the tag `alias`. The Hub cannot move a tag, so it is deleted and created again."""
        with errors_in_one_line(self.reference(version.name)):
            refs = self._refs(version.name)
            commit = _numbered(refs)[version.number]
            if alias in refs:
                hub_api().delete_tag(self._repository(version.name), tag=alias)
            self._tag(version.name, "model", alias, commit)

    def remove(self, version: Version) -> None:
        """Delete the tags of a version, and its files from `main` if they are the newest there.

        The commit stays in the history of the repository, which only the Hub can rewrite.
        """
        repository, mark = self._repository(version.name), f"v{version.number}"
        with errors_in_one_line(self.reference(version.name)):
            tags = _numbered(self._refs(version.name))
            first = hub_api().list_repo_commits(repository)[-1].commit_id
            self._tag(version.name, "model", f"{REMOVED}{mark}", first)
            for kind in ("model", "dataset"):
                if mark in self._refs(version.name, kind):
                    hub_api().delete_tag(repository, tag=mark, repo_type=kind)
            if self._head(version.name, "model") == tags[version.number]:
                for kind in ("model", "dataset"):
                    self._commit(version.name, kind, {}, version.number)

    def _repository(self, name: str) -> str:
        return f"{self.owner}/{name}"

    def _web(self, name: str) -> str:
        return f"{without_credentials(hub_api().endpoint)}/{self._repository(name)}"

    def _prepare(self, name: str, kind: Kind, *, public: bool) -> None:
        repository = self._repository(name)
        hub_api().create_repo(repository, private=not public, exist_ok=True, repo_type=kind)
        private = hub_api().repo_info(repository, repo_type=kind, timeout=PATIENCE).private
        if private is public:
            state, remedy = (
                ("private", "publish without --public") if private else ("public", "publish with --public")
            )
            raise RegistryError(
                f"{self.reference(name)}: its {kind} repository is {state}; change that on the Hub, or {remedy}"
            )

    def _commit(self, name: str, kind: Kind, files: dict[str, Path | bytes], number: int) -> str:
        """Commit exactly `files` on top of the newest commit, and return the id of the new one."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete
        from huggingface_hub.errors import HfHubHTTPError

        api, repository = hub_api(), self._repository(name)
        while True:
            head = self._head(name, kind)
            existing = set(api.list_repo_files(repository, revision=head, repo_type=kind)) - set(KEPT)
            deleted = [CommitOperationDelete(path) for path in sorted(existing - set(files))]
            added = [
                CommitOperationAdd(path, content if isinstance(content, bytes) else str(content))
                for path, content in sorted(files.items())
            ]
            if not deleted and not added:
                return head
            message = f"Publish v{number}" if files else f"Remove v{number}"
            try:
                with warnings.catch_warnings(), waiting(COMMIT_PATIENCE):
                    # The model repository holds the synthetic records on purpose.
                    warnings.filterwarnings("ignore", message="It seems that you are about to commit a data")
                    return api.create_commit(
                        repository,
                        [*deleted, *added],
                        commit_message=message,
                        repo_type=kind,
                        parent_commit=head,
                    ).oid
            except HfHubHTTPError as error:
                if error.response.status_code != MOVED_ON:
                    raise

    def _tag(self, name: str, kind: Kind, tag: str, commit: str) -> bool:
        """Tag a commit; return False if the tag exists already."""
        from huggingface_hub.errors import HfHubHTTPError

        try:
            hub_api().create_tag(self._repository(name), tag=tag, revision=commit, repo_type=kind)
        except HfHubHTTPError as error:
            if error.response.status_code != CONFLICT:
                raise
            return False
        return True

    def _refs(self, name: str, kind: Kind = "model") -> dict[str, str]:
        refs = hub_api().list_repo_refs(self._repository(name), repo_type=kind)
        return {tag.name: tag.target_commit for tag in refs.tags}

    def _head(self, name: str, kind: Kind) -> str:
        branches = hub_api().list_repo_refs(self._repository(name), repo_type=kind).branches
        return next(branch.target_commit for branch in branches if branch.name == "main")

    @contextmanager
    def _download(self, name: str, commit: str, file: str) -> Iterator[Iterator[bytes]]:
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        url = f"{self._web(name)}/resolve/{commit}/{quote(file)}"
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        with get_session().stream("GET", url, headers=headers, follow_redirects=True) as response:
            if response.is_error:
                response.read()
                hf_raise_for_status(response)
            yield response.iter_bytes(CHUNK_BYTES)


def _numbered(refs: dict[str, str], *, reserved: bool = False) -> dict[int, str]:
    """Return the commit of every version by its number, ascending; with `reserved` also those of removed versions."""
    commits = {
        number: commit
        for tag, commit in refs.items()
        if (number := _number(tag)) and (reserved or not tag.startswith(REMOVED))
    }
    return dict(sorted(commits.items()))


def _number(tag: str) -> int | None:
    return version_number(tag.removeprefix(REMOVED))


def _files_below(folder: Path) -> dict[str, Path | bytes]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def _data_repository(folder: Path, model: str) -> dict[str, Path | bytes]:
    """Return the files of the data set repository: those of the version's data set, and the pictures of its card."""
    files: dict[str, Path | bytes] = {path.name: path for path in (folder / DATASET).iterdir()}
    files |= {path.name: path for path in folder.glob("*.png")}
    card = (folder / DATASET / "README.md").read_text(encoding="utf-8")
    card = card.replace("](../README.md)", f"]({model})").replace("](../", "](")
    return files | {"README.md": card.encode()}


def _open(url: str) -> Address:
    parts = StoreUrl.parse(url)
    if parts.user is not None or parts.password is not None:
        raise ValueError("a user or token is not a part of it; log in with: hf auth login, or set HF_TOKEN")
    return Address(Bounded(Hub(parts.host)), parts.name, parts.version)


FACTORY = StoreFactory(schemes=("hf",), form="hf://ORG/NAME", open=_open)
