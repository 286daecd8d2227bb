# SPDX-License-Identifier: MIT
"""Names as nobody would choose them, from a metrics page through a running mmlag into
everything that it gives: documents, pages, metrics, Burrow's API, tail, every receiver.
What comes out is read by another implementation and must be the name again. What Kafka
cannot have as a topic's name is not taken for one, and comes out nowhere."""

import email
import email.policy
import http.server
import json
import re
import socketserver
import subprocess
import threading
import urllib.parse

import pytest

from conftest import MMLAG, wait_for
from test_alerts import Mailbox
from test_serve import Answer, Local, free_port

GROUP = "it's \"my\" group  <b>x</b> \\ 한국 {{x}} $y"
NAMES = ["x" * 249, "-1.0", "_"]
NONE = ["<script>alert(1)</script>", "x" * 250, "a,b\"c'd\\e", "=1+1", "..", ""]


def label(text):
    return text.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n")


class World(http.server.BaseHTTPRequestHandler):
    """The page that is looked at, and what every receiver speaks to."""

    def do_GET(self):
        rows = [f'{{consumergroup="{label(GROUP)}",topic="{label(n)}",partition="{p}"}}' for n in NAMES + NONE for p in (0, 1)]
        body = "".join(f"kafka_consumergroup_lag{r} 5000\nkafka_consumergroup_current_offset{r} 7\n" for r in rows).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.told.setdefault(self.path.split("/")[1], []).append(json.loads(body))
        self.send_response(202 if self.path.startswith("/pagerduty") else 200)
        self.send_header("Content-Length", "2")
        self.end_headers()
        self.wfile.write(b"ok" if self.path.startswith("/slack") else b"{}")

    def log_message(self, *args):
        pass


@pytest.fixture(scope="module")
def world():
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), World) as web, \
            socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as post:
        web.told, post.mails, post.envelope = {}, [], []
        for s in (web, post):
            threading.Thread(target=s.serve_forever, args=(0.02,), daemon=True).start()
        yield web, post
        web.shutdown()
        post.shutdown()


def secret(workplace, name, text):
    file = workplace.path / name
    file.write_text(text + "\n")
    file.chmod(0o600)
    return str(file)


def receivers(workplace, web, post):
    url = f"http://127.0.0.1:{web.server_port}"
    return [
        {"name": "am", "type": "alertmanager", "urls": [url + "/alertmanager"]},
        {"name": "hook", "type": "webhook", "urls": [url + "/webhook"]},
        {"name": "slack", "type": "slack", "urls": [url + "/slack"]},
        {"name": "pd", "type": "pagerduty", "urls": [url + "/pagerduty"], "routing_key_file": secret(workplace, "key", "k")},
        {"name": "mail", "type": "email", "from": "m@x.example", "to": ["a@x.example"],
         "smtp": f"127.0.0.1:{post.server_address[1]}"},
        {"name": "cmd", "type": "command", "argv": ["/usr/bin/tee", str(workplace.path / "told")]}]


def texts(node):
    """Every string within."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, (dict, list)):
        for v in node.values() if isinstance(node, dict) else node:
            yield from texts(v)


def test_names_come_out_of_everything_as_they_went_in(workplace, index, search, world):
    web, post = world
    port = free_port()
    config = workplace.config(
        index=index, topics=[{"match": ".*"}], receivers=receivers(workplace, web, post), alerts={"group_wait": "1s"},
        http={"listen": f"127.0.0.1:{port}"},
        defaults={"source": "exporter", "url": f"http://127.0.0.1:{web.server_port}/metrics", "group": GROUP.replace("$", "$$"),
                  "interval": "1s", "thresholds": [{"on": "topic", "of": "messages", "critical": 100, "for": "1s"}],
                  **{k: None for k in ("host", "port", "user", "key_file", "known_hosts", "kafka_home", "bootstrap_server",
                                       "command_config", "share")}})
    daemon = workplace.daemon(config)

    def ask(path):
        c = Local(str(workplace.path / "state" / "control.sock"))
        c.request("GET", path)
        return Answer(c.getresponse())

    wait_for("all topics", 60, lambda: "pages on" in daemon.log() and
             {t["topic"] for t in ask("/api/v1/topics").json()["topics"]} >= set(NAMES))
    for name in NAMES:
        one = ask(f"/api/v1/topics/{urllib.parse.quote(name, safe='')}?group={urllib.parse.quote(GROUP, safe='')}").json()
        assert (one["topic"]["topic"], one["topic"]["group"]) == (name, GROUP)
    page = ask("/metrics").body.decode()
    got = re.findall(r'^kafka_consumergroup_lag\{consumergroup="((?:[^"\\]|\\.)*)",partition="0",topic="((?:[^"\\]|\\.)*)"\} 5000$', page, re.M)
    assert sorted(got) == sorted((label(GROUP), label(n)) for n in NAMES)
    quoted = urllib.parse.quote(GROUP, safe="")
    assert ask("/v3/kafka/default/consumer").json()["consumers"] == [GROUP]
    assert sorted(ask(f"/v3/kafka/default/consumer/{quoted}").json()["topics"]) == sorted(NAMES)
    status = ask(f"/v3/kafka/default/consumer/{quoted}/lag").json()["status"]
    assert status["group"] == GROUP and {p["topic"] for p in status["partitions"]} == set(NAMES)
    wait_for("documents", 60, lambda: {d["topic"] for d in search.documents(index)} == set(NAMES))
    assert {d["group"] for d in search.documents(index)} == {GROUP}
    tail = subprocess.Popen([MMLAG, "tail", "-c", config, "--topic", NAMES[0]], stdout=subprocess.PIPE, text=True)
    first = json.loads(tail.stdout.readline())
    tail.terminate()
    tail.wait(5)
    assert (first["topic"], first["group"]) == (NAMES[0], GROUP)

    told = web.told
    wait_for("everybody is told", 60, lambda: {"alertmanager", "webhook", "slack", "pagerduty"} <= set(told) and post.mails
             and (workplace.path / "told").exists() and (workplace.path / "told").stat().st_size)
    assert daemon.stop() == 0

    def labels(alerts):
        return {(a["labels"]["topic"], a["labels"]["group"]) for a in alerts if a["labels"].get("topic")}
    everyone = {(n, GROUP) for n in NAMES}
    assert labels(a for m in told["alertmanager"] for a in m) == everyone
    assert labels(a for m in told["webhook"] for a in m["alerts"]) == everyone
    slack = "".join(t for m in told["slack"] for t in texts(m))
    assert all(n in slack for n in NAMES) and GROUP.replace("<", "&lt;").replace(">", "&gt;") in slack
    assert "<b>" not in json.dumps(told["slack"])
    paged = [m["payload"] for m in told["pagerduty"]]
    assert {p["group"] for p in paged} == {GROUP} and all(n in "".join(p["summary"] for p in paged) for n in NAMES)
    mail = email.message_from_bytes(post.mails[0], policy=email.policy.default)
    text = mail.get_content()
    assert mail.get_content_type() == "text/plain" and all(n in text for n in NAMES) and GROUP in text
    alerts = json.loads((workplace.path / "told").read_text())["alerts"]
    assert labels(alerts) == everyone
    everything = daemon.log() + page + json.dumps(told) + str(post.mails) + json.dumps(search.documents(index))
    assert "alert(1)" not in everything and "x" * 250 not in everything
