"""A Hub of one's own on loopback: repositories, commits, LFS objects, tags and redirects, as `huggingface_hub` speaks to them.

It keeps everything in memory, wants a bearer token for writing and for private repositories, and moves large or binary
files to another path by redirect, as the Hub does.
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
    """Commits, oldest first, each the whole tree: path -> SHA-256 of its content."""

    private: bool
    commits: dict[str, dict[str, str]] = field(default_factory=dict)
    head: str = ""
    tags: dict[str, str] = field(default_factory=dict)

    def commit(self, files: dict[str, str]) -> str:
        """Put `files` on top of the main branch; return the commit."""
        content = json.dumps([self.head, len(self.commits), sorted(files.items())])
        self.head = hashlib.sha1(content.encode()).hexdigest()
        self.commits[self.head] = files
        return self.head

    def revision(self, name: str) -> str | None:
        """Return the commit that a branch, tag or commit names."""
        found = self.head if name == "main" else self.tags.get(name, name)
        return found if found in self.commits else None


class Refused(Exception):  # noqa: N818  # an answer, not a fault
    """An answer other than success."""

    def __init__(self, status: int, message: str, code: str = "") -> None:
        super().__init__(message)
        self.status, self.code = status, code


class HubServer(ThreadingHTTPServer):
    """The state of the Hub, and every request that it was sent."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.repositories: dict[tuple[str, str], Repository] = {}
        self.blobs: dict[str, bytes] = {}
        self.requests: list[tuple[str, str]] = []
        self.lock = threading.RLock()
        self.before: Callable[[str, str], None] = lambda method, path: None
        """Called with every request before it is answered: to wait, or to raise `Refused`."""
        self.tamper: Callable[[str, bytes], bytes] = lambda path, content: content
        """Changes the content of a file as it is sent."""

    @property
    def endpoint(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def store(self, content: bytes) -> str:
        """Keep `content`; return its SHA-256."""
        digest = hashlib.sha256(content).hexdigest()
        self.blobs[digest] = content
        return digest

    def add_model(self, repository: str, files: dict[str, bytes]) -> None:
        """Put a public model there, as somebody else would have published it."""
        made = Repository(private=False)
        made.commit({name: self.store(content) for name, content in files.items()})
        self.repositories["model", repository] = made


@contextmanager
def running_hub() -> Iterator[HubServer]:
    """Serve a new Hub until the end of the block."""
    server = HubServer()
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()


class Handler(BaseHTTPRequestHandler):
    """One request."""

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
    def known(self) -> bool:
        return self.headers.get("Authorization") == f"Bearer {TOKEN}"

    def _writable(self) -> None:
        if not self.known:
            raise Refused(401, "Invalid username or password.")

    def _repository(self, kind: str, repository: str, *, write: bool = False) -> Repository:
        found = self.server.repositories.get((kind, repository))
        if found is None or (found.private and not self.known):
            raise Refused(404 if self.known else 401, "Repository not found", "RepoNotFound")
        if write:
            self._writable()
        return found

    def _tree(self, kind: str, repository: str, revision: str) -> tuple[str, dict[str, str]]:
        found = self._repository(kind, repository)
        commit = found.revision(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        return commit, found.commits[commit]

    def create(self) -> None:
        self._writable()
        asked = json.loads(self.body)
        repository = f"{asked['organization']}/{asked['name']}"
        kind = asked.get("type", "model")
        url = f"{self.server.endpoint}/{'' if kind == 'model' else 'datasets/'}{repository}"
        if (kind, repository) in self.server.repositories:
            self._json({"error": "You already created this model repo", "url": url}, 409)
            return
        private = asked.get("visibility", "public") == "private" or asked.get("private", False)
        made = self.server.repositories[kind, repository] = Repository(private)
        made.commit({".gitattributes": self.server.store(b"*.safetensors filter=lfs\n")})
        self._json({"url": url})

    def validate(self) -> None:
        front = json.loads(self.body)["content"].split("---\n")[1]
        try:
            licence = yaml.safe_load(front)["license"]
        except (yaml.YAMLError, KeyError, TypeError) as fault:
            self._json({"errors": [{"message": str(fault)}], "warnings": []}, 400)
            return
        assert isinstance(licence, str | list)
        self._json({"errors": [], "warnings": []})

    def listing(self, kind: str) -> None:
        rows = []
        for (its_kind, repository), found in self.server.repositories.items():
            visible = its_kind == kind and (self.known or not found.private)
            if visible and repository.startswith(f"{self.query['author']}/"):
                card = self.server.blobs.get(
                    found.commits[found.head].get("README.md", ""), b"---\n{}\n---\n"
                )
                tags = yaml.safe_load(card.decode().split("---\n")[1]).get("tags", [])
                if self.query.get("filter", "") in ("", *tags):
                    rows.append({"id": repository, "private": found.private, "tags": tags})
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
        found = self._repository(kind, repository)
        tags = [
            {"name": tag, "ref": f"refs/tags/{tag}", "targetCommit": its} for tag, its in found.tags.items()
        ]
        main = {"name": "main", "ref": "refs/heads/main", "targetCommit": found.head}
        self._json({"branches": [main], "converts": [], "tags": tags})

    def commits(self, kind: str, repository: str, revision: str) -> None:
        self._tree(kind, repository, revision)
        made = reversed(self._repository(kind, repository).commits)
        date = "2026-01-01T00:00:00.000Z"
        self._json([{"id": each, "title": "", "message": "", "date": date, "authors": []} for each in made])

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
        for each in json.loads(self.body)["files"]:
            sample = base64.b64decode(each["sample"])
            large = each["path"].endswith(BINARY) or each["size"] > 2**20 or b"\0" in sample
            row = {"path": each["path"], "uploadMode": "lfs" if large else "regular", "shouldIgnore": False}
            if large and each["path"] in files:
                row["oid"] = files[each["path"]]
            rows.append(row)
        self._json({"files": rows})

    def batch(self, prefix: str | None, repository: str) -> None:
        self._repository("dataset" if prefix else "model", repository, write=True)
        objects = []
        for each in json.loads(self.body)["objects"]:
            action = {"href": f"{self.server.endpoint}/lfs/{each['oid']}", "header": {}}
            there = each["oid"] in self.server.blobs
            objects.append(each | ({} if there else {"actions": {"upload": action}}))
        self._json({"transfer": "basic", "objects": objects})

    def upload(self, digest: str) -> None:
        if hashlib.sha256(self.body).hexdigest() != digest:
            raise Refused(400, "digest mismatch")
        self.server.store(self.body)
        self._json({})

    def commit(self, kind: str, repository: str, revision: str) -> None:
        found = self._repository(kind, repository, write=True)
        assert revision == "main"
        lines = [json.loads(line) for line in self.body.splitlines() if line.strip()]
        files = dict(found.commits[found.head])
        parent = lines[0]["value"].get("parentCommit")
        if parent is not None and parent != found.head:
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
        oid = found.commit(files)
        self._json(
            {
                "success": True,
                "commitOid": oid,
                "commitUrl": f"{self.server.endpoint}/{repository}/commit/{oid}",
            }
        )

    def tag(self, kind: str, repository: str, revision: str) -> None:
        found = self._repository(kind, repository, write=True)
        if self.command == "DELETE":
            if found.tags.pop(revision, None) is None:
                raise Refused(404, "no such tag", "RevisionNotFound")
            self._json({})
            return
        name, commit = json.loads(self.body)["tag"], found.revision(revision)
        if commit is None:
            raise Refused(404, f"Invalid rev id: {revision}", "RevisionNotFound")
        if name in found.tags:
            raise Refused(409, f"Tag reference exists already: {name}")
        found.tags[name] = commit
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
