# SPDX-License-Identifier: MIT
"""`mmlag report`: all that a support case needs, and no secret, wherever it stood. Needs no
server."""

import contextlib
import json
import os
import socket
import subprocess
import time

import pytest

from conftest import MMLAG, wait_for

SECRETS = {
    "es password": "s3cr3t-Elastic", "token": "s3cr3t-Token", "routing key": "s3cr3t-Routing",
    "hook": "https://hooks.example.org/services/T0/s3cr3t-Hook", "passphrase": "s3cr3t-Phrase",
    "key": "-----BEGIN KEY-----\ns3cr3tLineOne\ns3cr3tLineTwo\n-----END KEY-----",
    "mail": 's3cr3t"Mail', "broker": "s3cr3t-Broker", "beat": "https://beat.example.org/s3cr3t-Beat",
}
TITLES = ["versions", "findings of the configuration", "configuration",
          "files of the configuration", "system", "state directory", "spool", "/api/v1/status"]


def report(config, env=None):
    start = time.monotonic()
    run = subprocess.run([MMLAG, "report", "-c", str(config)], capture_output=True, text=True,
                         timeout=60, check=False, env=dict(os.environ, **(env or {})))
    assert time.monotonic() - start < 10
    assert (run.returncode, run.stderr) == (0, "")
    return run.stdout


def sections(text):
    got = {}
    for line in text.splitlines():
        if line.startswith("== ") and line.endswith(" =="):
            got[line[3:-3]] = []
        else:
            got[list(got)[-1]].append(line)
    return {title: "\n".join(lines) for title, lines in got.items()}


@pytest.fixture
def place(tmp_path):
    """A configuration with a secret at every place that can hold one."""
    files = {}
    for name, text in SECRETS.items():
        files[name] = tmp_path / (name.replace(" ", "-") + ".file")
        files[name].write_text(text + "\n")
        files[name].chmod(0o600)
    config = {
        "state_dir": str(tmp_path / "state"), "http": "off",
        "topics": [{"name": "orders", "host": "127.0.0.1", "port": 1, "user": "u",
                    "key_file": str(files["key"]), "passphrase_file": str(files["passphrase"]),
                    "group": "g", "kafka_home": "/k", "bootstrap_server": "b:1",
                    "env": {"KAFKA_OPTS": "-Dx=s3cr3t-Env"}, "labels": {"team": "blue"}},
                   {"name": "clicks", "host": "127.0.0.1", "port": 1, "user": "u",
                    "key_file": str(files["key"]), "group": "g", "format": "line",
                    "command": "P=s3cr3t-Var lag --password s3cr3t-Argument"}],
        "elasticsearch": {"hosts": ["https://127.0.0.1:1"], "username": "mmlag",
                          "password_file": str(files["es password"])},
        "brokers": [{"name": "dc1", "prometheus": "https://127.0.0.1:1",
                     "token_file": str(files["broker"])}],
        "receivers": [
            {"name": "a", "type": "webhook",
             "urls": ["https://127.0.0.1:1/in/s3cr3t-Path"]},
            {"name": "b", "type": "slack", "url_file": str(files["hook"])},
            {"name": "c", "type": "pagerduty", "routing_key_file": str(files["routing key"])},
            {"name": "d", "type": "command", "argv": ["/bin/tell", "--token=s3cr3t-Flag"]},
            {"name": "e", "type": "email", "smtp": "smtps://127.0.0.1:1", "from": "a@b.example",
             "to": ["c@b.example"], "username": "u", "password_file": str(files["mail"])}],
        "heartbeat": {"url_file": str(files["beat"])},
    }
    path = tmp_path / "mmlag.yaml"
    path.write_text(json.dumps(config))
    return path


