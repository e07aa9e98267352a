"""A registry on the Hugging Face Hub: one model repository per name, one commit and one tag (`v3`) per version.

A commit is whole or not there, and nobody sees a version before its tag: a publisher that dies in between leaves a commit
that no version names. The synthetic records also go to a data set repository of the same name, where their card is found.
The token comes from where `huggingface_hub` finds it, and passes through here at no point.
"""

import re
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import quote

from paracosm.foundation.errors import RegistryError
from paracosm.registry.stores.capped_download import read_capped, save_capped
from paracosm.registry.versions.manifest import (
    DATASET,
    LARGEST_MANIFEST,
    LARGEST_TEXT,
    MANIFEST,
    NAME,
    SIGNATURE,
    Version,
)
from paracosm.registry.versions.release import Release

if TYPE_CHECKING:
    from huggingface_hub import HfApi

Kind = Literal["model", "dataset"]
NUMBERED = re.compile(r"(?:removed-)?v([1-9][0-9]{0,8})", re.ASCII)
TAG = "paracosm"
KEPT = (".gitattributes",)
CONFLICT, MOVED_ON, NOT_FOUND = 409, 412, 404
CHUNK = 2**20


@dataclass(frozen=True)
class Hub:
    """The repositories of one user or organisation, at `HF_ENDPOINT` or huggingface.co."""

    owner: str

    @property
    def place(self) -> str:
        return f"hf://{self.owner}"

    def reference(self, name: str) -> str:
        return f"{self.place}/{name}"

    def add(self, release: Release) -> Version:
        name = release.about.name
        with tempfile.TemporaryDirectory(prefix="paracosm-") as place, self._explained(name):
            folder = Path(place)
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
        with self._explained(None):
            found = [each.id.partition("/")[2] for each in _api().list_models(author=self.owner, filter=TAG)]
        return sorted(name for name in found if NAME.fullmatch(name))

    def numbers(self, name: str) -> dict[int, tuple[str, ...]]:
        from huggingface_hub.errors import RepositoryNotFoundError

        try:
            with self._explained(name):
                refs = self._refs(name)
        except RegistryError as fault:
            if isinstance(fault.__cause__, RepositoryNotFoundError) and _has_token():
                return {}
            raise
        aliases = {tag: commit for tag, commit in refs.items() if not NUMBERED.fullmatch(tag)}
        return {
            number: tuple(sorted(alias for alias, its in aliases.items() if its == commit))
            for number, commit in _numbered(refs).items()
        }

    def version(self, name: str, number: int) -> Version:
        where = f"{self.reference(name)}@v{number}"
        with self._explained(name):
            commit = _numbered(self._refs(name))[number]
            with self._download(name, commit, MANIFEST) as body:
                text = read_capped(body, largest=LARGEST_MANIFEST, where=f"{where}/{MANIFEST}")
        version = Version.read(text, Path(), where=f"{where}/{MANIFEST}")
        if (version.name, version.number) != (name, number):
            raise RegistryError(f"{where}: its manifest says {version.reference}")
        return replace(version, where=where)

    def fetch(self, version: Version, into: Path) -> None:
        sizes = {name: entry["bytes"] for name, entry in version.files.items()} | {MANIFEST: LARGEST_MANIFEST}
        with self._explained(version.name):
            commit = _numbered(self._refs(version.name))[version.number]
            for name, largest in sizes.items():
                where = f"{self.reference(version.name)}/{name}"
                with self._download(version.name, commit, name) as body:
                    save_capped(body, into / name, largest=largest, where=where)
            if SIGNATURE in _api().list_repo_files(self._repository(version.name), revision=commit):
                with self._download(version.name, commit, SIGNATURE) as body:
                    save_capped(body, into / SIGNATURE, largest=LARGEST_TEXT, where=SIGNATURE)

    def promote(self, version: Version, alias: str) -> None:
        """Move the tag `alias`; the Hub moves none, so it is taken away and made again."""
        with self._explained(version.name):
            refs = self._refs(version.name)
            commit = _numbered(refs)[version.number]
            if alias in refs:
                _api().delete_tag(self._repository(version.name), tag=alias)
            self._tag(version.name, "model", alias, commit)

    def remove(self, version: Version) -> None:
        """Take the version's tags away, and its files from `main` where they are the newest.

        The commit stays in the repository's history, which only the Hub itself can rewrite.
        """
        repository, mark = self._repository(version.name), f"v{version.number}"
        with self._explained(version.name):
            tags = _numbered(self._refs(version.name))
            first = _api().list_repo_commits(repository)[-1].commit_id
            self._tag(version.name, "model", f"removed-{mark}", first)
            for kind in ("model", "dataset"):
                if mark in self._refs(version.name, kind):
                    _api().delete_tag(repository, tag=mark, repo_type=kind)
            if self._head(version.name, "model") == tags[version.number]:
                for kind in ("model", "dataset"):
                    self._commit(version.name, kind, {}, version.number)

    def _repository(self, name: str) -> str:
        return f"{self.owner}/{name}"

    def _web(self, name: str) -> str:
        return f"{_api().endpoint}/{self._repository(name)}"

    def _prepare(self, name: str, kind: Kind, *, public: bool) -> None:
        repository = self._repository(name)
        _api().create_repo(repository, private=not public, exist_ok=True, repo_type=kind)
        private = _api().repo_info(repository, repo_type=kind).private
        if private is public:
            now, wanted = (
                ("private", "leave --public out") if private else ("public", "publish with --public")
            )
            raise RegistryError(
                f"{self.reference(name)}: its {kind} repository is {now}; change that on the Hub, or {wanted}"
            )

    def _commit(self, name: str, kind: Kind, files: dict[str, Path | bytes], number: int) -> str:
        """Commit exactly `files` on top of whatever is the newest; return the commit."""
        from huggingface_hub import CommitOperationAdd, CommitOperationDelete
        from huggingface_hub.errors import HfHubHTTPError

        api, repository = _api(), self._repository(name)
        while True:
            head = self._head(name, kind)
            there = set(api.list_repo_files(repository, revision=head, repo_type=kind)) - set(KEPT)
            gone = [CommitOperationDelete(path) for path in sorted(there - set(files))]
            added = [
                CommitOperationAdd(path, content if isinstance(content, bytes) else str(content))
                for path, content in sorted(files.items())
            ]
            if not gone and not added:
                return head
            message = f"Publish v{number}" if files else f"Remove v{number}"
            try:
                with warnings.catch_warnings():
                    # Records in a model repository are meant to be there.
                    warnings.filterwarnings("ignore", message="It seems that you are about to commit a data")
                    return api.create_commit(
                        repository,
                        [*gone, *added],
                        commit_message=message,
                        repo_type=kind,
                        parent_commit=head,
                    ).oid
            except HfHubHTTPError as fault:
                if fault.response.status_code != MOVED_ON:
                    raise

    def _tag(self, name: str, kind: Kind, tag: str, commit: str) -> bool:
        """Tag a commit; return False where the tag is taken."""
        from huggingface_hub.errors import HfHubHTTPError

        try:
            _api().create_tag(self._repository(name), tag=tag, revision=commit, repo_type=kind)
        except HfHubHTTPError as fault:
            if fault.response.status_code != CONFLICT:
                raise
            return False
        return True

    def _refs(self, name: str, kind: Kind = "model") -> dict[str, str]:
        refs = _api().list_repo_refs(self._repository(name), repo_type=kind)
        return {tag.name: tag.target_commit for tag in refs.tags}

    def _head(self, name: str, kind: Kind) -> str:
        branches = _api().list_repo_refs(self._repository(name), repo_type=kind).branches
        return next(each.target_commit for each in branches if each.name == "main")

    @contextmanager
    def _download(self, name: str, commit: str, file: str) -> Iterator[Iterator[bytes]]:
        from huggingface_hub.utils import build_hf_headers, get_session, hf_raise_for_status

        url = f"{self._web(name)}/resolve/{commit}/{quote(file)}"
        headers = build_hf_headers() | {"Accept-Encoding": "identity"}
        with get_session().stream("GET", url, headers=headers, follow_redirects=True) as response:
            if response.is_error:
                response.read()
                hf_raise_for_status(response)
            yield response.iter_bytes(CHUNK)

    @contextmanager
    def _explained(self, name: str | None) -> Iterator[None]:
        """Turn what the Hub and its client raise into one line."""
        from httpx2 import HTTPError
        from huggingface_hub.errors import HFValidationError, RepositoryNotFoundError

        where = self.place if name is None else self.reference(name)
        try:
            yield
        except RepositoryNotFoundError as fault:
            hint = "" if _has_token() else "; if it is private, log in first: hf auth login, or set HF_TOKEN"
            raise RegistryError(f"{where}: there is no such repository{hint}") from fault
        except HTTPError as fault:
            raise RegistryError(f"{where}: {_words(fault)}") from fault
        except HFValidationError as fault:
            raise RegistryError(f"{where}: is no name of a repository ({_first_line(fault)})") from fault
        except (ValueError, KeyError, TypeError, RuntimeError) as fault:
            if isinstance(fault, RegistryError):
                raise
            raise RegistryError(
                f"{where}: the Hub refused or said what its client cannot read: {_first_line(fault)}"
            ) from fault


