"""What only HTTP knows: redirects, replies that come byte by byte, a server's wish to wait."""

import json
import threading
import time
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from tfptx.serving import client, models

DESCRIBED = {
    "metadata": {"signature_def": {"signature_def": {"masks": {"outputs": {"fingerprint": {}}}}}}
}


class Handler(BaseHTTPRequestHandler):
    def log_message(self, *arguments):
        """Say nothing of each request."""

    def reply(self, status, content, headers=()):
        self.send_response(status)
        for name, value in (*headers, ("Content-Length", str(len(content)))):
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(content)

    def do_GET(self):
        self.reply(200, json.dumps(DESCRIBED).encode())

    def do_POST(self):
        self.rfile.read(int(self.headers["Content-Length"]))
        self.server.asked.append(self.path)
        getattr(self, self.server.manner)()

    def redirect(self):
        self.reply(307, b"{}", [("Location", f"http://localhost:{self.server.server_port}/other")])

    def ask_to_wait(self):
        self.reply(503, b"{}", [("Retry-After", "3600")])

    def trickle(self):
        self.send_response(200)
        self.send_header("Content-Length", "1000")
        self.end_headers()
        while not self.server.is_over.wait(0.02):
            try:
                self.wfile.write(b" ")
            except OSError:
                return


@pytest.fixture
def server():
    started = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    started.asked, started.is_over = [], threading.Event()
    thread = threading.Thread(target=started.serve_forever)
    thread.start()
    yield started
    started.is_over.set()
    started.shutdown()
    thread.join()
    started.server_close()


def ask(server, manner, settings=""):
    server.manner = manner
    return models.open_model(f"http://127.0.0.1:{server.server_port}{settings}")([b"image"])


def test_a_redirect_does_not_carry_the_image_elsewhere(server):
    with pytest.raises(ValueError, match=r"no answer from .*: 307"):
        ask(server, "redirect")
    assert server.asked == ["/v1/models/tfptx:predict"]


def test_a_reply_in_small_parts_is_bounded_in_time(server):
    with pytest.raises(ValueError, match=r"not whole in time|timed out"):
        ask(server, "trickle", "?timeout_seconds=0.5")
    assert len(server.asked) <= 1


def test_waits_are_ours_whatever_the_server_wishes(server, monkeypatch):
    waits_seconds = []
    monkeypatch.setattr(time, "sleep", waits_seconds.append)
    with pytest.raises(ValueError, match=r"no answer from .*: 503"):
        ask(server, "ask_to_wait")
    assert waits_seconds == [client.FIRST_WAIT_SECONDS * 2**each for each in range(4)]
    assert len(server.asked) == client.TRIES
    server.asked.clear()
    monkeypatch.setattr(client, "FIRST_WAIT_SECONDS", 100)
    with pytest.raises(ValueError, match=r"no answer from .*: 503"):
        ask(server, "ask_to_wait", "?timeout_seconds=50")
    assert len(server.asked) == 1
