# SPDX-License-Identifier: MIT
"""import, against a peer that gives every answer that Kibana and OpenSearch Dashboards
are known to give."""

import base64
import email
import email.policy
import http.server
import json
import os
import subprocess
import threading

import pytest

from conftest import MMLAG


class Peer:
    """Answers (status, body, headers), one for each request; keeps the requests."""

    def __init__(self):
        peer = self
        self.answers, self.requests = [], []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):
                body = self.rfile.read(int(self.headers["Content-Length"]))
                peer.requests.append((self.path, dict(self.headers), body))
                status, answer, more = peer.answers.pop(0)
                answer = (json.dumps(answer) if isinstance(answer, (dict, list)) else answer).encode()
                self.send_response(status)
                for name, value in more.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture
def peer():
    p = Peer()
    yield p
    p.close()


@pytest.fixture
def config(tmp_path):
    path = tmp_path / "mmlag.yaml"
    path.write_text(json.dumps({
        "elasticsearch": {"hosts": ["http://127.0.0.1:9200"], "index": "consumer_lag"},
        "defaults": {"host": "mm1", "user": "u", "agent": True, "kafka_home": "/opt/kafka",
                     "bootstrap_server": "b:9092", "group": "g", "share": "group"},
        "topics": [{"name": "orders", "partitions": 3}]}))
    return str(path)


def run(config, peer, *args, answer=None, what="kibana"):
    peer.answers = [answer or (200, {"success": True, "successCount": 12}, {})]
    return subprocess.run([MMLAG, "import", what, "--url", peer.url, "-c", config, *args],
                          capture_output=True, text=True, timeout=60, check=False,
                          env={k: v for k, v in os.environ.items() if "proxy" not in k.lower()})


def file_of(request):
    """The one part of the form, as another implementation reads it."""
    _, headers, body = request
    whole = b"Content-Type: " + headers["Content-Type"].encode() + b"\r\n\r\n" + body
    (part,) = email.message_from_bytes(whole, policy=email.policy.HTTP).iter_parts()
    return part.get_param("name", header="content-disposition"), part.get_filename(), part.get_payload(
        decode=True)


def test_the_file_of_export_arrives_byte_for_byte(config, peer):
    done = run(config, peer)
    assert (done.returncode, done.stdout, done.stderr) == (0, "12 objects imported\n", "")
    path, headers, _ = peer.requests[0]
    assert path == "/api/saved_objects/_import?overwrite=true"
    assert headers["kbn-xsrf"] == "true" and "osd-xsrf" not in headers
    made = subprocess.run([MMLAG, "export", "kibana", "-c", config], capture_output=True, check=True)
    assert file_of(peer.requests[0]) == ("file", "mmlag.ndjson", made.stdout)


def test_spaces_tenants_and_logins_are_passed_on(config, peer, tmp_path):
    secret = tmp_path / "secret"
    secret.write_text("sesame\n")
    secret.chmod(0o600)
    assert run(config, peer, "--space", "team-a", "--keep", "--user", "elastic", "--password-file",
               str(secret)).returncode == 0
    assert run(config, peer, "--tenant", "equipe bleue", "--token-file", str(secret),
               what="opensearch-dashboards").returncode == 0
    assert run(config, peer, "--lens").returncode == 0
    (a, ha, _), (b, hb, _), _ = peer.requests
    assert a == "/s/team-a/api/saved_objects/_import"
    assert ha["Authorization"] == "Basic " + base64.b64encode(b"elastic:sesame").decode()
    assert b == "/api/saved_objects/_import?overwrite=true"
    assert (hb["osd-xsrf"], hb["securitytenant"], hb["Authorization"]) == (
        "true", "equipe bleue", "Bearer sesame")
    assert b'"type":"lens"' in file_of(peer.requests[2])[2]


def error(kind, **more):
    return {"success": False, "successCount": 11, "errors": [
        {"type": "dashboard", "id": "mmlag-overview", "error": {"type": kind, **more}}]}