def test_a_report_tells_all_but_secrets(place):
    text = report(place, {"HTTPS_PROXY": "http://p:s3cr3t-Proxy@127.0.0.1:1",
                          "ES_PASSWORD": "blue-and-long",
                          "http_proxy": "p:s3cr3t-Bare@127.0.0.1:1"})
    assert list(sections(text)) == TITLES
    assert "s3cr3t" not in text
    got = sections(text)
    assert got["versions"].startswith("mmlag ") and "libssh2 1." in got["versions"]
    config = json.loads(got["configuration"])
    assert config["elasticsearch"]["password_file"].endswith("es-password.file")
    assert config["topics"][0]["env"] == {"KAFKA_OPTS": "[redacted]"}
    assert config["topics"][0]["labels"] == {"team": "blue"}
    assert config["receivers"][0]["urls"] == ["https://127.0.0.1:1/[redacted]"]
    assert config["receivers"][3]["argv"] == ["/bin/tell", "[redacted]"]
    assert "es-password.file: our own, mode 0600, readable" in got["files of the configuration"]
    assert "http_proxy: [redacted]@127.0.0.1:1" in got["system"]
    assert "No such file" in got["state directory"]
    assert json.loads(got["spool"])["documents"] == 0
    assert "no mmlag is running here" in got["/api/v1/status"]
    assert not (place.parent / "state").exists()  # it has made nothing


def test_a_secret_that_was_put_elsewhere_too_is_found(place):
    config = json.loads(place.read_text())
    config["topics"][0]["labels"]["note"] = "the password is s3cr3t-Elastic"
    place.write_text(json.dumps(config))
    got = sections(report(place))
    assert "s3cr3t" not in str(got) and "the password is [redacted]" in got["configuration"]


@pytest.mark.parametrize("url", ["https://x:s3cr3t-User@127.0.0.1:1", "https://h/s3cr3t-Path?a=b",
                                 "https://h/?key=s3cr3t-Query", "https://h/s3cr3t-Path/../x"])
def test_a_finding_about_a_url_does_not_give_it_away(place, url):
    config = json.loads(place.read_text())
    config["receivers"][0]["urls"] = [url]
    place.write_text(json.dumps(config))
    got = sections(report(place))
    assert "s3cr3t" not in str(got)
    assert "error: urls: " in got["findings of the configuration"]
    run = subprocess.run([MMLAG, "check", "--offline", "-c", str(place)], capture_output=True,
                         text=True, timeout=60, check=False)
    assert run.returncode == 78 and "s3cr3t" not in run.stdout + run.stderr


def test_a_file_that_others_can_read_is_told(place):
    (place.parent / "es-password.file").chmod(0o644)
    got = sections(report(place))
    assert "mode 0644 lets others read it" in got["files of the configuration"]
    assert "error" in got["findings of the configuration"]


@pytest.mark.parametrize("text,words", [
    (None, "No such file"), ("", "the file is empty"), ("topics: [", "error"),
    ("topics:\n- name: a\n  colour: red\n", "unknown key")])
def test_without_a_usable_configuration_the_rest_is_told(tmp_path, text, words):
    path = tmp_path / "mmlag.yaml"
    if text is not None:
        path.write_text(text)
    got = sections(report(path, {"STATE_DIRECTORY": str(tmp_path / "state")}))
    assert words in got["findings of the configuration"]
    assert str(tmp_path / "state") in got["state directory"]


def test_the_running_daemon_is_asked(place):
    control = place.parent / "state" / "control.sock"
    with subprocess.Popen([MMLAG, "run", "-c", str(place)], stderr=subprocess.DEVNULL) as daemon:
        try:
            wait_for("the socket is there", 10, control.exists)
            text = wait_for("the metrics come", 10, lambda: "== /metrics ==" in (
                t := report(place)) and t)
        finally:
            daemon.terminate()
    got = sections(text)
    assert "s3cr3t" not in text
    assert json.loads(got["/api/v1/status"])["topics"]["total"] == 2
    assert "alerts" in json.loads(got["/api/v1/alerts"])
    assert "mmlag_topics" in got["/metrics"]
    assert f"process {daemon.pid} works in it" in got["state directory"]
    assert "mmlag.db" in got["state directory"]


def test_a_daemon_that_hangs_does_not_hold_it(place):
    (place.parent / "state").mkdir()
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as silent:
        silent.bind(str(place.parent / "state" / "control.sock"))
        silent.listen()
        got = sections(report(place))
    assert "/metrics" not in got and got["/api/v1/status"] != ""
