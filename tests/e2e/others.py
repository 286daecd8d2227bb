# SPDX-License-Identifier: MIT
"""A site of other people's metrics: it gives what a test wants, and mmlag is run beside it."""

import http.server
import json
import os
import socket
import subprocess
import threading

from conftest import MMLAG, ROOT


def recorded(name):
    """A page that a real exporter gave."""
    with open(os.path.join(ROOT, "tests", "data", "pages", name), encoding="utf-8") as f:
        return f.read()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Site(http.server.ThreadingHTTPServer):
    """Gives what a test put into `answer`: (status, headers, pieces of the body) of a path."""
    daemon_threads = True
    answer = staticmethod(lambda handler: (404, {}, []))
    post = staticmethod(lambda body: None)  # gets what is posted, as JSON

    class Handler(http.server.BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def do_GET(self):
            status, headers, body = self.server.answer(self)
            self.send_response(status)
            for name, value in headers.items():
                self.send_header(name, value)
            if headers.get("Connection") == "close":
                self.close_connection = True
            self.end_headers()
            try:
                for piece in body:
                    self.wfile.write(piece)
            except OSError:
                pass  # the reader has gone

        def do_POST(self):
            self.server.post(json.loads(self.rfile.read(int(self.headers["Content-Length"]))))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_):
            pass

    def __init__(self):
        super().__init__(("127.0.0.1", 0), self.Handler)
        threading.Thread(target=self.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server_port}"

    def wrap(self, context):
        """Speak TLS from now on."""
        self.socket = context.wrap_socket(self.socket, server_side=True)
        self.url = f"https://127.0.0.1:{self.server_port}"


def mmlag(*args):
    return subprocess.run([MMLAG, *args], capture_output=True, text=True, timeout=60, check=False,
                          errors="replace")


def plain(body, status=200):
    body = body.encode("utf-8", "surrogateescape") if isinstance(body, str) else body
    return lambda _: (status, {"Content-Length": str(len(body))}, [body])


def once(site, tmp_path, answer, topic="a", **settings):
    """Exit code and document of one sample of a topic."""
    site.answer = answer
    config = tmp_path / "mmlag.yaml"
    config.write_text(json.dumps({
        "state_dir": str(tmp_path / "state"), "topics": [topic],
        "defaults": {"source": "exporter", "url": site.url + "/metrics", "group": "g", **settings}}))
    run = mmlag("once", "-c", str(config))
    return run.returncode, json.loads(run.stdout)
