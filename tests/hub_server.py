"""A Hugging Face Hub in memory on the loopback interface, with the HTTP API that `huggingface_hub` uses.

It has repositories, commits, LFS objects and tags. Writing and private repositories need a bearer token. Large or binary
files are served by a redirect to another path, as on the real Hub.
"""

import base64
import hashlib
import json
import re
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

import yaml

TOKEN = "hf_thisTokenMustNeverBeWritten"
BINARY = (".safetensors", ".parquet", ".png")


@dataclass
class Repository:
    """A repository: its commits, oldest first, each a whole tree from path to SHA-256 of the content."""

    private: bool
    commits: dict[str, dict[str, str]] = field(default_factory=dict)
    head: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, str]) -> str:
        """Add a commit with the tree `files` to the main branch; return its id."""
        content = json.dumps([self.head, len(self.commits), sorted(files.items())])
        self.head = hashlib.sha1(content.encode()).hexdigest()
        self.commits[self.head] = files
        return self.head

    def revision(self, name: str) -> str | None:
        """Return the commit of a branch, tag or commit id, None if there is none."""
        commit = self.head if name == "main" else self.tags.get(name, name)
        return commit if commit in self.commits else None


class Refused(Exception):  # noqa: N818  # an answer, not an error
    """Makes the server answer with an error status."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class HubServer(ThreadingHTTPServer):
    """The server, its repositories and a log of the requests that it received."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.RLock()
        self.before: Callable[[str, str], None] = lambda method, path: None
        """Called with method and path before a request is answered; may wait or raise `Refused`."""
        self.tamper: Callable[[str, bytes], bytes] = lambda path, content: content
        """Called with path and content of each file that is sent; returns the content to send."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def store(self, content: bytes) -> str:
        """Store `content`; return its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest

    def add_model(self, repository: str, files: dict[str, bytes]) -> None:
        """Add a public model that was published by another user."""
        model = Repository(private=False)
        model.commit({name: self.store(content) for name, content in files.items()})
        self.repositories["model", repository] = model


