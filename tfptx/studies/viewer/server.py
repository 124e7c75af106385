"""This holds the server of a viewer: it gives this machine's browser one case at a time.

A page with all cases in it would take as long to write as the maps themselves, and be a second copy
of patients' images; a case that is read when it is looked at costs nothing before. The server
listens on the loopback interface alone, and its address has a secret, without which another user
of the machine, or a page of another site in the same browser, gets nothing.
"""

import json
import re
import secrets
import sys
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

from tfptx.studies.report import assets
from tfptx.studies.viewer.case_list import Cases

HOST = "127.0.0.1"
_PATH = re.compile(r"/(?P<secret>[\w-]+)/(cases/(?P<case>[0-9]{1,9}))?", re.ASCII)
SCRIPTS = ("words.js", "packing.js", "drawing.js", "view.js")


class Server(ThreadingHTTPServer):
    """Serves the page of some cases at `url`. Raises OSError where the port is taken."""

    daemon_threads = True

    def __init__(self, cases: Cases, port: int) -> None:
        self.cases = cases
        self.secret = secrets.token_urlsafe(16)
        content = {"title": cases.title, "detail": cases.detail, "rows": cases.rows}
        self.page = assets.render("view.html", SCRIPTS, content).encode()
        super().__init__((HOST, port), _Handler)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a browser that went on to another case before it had all of this one."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)

    @property
    def url(self) -> str:
        """Where the page is."""
        return f"http://{HOST}:{self.server_address[1]}/{self.secret}/"


class _Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        """Answer with the page, or with a case as JSON; anything else is not there."""
        asked = _PATH.fullmatch(self.path)
        if not asked or not secrets.compare_digest(asked["secret"], self.server.secret):
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")
        elif asked["case"] is None:
            self._answer(HTTPStatus.OK, "text/html; charset=utf-8", self.server.page)
        elif int(asked["case"]) < len(self.server.cases.rows):
            self._case(int(asked["case"]))
        else:
            self._answer(HTTPStatus.NOT_FOUND, "text/plain", b"not found")

    def _case(self, position: int) -> None:
        try:
            content: Any = self.server.cases.case(position)
            status = HTTPStatus.OK
        except (ValueError, OSError) as error:
            content, status = {"error": str(error)}, HTTPStatus.INTERNAL_SERVER_ERROR
        self._answer(status, "application/json", json.dumps(content).encode())

    def _answer(self, status: HTTPStatus, kind: str, content: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Cache-Control", "no-store")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("X-Content-Type-Options", "nosniff")
        self.end_headers()
        self.wfile.write(content)

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - the base class's name
        """Say nothing of each request."""
