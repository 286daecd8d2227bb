# SPDX-License-Identifier: MIT
"""`source: exporter` under the daemon: a page takes the place of the CLI, and documents,
verdicts, alerts and pages are the same."""

import json
import ssl
import subprocess
import urllib.error
import urllib.request

import pytest

from conftest import Daemon, wait_for
from others import Site, free_port, mmlag, plain


def page(lag, members=2):
    return f"""kafka_topic_partition_current_offset{{partition="0",topic="orders"}} {1000 + lag}
kafka_consumergroup_current_offset{{consumergroup="g",partition="0",topic="orders"}} 1000
kafka_consumergroup_lag{{consumergroup="g",partition="0",topic="orders"}} {lag}
kafka_consumergroup_current_offset{{consumergroup="g",partition="1",topic="orders"}} -1
kafka_consumergroup_lag{{consumergroup="g",partition="1",topic="orders"}} -1
kafka_consumergroup_members{{consumergroup="g"}} {members}
"""


@pytest.fixture
def site():
    s = Site()
    yield s
    s.shutdown()
    s.server_close()


def config(path, site, **more):
    file = path / "mmlag.yaml"
    file.write_text(json.dumps({
        "state_dir": str(path / "state"), "topics": ["orders"], "http": "off",
        "defaults": {"source": "exporter", "url": site.url + "/metrics", "group": "g", "interval": "1s",
                     **more.pop("defaults", {})}, **more}))
    return str(file)


def test_a_page_feeds_verdicts_alerts_and_pages(site, tmp_path):
    port, told = free_port(), []
    site.answer = plain(page(500))
    site.post = told.append
    daemon = Daemon(config(
        tmp_path, site, http={"listen": f"127.0.0.1:{port}"}, alerts={"group_wait": "0s"},
        receivers=[{"name": "hook", "type": "webhook", "urls": [site.url + "/hook"]}],
        defaults={"rules": {"window": "10s", "minimum_complete": 0},
                  "thresholds": [{"on": "topic", "critical": 400, "for": "0s"}]}),
        str(tmp_path / "mmlag.log"))

    def get(path):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=5) as answer:
                return answer.read().decode()
        except OSError:
            return ""

    def topic():
        found = json.loads(get("/api/v1/topics") or "{}").get("topics", [{}])
        return found[0] if found else {}

    try:
        seen = wait_for("a verdict", 30, lambda: (t := topic()).get("status") in ("WARN", "ERR") and t)
        assert (seen["lag_sum"], seen["members"]) == (500, 2)
        assert seen["rule"] in ("lag_not_falling", "stalled")  # it becomes that after the window
        assert 'kafka_consumergroup_lag{consumergroup="g",partition="0",topic="orders"} 500\n' in get("/metrics")
        assert 'kafka_consumergroup_lag{consumergroup="g",partition="1",topic="orders"} -1\n' in get("/metrics")
        assert "g" in json.loads(get("/v3/kafka/default/consumer"))["consumers"]
        fired = wait_for("the alert", 30, lambda: [a for t in told for a in t["alerts"]
                                                   if a["labels"]["rule"] == "topic_lag"])
        assert fired[0]["status"] == "firing" and fired[0]["labels"]["topic"] == "orders"

        site.answer = plain("no exporter today\n", 503)
        gone = wait_for("a gap", 30, lambda: (t := topic()).get("status") == "NODATA" and t)
        assert gone["reason"] == "source_error" and "answers 503: no exporter today" in gone["message"]
        assert "kafka_consumergroup_lag{" not in get("/metrics")

        site.answer = plain(page(0))
        wait_for("data again", 30, lambda: topic().get("status") == "OK")
    finally:
        assert daemon.stop() == 0


def test_an_exporter_that_wants_tls_and_a_name_gets_them(site, tmp_path):
    subprocess.run(["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=x",
                    "-addext", "subjectAltName=IP:127.0.0.1", "-keyout", "key.pem", "-out", "ca.pem"],
                   check=True, capture_output=True, cwd=tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "ca.pem", tmp_path / "key.pem")
    site.wrap(context)
    for name, text in (("password", "secret\n"), ("token", "t0ken\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)
    basic, bearer = "Basic bWU6c2VjcmV0", "Bearer t0ken"
    allowed = []
    site.answer = lambda h: plain(*((page(5),) if h.headers["Authorization"] in allowed else ("who?", 401)))(h)

    def once(**defaults):
        run = mmlag("once", "-c", config(tmp_path, site, defaults=defaults))
        return json.loads(run.stdout)

    ca, password, token = (str(tmp_path / n) for n in ("ca.pem", "password", "token"))
    assert "ca_file" in once()["message"]
    assert "answers 401: who?" in once(ca_file=ca)["message"]
    allowed[:] = [basic]
    assert once(ca_file=ca, username="me", password_file=password)["p0"] == 5
    assert mmlag("watch", "--exporter", site.url, "--group", "g", "--count", "1", "--ca-file", ca,
                 "--user", "me", "--password-file", password).stdout == "Current Lag for g: 5\n"
    allowed[:] = [bearer]
    assert once(ca_file=ca, token_file=token)["p0"] == 5
    assert mmlag("watch", "--exporter", site.url, "--group", "g", "--count", "1", "--ca-file", ca,
                 "--token-file", token).stdout == "Current Lag for g: 5\n"
