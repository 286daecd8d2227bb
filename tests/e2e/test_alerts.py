# SPDX-License-Identifier: MIT
"""The mirror is stopped for real: an alert at a real Alertmanager, at a webhook and from a
command; and the end of it when the mirror runs again."""

import email
import email.policy
import http.server
import json
import os
import re
import shutil
import socket
import socketserver
import subprocess
import threading
import time
import urllib.request

import pytest

from conftest import TOPICS, wait_for

WINDOW = "20s"


class Hook:
    """A webhook that refuses its first message, and keeps what it is told."""

    def __init__(self):
        told = self.told = []
        self.tries = tries = []

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self):  # noqa: N802
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                tries.append(body)
                if len(tries) > 1:
                    told.append(body)
                self.send_response(200 if len(tries) > 1 else 503)
                self.end_headers()

            def log_message(self, *args):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/secret-path"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


class Mailbox(socketserver.StreamRequestHandler):
    """As much of an SMTP server as one mail needs."""

    def handle(self):
        def say(line):
            self.wfile.write(line.encode() + b"\r\n")

        say("220 mail")
        while line := self.rfile.readline().decode().strip():
            if line == "DATA":
                say("354 go on")
                text = b""
                while (more := self.rfile.readline()) != b".\r\n":
                    text += more
                self.server.mails.append(text)
            elif not line.startswith(("EHLO", "QUIT")):
                self.server.envelope.append(line)
            say("250 fine" if line != "QUIT" else "221 bye")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Alertmanager:
    def __init__(self, path):
        self.url = f"http://127.0.0.1:{free_port()}"
        config = path / "alertmanager.yml"
        config.write_text("route: {receiver: none}\nreceivers: [{name: none}]\n")
        self.process = subprocess.Popen(
            ["prometheus-alertmanager", f"--config.file={config}",
             f"--storage.path={path / 'am'}", "--cluster.listen-address=",
             f"--web.listen-address={self.url[7:]}"],
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        wait_for("Alertmanager is ready", 20, self.ready)

    def ready(self):
        try:
            with urllib.request.urlopen(self.url + "/-/ready", timeout=2) as answer:
                return answer.status == 200
        except OSError:
            return False

    def alerts(self, rule):
        with urllib.request.urlopen(self.url + "/api/v2/alerts", timeout=5) as answer:
            return [a for a in json.load(answer) if a["labels"]["rule"] == rule]

    def close(self):
        self.process.terminate()
        self.process.wait(10)


@pytest.fixture
def hook():
    h = Hook()
    yield h
    h.close()


@pytest.fixture
def alertmanager(tmp_path):
    if not shutil.which("prometheus-alertmanager"):
        pytest.fail("prometheus-alertmanager is missing: scripts/setup test")
    a = Alertmanager(tmp_path)
    yield a
    a.close()


@pytest.fixture
def mirror(lab):
    yield lambda verb: lab("mirror", verb)
    lab("mirror", "start")


def receivers(workplace, hook, alertmanager):
    url_file = workplace.path / "hook.url"
    url_file.write_text(hook.url + "\n")
    url_file.chmod(0o600)
    dead = f"http://127.0.0.1:{free_port()}"
    told = workplace.path / "told"
    return [{"name": "am", "type": "alertmanager", "urls": [alertmanager.url, dead]},
            {"name": "hook", "type": "webhook", "url_file": str(url_file)},
            {"name": "cmd", "type": "command",
             "argv": ["/usr/bin/python3", "-c",
                      "import sys; open(sys.argv[1], 'a').write(sys.stdin.read() + '\\n')",
                      str(told)]}], told


def test_a_stopped_mirror_is_told_everywhere_and_so_is_its_end(
        workplace, lab, search, index, hook, alertmanager, mirror):
    listed, told = receivers(workplace, hook, alertmanager)
    config = workplace.config(
        index=index, topics=["orders"], defaults={"rules": {"window": WINDOW}},
        alerts={"group_wait": "1s"}, receivers=listed)

    daemon = workplace.daemon(config)
    wait_for("samples", 90, lambda: "has data" in daemon.log())
    mirror("stop")
    [alert] = wait_for("the alert at Alertmanager", 90, lambda: alertmanager.alerts("stopped"))
    assert alert["labels"] == {
        "alertname": "mmlag_stopped", "cluster": "default", "group": lab.group,
        "rule": "stopped", "severity": "critical", "topic": "orders"}
    assert alert["status"]["state"] == "active" and "STOP" in alert["annotations"]["summary"]

    def about(state):
        return [a for m in hook.told for a in m["alerts"]
                if a["labels"]["rule"] == "stopped" and a["status"] == state]

    [told_hook, *_] = wait_for("the webhook, after a refusal", 30, lambda: about("firing"))
    assert told_hook["fingerprint"] == alert["fingerprint"], "as Alertmanager counts it"
    assert hook.tries[0]["version"] == "4"
    wait_for("the command", 10, told.exists)

    mirror("start")
    wait_for("the end, at the webhook", 90, lambda: about("resolved"))
    wait_for("the end, at Alertmanager", 30, lambda: not alertmanager.alerts("stopped"))

    assert daemon.stop() == 0
    events = search.documents(index, {"term": {"event": "alert"}})
    stopped = [e for e in events if e["rule"] == "stopped"]
    assert [e["state"] for e in stopped] == ["firing", "resolved"]
    assert len({e["incident"] for e in stopped}) == 1
    for e in stopped:
        assert e["topic"] == "orders" and e["severity"] == "critical"
        assert e["partitions"] and e["message"] and e["since"] <= e["@timestamp"]
        assert not [k for k in e if k.startswith("lag_") or k[:1] == "p" and k[1:].isdigit()]
    assert "secret-path" not in daemon.log()


class Told:
    """What Alertmanager and the webhook know of one rule, with the time that it took."""

    def __init__(self, alertmanager, hook, rule, since):
        self.alertmanager, self.hook, self.rule, self.since = alertmanager, hook, rule, since
        self.took = {}

    def wait(self, state, seconds):
        def of_hook():
            return [a for m in self.hook.told for a in m["alerts"]
                    if a["labels"]["rule"] == self.rule and a["status"] == state]

        wait_for(f"{self.rule}: {state} at the webhook", seconds, of_hook)
        self.took[state] = time.monotonic() - self.since
        wait_for(f"{self.rule}: {state} at Alertmanager", 30, lambda: bool(
            self.alertmanager.alerts(self.rule)) == (state == "firing"))
        return of_hook()[-1]


# What happens, what is seen of it, and how long it may take beside two windows: the
# session of a paused member times out after 10 s. MirrorMaker 1 ends when it then finds
# that it may not commit any more, so somebody starts it anew.
HAPPENINGS = [
    ("paused", lambda lab: lab("mirror", "pause"),
     lambda lab: (lab("mirror", "resume"), lab("mirror", "restart")), "stopped", "STOP"),
    ("reset", lambda lab: (lab("mirror", "stop"), earlier(lab)),
     lambda lab: lab("mirror", "start"), "rewound", "REWIND"),
    pytest.param("starved", lambda lab: lab("throttle", "1"), lambda lab: lab("throttle", "off"),
                 "stalled", "STALL", marks=pytest.mark.skipif(
                     os.environ.get("ALL") != "1", reason="takes long: ALL=1")),
]


def judged(page):
    with urllib.request.urlopen(page + "api/v1/topics", timeout=10) as answer:
        return json.load(answer)["topics"][0]["rule"] != "incomplete"


def earlier(lab):
    """Set the offsets back, which is possible as soon as the group has no members."""
    def done():
        try:
            lab("commit", lab.group, *[f"orders:{p}:0" for p in range(TOPICS["orders"])])
            return True
        except subprocess.CalledProcessError:
            return False

    wait_for("the offsets are set back", 60, done)


@pytest.mark.parametrize("what,do,undo,rule,verdict", HAPPENINGS, ids=lambda v: str(v)[:8])
def test_what_happens_to_the_mirror_is_told_by_its_name_in_time(
        workplace, lab, hook, alertmanager, mirror, what, do, undo, rule, verdict):
    listed, _ = receivers(workplace, hook, alertmanager)
    hook.tries.append("as if it had been tried before")
    config = workplace.config(topics=["orders"], alerts={"group_wait": "1s"},
                              defaults={"rules": {"window": WINDOW}}, receivers=listed)
    daemon = workplace.daemon(config)
    wait_for("samples", 90, lambda: "orders: has data" in daemon.log())
    page = re.search(r"pages on (\S+)", daemon.log()).group(1)
    wait_for("half a window", 60, lambda: judged(page))  # before that nothing is judged
    told = Told(alertmanager, hook, rule, time.monotonic())
    try:
        do(lab)
        alert = told.wait("firing", 120)
    finally:
        undo(lab)
    assert alert["labels"]["topic"] == "orders" and verdict in alert["annotations"]["summary"]
    assert alert["annotations"]["partitions"]
    told.since = time.monotonic()
    told.wait("resolved", 150)
    assert daemon.stop() == 0
    print(f"{what}: told after {told.took['firing']:.0f} s, its end after "
          f"{told.took['resolved']:.0f} s")


def test_notify_test_shows_request_status_and_answer(workplace, hook, alertmanager):
    listed, _ = receivers(workplace, hook, alertmanager)
    config = workplace.config(receivers=listed)
    hook.tries.append("as if it had been tried before")

    done = workplace.run("notify", "test", "-c", config, "hook")
    assert done.returncode == 0, done.stdout
    assert "hook: ok" in done.stdout and "status   200" in done.stdout
    assert "secret-path" not in done.stdout + done.stderr
    [message] = hook.told
    assert message["alerts"][0]["labels"]["alertname"] == "mmlag_test"
    assert message["commonAnnotations"] == message["alerts"][0]["annotations"]

    done = workplace.run("notify", "test", "-c", config)
    assert done.returncode == 1  # one of the two Alertmanagers is not there
    assert done.stdout.count("am: ok") == 1 and done.stdout.count("am: FAILED") == 1
    assert workplace.run("notify", "test", "-c", config, "nobody").returncode == 1
    assert workplace.run("notify", "-c", config).returncode == 64


def test_a_mail_arrives_and_can_be_read(workplace):
    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Mailbox) as server:
        server.mails, server.envelope = [], []
        threading.Thread(target=server.serve_forever, daemon=True).start()
        config = workplace.config(receivers=[{
            "name": "mail", "type": "email", "from": "mmlag@x.example",
            "to": ["a@x.example", "b@x.example"],
            "smtp": f"127.0.0.1:{server.server_address[1]}"}])
        asked = workplace.run("check", "-c", config)
        server.envelope.clear()
        assert not server.mails
        done = workplace.run("notify", "test", "-c", config)
        server.shutdown()
    gone = workplace.run("check", "-c", config)
    assert done.returncode == 0, done.stdout
    [line] = [x for x in asked.stdout.splitlines() if "receiver mail" in x]
    assert "answers" in line and "FAIL" not in line.upper()
    [line] = [x for x in gone.stdout.splitlines() if "receiver mail" in x]
    assert "Connection refused" in line or "connect" in line
    assert server.envelope == ["MAIL FROM:<mmlag@x.example>", "RCPT TO:<a@x.example>",
                               "RCPT TO:<b@x.example>"]
    mail = email.message_from_bytes(server.mails[0], policy=email.policy.default)
    assert mail["Subject"] == "[FIRING:1] mmlag: test"
    assert "nothing is wrong" in mail.get_content()
