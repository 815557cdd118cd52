"""The server of the playground: on this machine alone, for who knows the token, and no files."""

from __future__ import annotations

import hmac
import json
import secrets
from collections.abc import Mapping
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from nn.playground.commands import Commands
from nn.playground.page import page_of

__all__ = ["Server"]

HOST = "127.0.0.1"
MOST_BYTES = 100_000
"""The longest request."""

HEADERS = {
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Server(ThreadingHTTPServer):
    """Serves one page, and answers its commands: ``/?token=…`` and ``/command``."""

    daemon_threads = True
    block_on_close = False

    def __init__(self, commands: Commands, port: int) -> None:
        self.commands = commands
        self.token, self.is_closed = secrets.token_urlsafe(24), False
        super().__init__((HOST, port), Handler)

    @property
    def hosts(self) -> set[str]:
        """What a browser may call this server: a page from elsewhere knows another name."""
        port = self.server_address[1]
        return {f"{HOST}:{port}", f"localhost:{port}"}

    @property
    def url(self) -> str:
        """The address of the page."""
        return f"http://{HOST}:{self.server_address[1]}/?token={self.token}"

    def knows(self, token: str) -> bool:
        """Whether this is the token."""
        return hmac.compare_digest(token.encode(), self.token.encode())

    def close(self) -> None:
        """Answer no more, on connections that are open either."""
        self.is_closed = True
        self.shutdown()
        self.server_close()

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A browser that closes a connection is no news."""


class RequestError(Exception):
    """A request that is not answered with more than a status."""

    def __init__(self, status: HTTPStatus) -> None:
        self.status = status


class Handler(BaseHTTPRequestHandler):
    """Answers one connection."""

    server: Server
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # else the body of an answer waits until its head has arrived
    wbufsize = -1
    timeout = 600

    def do_GET(self) -> None:
        """The page."""
        self._answer(self._page)

    def do_POST(self) -> None:
        """A command."""
        self._answer(self._obey)

    def _answer(self, make: Any) -> None:
        try:
            self._check_origin()
            kind, body = make()
        except RequestError as refused:
            self.close_connection = True  # a body that nobody has read may follow
            self._send(refused.status, "text/plain", refused.status.phrase.encode())
            return
        self._send(HTTPStatus.OK, kind, body)

    def _check_origin(self) -> None:
        """Refuse what other pages ask for, under another name or from another origin."""
        if self.server.is_closed:
            raise RequestError(HTTPStatus.SERVICE_UNAVAILABLE)
        origin = self.headers.get("Origin")
        allowed = {f"http://{host}" for host in self.server.hosts}
        if self.headers.get("Host") not in self.server.hosts or origin not in {None, *allowed}:
            raise RequestError(HTTPStatus.FORBIDDEN)

    def _page(self) -> tuple[str, bytes]:
        parts = urlsplit(self.path)
        if parts.path != "/":
            raise RequestError(HTTPStatus.NOT_FOUND)
        self._check_token(parse_qs(parts.query).get("token", [""])[0])
        page = page_of(self.server.commands.recording(), self.server.token)
        return "text/html; charset=utf-8", page.encode("utf-8", "replace")

    def _obey(self) -> tuple[str, bytes]:
        if self.path != "/command":
            raise RequestError(HTTPStatus.NOT_FOUND)
        self._check_token(self.headers.get("X-Token", ""))
        request = parsed(self._body())
        answer = self.server.commands.obey(request)
        text = json.dumps(answer, separators=(",", ":"), allow_nan=False)
        return "application/json", text.encode()

    def _check_token(self, token: str) -> None:
        if not self.server.knows(token):
            raise RequestError(HTTPStatus.FORBIDDEN)

    def _body(self) -> bytes:
        """What was sent, if it says how long it is, and is not too long."""
        length = self.headers.get("Content-Length", "")
        if "Transfer-Encoding" in self.headers or not (length.isascii() and length.isdigit()):
            raise RequestError(HTTPStatus.LENGTH_REQUIRED)
        if len(length) > 9 or int(length) > MOST_BYTES:
            raise RequestError(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
        return self.rfile.read(int(length))

    def _send(self, status: HTTPStatus, kind: str, body: bytes) -> None:
        """Send an answer."""
        self.send_response(status)
        headers: Mapping[str, str] = HEADERS | {"Content-Type": kind}
        for name, text in headers.items():
            self.send_header(name, text)
        self.send_header("Content-Length", str(len(body)))
        if self.close_connection:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body)
        self.wfile.flush()

    def send_error(self, code: int, message: str | None = None, explain: str | None = None) -> None:
        """What the class above refuses is refused in no more words than the rest."""
        self.close_connection = True
        status = HTTPStatus(code)
        self._send(status, "text/plain", status.phrase.encode())

    def version_string(self) -> str:
        """Nothing of what this runs on."""
        return "playground"

    def log_message(self, *_: Any) -> None:
        """The requests of the page are no news."""


def parsed(body: bytes) -> Any:
    """What was sent as JSON."""
    try:
        return json.loads(body)
    except (ValueError, RecursionError):
        raise RequestError(HTTPStatus.BAD_REQUEST) from None
