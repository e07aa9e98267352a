"""A server on the loopback interface that serves files as GitHub does, and has one fault for a while."""

import re
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "FileServer"  # pyright: ignore[reportIncompatibleVariableOverride]  # always this one

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        server = self.server
        asked = self.headers.get("Range")
        server.requests.append((self.path, asked))
        content = server.files.get(self.path)
        if content is None:
            self._answer(404, b"404: Not Found")
            return
        begin = int(re.fullmatch(r"bytes=(\d+)-", asked)[1]) if asked and server.ranges else 0  # pyright: ignore[reportOptionalSubscript]
        headers = {"Content-Range": f"bytes {begin}-{len(content) - 1}/{len(content)}"} if begin else {}
        body = content[begin:]
        if server.cut and server.cuts_left:
            server.cuts_left -= 1
            self._answer(206 if begin else 200, body[: server.cut], headers, announced=len(body))
            self.close_connection = True
            return
        self._answer(206 if begin else 200, body, headers)

    def _answer(
        self, status: int, body: bytes, headers: dict[str, str] | None = None, announced: int | None = None
    ) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body) if announced is None else announced))
        self.end_headers()
        self.wfile.write(body)


class FileServer(ThreadingHTTPServer):
    """Serves contents by path.

    Attributes:
        files: path -> content.
        ranges: whether the rest of a file can be asked for.
        cut: bytes after which a connection ends, or 0.
        cuts_left: how many connections end so.
        requests: path and range of every request so far.
    """

    daemon_threads = True

    def __init__(self, files: dict[str, bytes]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.files = files
        self.ranges = True
        self.cut = self.cuts_left = 0
        self.requests: list[tuple[str, str | None]] = []

    @property
    def address(self) -> str:
        """Where it listens."""
        return f"http://127.0.0.1:{self.server_port}"

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a client leaves."""


@contextmanager
def file_server(files: dict[str, bytes]) -> Iterator[FileServer]:
    """Run a server until the end of the block."""
    server = FileServer(files)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