@contextmanager
def running_hub() -> Iterator[HubServer]:
    """Run a new Hub until the end of the block."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"
    server: HubServer

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self._answer()

    do_HEAD = do_POST = do_PUT = do_DELETE = do_GET  # noqa: N815

    def _answer(self) -> None:
        address = urlsplit(self.path)
        self.query = {key: values[0] for key, values in parse_qs(address.query).items()}
        self.body = self._read_body()
        path = unquote(address.path)
        self.server.requests.append((self.command, path))
        try:
            self.server.before(self.command, path)
            with self.server.lock:
                for methods, pattern, action in ROUTES:
                    if self.command in methods and (match := re.fullmatch(pattern, path)):
                        action(self, *match.groups())
                        return
            raise Refused(404, f"no such path {path}")
        except Refused as refused:
            headers = {"X-Error-Code": refused.code, "X-Error-Message": str(refused)} if refused.code else {}
            self._json({"error": str(refused)}, refused.status, headers)

    def _read_body(self) -> bytes:
        if "chunked" not in self.headers.get("Transfer-Encoding", ""):
            return self.rfile.read(int(self.headers.get("Content-Length") or 0))
        content = b""
        while size := int(self.rfile.readline().strip(), 16):
            content += self.rfile.read(size)
            self.rfile.readline()
        self.rfile.readline()
        return content

    def _json(self, plain: Any, status: int = 200, headers: dict[str, str] | None = None) -> None:
        self._send(json.dumps(plain).encode(), status, {"Content-Type": "application/json"} | (headers or {}))

    def _send(self, content: bytes, status: int, headers: dict[str, str]) -> None:
        self.send_response(status)
        for key, value in headers.items():
            self.send_header(key, value)
        self.send_header("Content-Length", str(len(content)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    @property
    def is_authorized(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _require_token(self) -> None:
        if not self.is_authorized:
            raise Refused(401, "Invalid username or password.")

    def _repository(self, kind: str, repository: str, *, write: bool = False) -> Repository:
        stored = self.server.repositories.get((kind, repository))
        if stored is None or (stored.private and not self.is_authorized):
            raise Refused(404 if self.is_authorized else 401, "Repository not found", "RepoNotFound")
        if write:
            self._require_token()
        return stored

    def _tree(self, kind: str, repository: str, revision: str) -> tuple[str, dict[str, str]]:
        stored = self._repository(kind, repository)
        commit = stored.revision(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit, stored.commits[commit]

    def create(self) -> None:
        self._require_token()
        request = json.loads(self.body)
        repository = f"{request['organization']}/{request['name']}"
        kind = request.get("type", "model")
        url = f"{self.server.endpoint}/{'' if kind == 'model' else 'datasets/'}{repository}"
        if (kind, repository) in self.server.repositories:
            self._json({"error": "You already created this model repo", "url": url}, 409)
            return
        private = request.get("visibility", "public") == "private" or request.get("private", False)
        new = self.server.repositories[kind, repository] = Repository(private)
        new.commit({".gitattributes": self.server.store(b"*.safetensors filter=lfs\n")})
        self._json({"url": url})

    def validate(self) -> None:
        front_matter = json.loads(self.body)["content"].split("---\n")[1]
        try:
            licence = yaml.safe_load(front_matter)["license"]
        except (yaml.YAMLError, KeyError, TypeError) as error:
            self._json({"errors": [{"message": str(error)}], "warnings": []}, 400)
            return
        assert isinstance(licence, str | list)
        self._json({"errors": [], "warnings": []})

    def listing(self, kind: str) -> None:
        rows = []
        for (kind_of_repository, name), repository in self.server.repositories.items():
            visible = kind_of_repository == kind and (self.is_authorized or not repository.private)
            if visible and name.startswith(f"{self.query['author']}/"):
                card = self.server.blobs.get(
                    repository.commits[repository.head].get("README.md", ""), b"---\n{}\n---\n"
                )
                tags = yaml.safe_load(card.decode().split("---\n")[1]).get("tags", [])
                if self.query.get("filter", "") in ("", *tags):
                    rows.append({"id": name, "private": repository.private, "tags": tags})
        self._json(rows)

    def info(self, kind: str, repository: str, revision: str | None = None) -> None:
        commit, files = self._tree(kind, repository, revision or "main")
        siblings = [{"rfilename": path} for path in files]
        private = self._repository(kind, repository).private
        self._json(
            {
                "_id": "1",
                "id": repository,
                "private": private,
                "sha": commit,
                "siblings": siblings,
                "tags": [],
            }
        )

    def refs(self, kind: str, repository: str) -> None:
        stored = self._repository(kind, repository)
        tags = [
            {"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": commit}
            for tag, commit in stored.tags.items()
        ]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": stored.head}
        self._json({"branches": [main], "converts": [], "tags": tags})

    def commits(self, kind: str, repository: str, revision: str) -> None:
        self._tree(kind, repository, revision)
        newest_first = reversed(self._repository(kind, repository).commits)
        date = "2026-01-01T00:00:00.000Z"
        self._json(
            [
                {"id": commit, "title": "", "message": "", "date": date, "authors": []}
                for commit in newest_first
            ]
        )

    def tree(self, kind: str, repository: str, revision: str) -> None:
        _, files = self._tree(kind, repository, revision)
        self._json(
            [
                {"type": "file", "path": path, "size": len(self.server.blobs[digest]), "oid": digest[:40]}
                for path, digest in files.items()
            ]
        )

    def preupload(self, kind: str, repository: str, revision: str) -> None:
        _, files = self._tree(kind, repository, revision)
        self._repository(kind, repository, write=True)
        rows = []
        for upload in json.loads(self.body)["files"]:
            sample = base64.b64decode(upload["sample"])
            large = upload["path"].endswith(BINARY) or upload["size"] > 2**20 or b"\0" in sample
            row = {"path": upload["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            if large and upload["path"] in files:
                row["oid"] = files[upload["path"]]
            rows.append(row)
        self._json({"files": rows})

    def batch(self, prefix: str | None, repository: str) -> None:
        self._repository("dataset" if prefix else "model", repository, write=True)
        objects = []
        for blob in json.loads(self.body)["objects"]:
            action = {"href": f"{self.server.endpoint}/lfs/{blob['oid']}", "header": {}}
            exists = blob["oid"] in self.server.blobs
            objects.append(blob | ({} if exists else {"actions": {"upload": action}}))
        self._json({"transfer": "basic", "objects": objects})

    def upload(self, digest: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != digest:
            raise Refused(400, "digest mismatch")
        self.server.store(self.body)
        self._json({})

    def commit(self, kind: str, repository: str, revision: str) -> None:
        stored = self._repository(kind, repository, write=True)
        assert revision == "main"
        lines = [json.loads(line) for line in self.body.splitlines() if line.strip()]
        files = dict(stored.commits[stored.head])
        parent = lines[0]["value"].get("parentCommit")
        if parent is not None and parent != stored.head:
            raise Refused(412, "A commit has happened since. Please refresh and try again.")
        for line in lines[1:]:
            value = line["value"]
            if line["key"] == "file":
                files[value["path"]] = self.server.store(base64.b64decode(value["content"]))
            elif line["key"] == "lfsFile":
                if value["oid"] not in self.server.blobs:
                    raise Refused(400, "LFS pointer to an object that was never uploaded")
                files[value["path"]] = value["oid"]
            else:
                assert line["key"] == "deletedFile"
                del files[value["path"]]
        oid = stored.commit(files)
        self._json(
            {
                "success": True,
                "commitOid": oid,
                "commitUrl": f"{self.server.endpoint}/{repository}/commit/{oid}",
            }
        )

    def tag(self, kind: str, repository: str, revision: str) -> None:
        stored = self._repository(kind, repository, write=True)
        if self.command == "DELETE":
            if stored.tags.pop(revision, None) is None:
                raise Refused(404, "no such tag", "RevisionNotFound")
            self._json({})
            return
        name, commit = json.loads(self.body)["tag"], stored.revision(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if name in stored.tags:
            raise Refused(409, f"Tag reference exists already: {name}")
        stored.tags[name] = commit
        self._json({})

    def resolve(self, prefix: str | None, repository: str, revision: str, path: str) -> None:
        commit, files = self._tree("dataset" if prefix else "model", repository, revision)
        if path not in files:
            raise Refused(404, f"{path} does not exist", "EntryNotFound")
        digest = files[path]
        headers = {"X-Repo-Commit": commit, "ETag": f'"{digest[:40]}"', "Accept-Ranges": "bytes"}
        if path.endswith(BINARY):
            size = len(self.server.blobs[digest])
            linked = {"X-Linked-Etag": f'"{digest}"', "X-Linked-Size": str(size)}
            self._send(
                b"",
                302,
                headers
                | linked
                | {"Location": f"http://localhost:{self.server.server_port}/cdn/{digest}/{path}"},
            )
            return
        self._send(self.server.tamper(path, self.server.blobs[digest]), 200, headers)

    def content(self, digest: str, path: str) -> None:
        if self.headers.get("Authorization"):
            raise Refused(400, "a token was sent to another host")
        self._send(self.server.tamper(path, self.server.blobs[digest]), 200, {"ETag": f'"{digest}"'})


REPOSITORY = r"([\w.-]+/[\w.-]+)"
API = rf"/api/(model|dataset)s/{REPOSITORY}"
ROUTES: list[tuple[tuple[str, ...], str, Callable[..., None]]] = [
    (("POST",), "/api/repos/create", Handler.create),
    (("POST",), "/api/validate-yaml", Handler.validate),
    (("GET",), "/api/(model|dataset)s", Handler.listing),
    (("GET",), rf"{API}/refs", Handler.refs),
    (("GET",), rf"{API}/commits/(.+)", Handler.commits),
    (("GET",), rf"{API}/tree/([^/]+)", Handler.tree),
    (("POST",), rf"{API}/preupload/(.+)", Handler.preupload),
    (("POST",), rf"{API}/commit/(.+)", Handler.commit),
    (("POST", "DELETE"), rf"{API}/tag/(.+)", Handler.tag),
    (("GET",), rf"{API}/revision/(.+)", Handler.info),
    (("GET",), API, Handler.info),
    (("POST",), rf"/(datasets/)?{REPOSITORY}\.git/info/lfs/objects/batch", Handler.batch),
    (("PUT",), "/lfs/([0-9a-f]{64})", Handler.upload),
    (("GET", "HEAD"), rf"/(datasets/)?{REPOSITORY}/resolve/([^/]+)/(.+)", Handler.resolve),
    (("GET", "HEAD"), "/cdn/([0-9a-f]{64})/(.+)", Handler.content),
]
