"""A server on the loopback interface that answers every request in one wrong way."""

import json
import socket
import ssl
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

PAGE = b"<html><body>" + b"<p>Please sign in \x1b[31m here</p>\n" * 300 + b"</body></html>"


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: "FaultyServer"  # pyright: ignore[reportIncompatibleVariableOverride]  # always this one

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        pass

    def do_GET(self) -> None:
        self.rfile.read(int(self.headers.get("Content-Length") or 0))
        self.server.fault(self)

    do_HEAD = do_POST = do_PUT = do_DELETE = do_PATCH = do_GET  # noqa: N815

    def send(self, status: int, kind: str, content: bytes, *, announced: int | None = None) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content) if announced is None else announced))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)
            self.wfile.flush()


Fault = Callable[[_Handler], None]


def _page(status: int) -> Fault:
    return lambda request: request.send(status, "text/html", PAGE)


def _json(content: bytes, status: int = 200) -> Fault:
    return lambda request: request.send(status, "application/json", content)


def _silent(request: _Handler) -> None:
    request.server.closed.wait(100)


def _cut(request: _Handler) -> None:
    request.send(200, "application/json", b'{"a', announced=1000)
    request.close_connection = True


def _drip(request: _Handler) -> None:
    request.send(200, "application/json", b"{", announced=100_000)
    while not request.server.closed.is_set():
        request.wfile.write(b" ")
        time.sleep(0.2)


def _drip_headers(request: _Handler) -> None:
    request.wfile.write(b"HTTP/1.1 200 OK\r\nX-Long: ")
    while not request.server.closed.is_set():
        request.wfile.write(b"x")
        time.sleep(0.2)


def _redirected(to: str) -> Fault:
    def answer(request: _Handler) -> None:
        request.send_response(302)
        request.send_header("Location", to or request.path)
        request.send_header("Content-Length", "0")
        request.end_headers()

    return answer


def _reset(request: _Handler) -> None:
    request.connection.shutdown(socket.SHUT_RDWR)
    request.close_connection = True


def _other_protocol(request: _Handler) -> None:
    request.wfile.write(b"SSH-2.0-OpenSSH_9.6\r\n")
    request.close_connection = True


FAULTS: dict[str, Fault] = {
    **{f"page {status}": _page(status) for status in (200, 400, 401, 403, 404, 429, 500, 503)},
    "long error": _json(json.dumps({"error_code": "BAD", "message": "x" * 5000 + "\n\x1b[2J"}).encode(), 500),
    "list": _json(b"[]"),
    "null": _json(b"null"),
    "deep": _json(b"[" * 100_000),
    "not UTF-8": _json(b"\xff\xfe{}"),
    "silent": _silent,
    "drips": _drip,
    "drips in its headers": _drip_headers,
    "cut off": _cut,
    "redirected in a circle": _redirected(""),
    "redirected to nobody": _redirected("http://127.0.0.1:9/"),
    "connection reset": _reset,
    "other protocol": _other_protocol,
}
"""Ways to answer, by name."""


class FaultyServer(ThreadingHTTPServer):
    """A server with one fault."""

    daemon_threads = True

    def __init__(self, fault: Fault) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.fault = fault
        self.closed = threading.Event()

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing when a client leaves."""


@contextmanager
def faulty_server(fault: Fault, certificate: Path | None = None) -> Iterator[str]:
    """Run a server until the end of the block; yield `HOST:PORT`.

    Args:
        fault: how it answers.
        certificate: of TLS, as `self_signed` makes it; None for plain HTTP.
    """
    server = FaultyServer(fault)
    if certificate is not None:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_port}"
    finally:
        server.closed.set()
        server.shutdown()
        server.server_close()


def self_signed(folder: Path) -> Path:
    """Return a new certificate with its key in one file, which nobody has signed."""
    path = folder / "certificate.pem"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost",
            "-keyout", path, "-out", folder / "public.pem",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    path.write_bytes(path.read_bytes() + (folder / "public.pem").read_bytes())
    return path