def _numbered(refs: dict[str, str], *, reserved: bool = False) -> dict[int, str]:
    """Return number -> commit of every version, ascending; with `reserved` also of the removed ones."""
    found = {
        int(match[1]): commit
        for tag, commit in refs.items()
        if (match := NUMBERED.fullmatch(tag)) and (reserved or tag.startswith("v"))
    }
    return dict(sorted(found.items()))


def _api() -> "HfApi":
    from huggingface_hub import HfApi, constants
    from huggingface_hub.utils import disable_progress_bars

    disable_progress_bars()
    return HfApi(endpoint=constants.ENDPOINT, library_name=TAG)


def _has_token() -> bool:
    from huggingface_hub import get_token

    return get_token() is not None


def _words(fault: Any) -> str:
    response = getattr(fault, "response", None)
    if response is None:
        return f"the Hub at {_api().endpoint} cannot be reached: {_first_line(fault)}"
    said = _first_line(getattr(fault, "server_message", None) or "")
    return f"the Hub answered {response.status_code}{f': {said}' if said else ''}"


def _first_line(fault: object) -> str:
    lines = [line for line in str(fault).splitlines() if line.strip()] or [type(fault).__name__]
    return "".join(letter for letter in lines[0] if letter.isprintable())[:300]


def _files_below(folder: Path) -> dict[str, Path | bytes]:
    return {path.relative_to(folder).as_posix(): path for path in folder.rglob("*") if path.is_file()}


def _data_repository(folder: Path, model: str) -> dict[str, Path | bytes]:
    """Return the files of the data set repository: the version's data set, and the pictures that its card shows."""
    files: dict[str, Path | bytes] = {path.name: path for path in (folder / DATASET).iterdir()}
    files |= {path.name: path for path in folder.glob("*.png")}
    card = (folder / DATASET / "README.md").read_text(encoding="utf-8")
    card = card.replace("](../README.md)", f"]({model})").replace("](../", "](")
    return files | {"README.md": card.encode()}