@pytest.mark.parametrize("answer,words", [
    ((200, error("conflict"), {}), "is there already"),
    ((200, error("ambiguous_conflict", destinations=[]), {}), "under other ids"),
    ((200, error("unsupported_type"), {}), "of a kind that this server does not know"),
    ((200, error("missing_references", references=[{"type": "index-pattern", "id": "mmlag-lag"}]), {}),
     "index-pattern mmlag-lag"),
    ((200, error("unknown", message="shard failure", statusCode=503), {}), "shard failure"),
    ((200, error("new_kind"), {}), "new_kind"),
    ((200, {"success": True, "successCount": 11, "errors": error("conflict")["errors"]}, {}),
     "11 of 12 objects imported"),
    ((200, {"success": False, "successCount": 0}, {}), "not why"),
    ((200, {"success": True, "successCount": 0}, {}), "it took 0 of 12 objects"),
    ((200, {"success": True, "successCount": 11}, {}), "it took 11 of 12 objects"),
    ((200, {"success": True}, {}), "not how many of 12 objects"),
    ((200, "<html>Please log in</html>", {}), "login"),
    ((200, "", {}), "not that of an import"),
    ((200, {"ok": True}, {}), "not that of an import"),
    ((302, "", {"Location": "/login"}), "login is needed"),
    ((400, {"statusCode": 400, "error": "Bad Request",
            "message": "Non-unique import objects detected: [dashboard:x]"}, {}), "Non-unique"),
    ((400, {"message": "Request must contain a kbn-xsrf header."}, {}), "kbn-xsrf"),
    ((401, {"message": "Unauthorized"}, {}), "--password-file"),
    ((403, {"message": "Unable to bulk_create dashboard"}, {}), "Saved Objects Management"),
    ((404, {"message": "Not Found"}, {}), "base path"),
    ((413, {"message": "Payload content length greater than maximum allowed: 26214400"}, {}),
     "savedObjects.maxImportPayloadBytes"),
    ((422, {"message": 'Document "x" has property "dashboard" which belongs to a more recent version of '
                       "Kibana [8.1.0]. The last known version is [7.6.0]"}, {}), "belongs to a more recent"),
    ((429, "", {}), "busy"),
    ((500, {"message": "An internal server error occurred"}, {}), "HTTP 500"),
    ((502, "<html>Bad gateway</html>", {}), "proxy"),
    ((503, "Kibana server is not ready yet", {}), "not ready"),
])
def test_every_known_answer_has_its_words(config, peer, answer, words):
    done = run(config, peer, answer=answer)
    assert done.returncode == 1
    assert words in done.stdout + done.stderr, done.stdout + done.stderr
    assert done.stderr.startswith("mmlag import: ") and done.stderr.count("\n") == 1


def test_a_hostile_answer_cannot_forge_a_line_or_speak_to_the_terminal(config, peer):
    evil = "x\n12 objects imported\x1b]0;owned\x07" + "y" * 5000
    done = run(config, peer, answer=(200, {
        "success": False, "successCount": 0,
        "errors": [{"type": evil, "id": evil, "error": {"type": "unknown", "message": evil}}]}, {}))
    assert done.returncode == 1 and "\x1b" not in done.stdout
    assert done.stdout.count("\n") == 2 and len(done.stdout) < 1500


def test_a_server_that_is_not_there_is_said(config, peer):
    peer.close()
    done = run(config, peer)
    assert done.returncode == 1 and "127.0.0.1" in done.stderr


@pytest.mark.parametrize("args", [
    ["kibana"], ["--url", "http://x"], ["kibana", "--url", "ftp://x"], ["kibana", "--url", "http://x?a=b"],
    ["kibana", "--url", "http://x", "--tenant", "t"], ["kibana", "--url", "http://x", "--space", "../x"],
    ["opensearch-dashboards", "--url", "http://x", "--space", "s"],
    ["opensearch-dashboards", "--url", "http://x", "--tenant", "a\nb: c"],
    ["opensearch-dashboards", "--url", "http://x", "--lens"], ["grafana", "--url", "http://x"]])
def test_a_wrong_use_sends_nothing(config, args):
    done = subprocess.run([MMLAG, "import", *args, "-c", config], capture_output=True, text=True,
                          timeout=60, check=False)
    assert done.returncode == 64 and "--help" in done.stderr
