# SPDX-License-Identifier: MIT
"""SIGHUP: another configuration while the daemon runs, on a real sshd."""

import http.client
import json
import os
import pathlib
import re
import signal
import socket
import urllib.request

import pytest

from conftest import wait_for

ENDLESS = "while :; do echo 1 2 3; sleep 0.5; done\n"


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class House:
    """A daemon whose topics are lines of a shell loop, and the words of its pages."""

    def __init__(self, workplace):
        self.workplace = workplace
        self.port = free_port()
        self.path = self.write(["a", "b"])
        self.daemon = workplace.daemon(self.path)

    def write(self, topics, **sections):
        entries = [t if isinstance(t, dict) else {"name": t} for t in topics]
        defaults = {"command": ENDLESS, "format": "line", "kafka_home": None, "partitions": 3,
                    "bootstrap_server": None, "command_config": None, "share": "topic"}
        return self.workplace.config(
            topics=entries, defaults=defaults,
            **{"http": {"listen": f"127.0.0.1:{self.port}"}, **sections})

    def hup(self):
        self.daemon.process.send_signal(signal.SIGHUP)

    def page(self, path="/metrics"):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}{path}",
                                        timeout=5) as answer:
                return answer.read().decode()
        except OSError:  # the listener begins anew
            return ""

    def set_level(self, level):
        c = http.client.HTTPConnection("localhost")
        c.sock = socket.socket(socket.AF_UNIX)
        c.sock.connect(str(self.workplace.path / "state" / "control.sock"))
        c.request("POST", "/api/v1/loglevel", json.dumps({"level": level}),
                  {"Content-Type": "application/json"})
        assert c.getresponse().status == 200
        c.close()

    def level(self):
        return json.loads(self.page("/v3/admin/loglevel"))["level"]

    def figure(self, name):
        found = re.search(rf"^{name} (\S+)$", self.page(), re.M)
        return float(found.group(1)) if found else None

    def lags(self):
        return {m[0]: float(m[1]) for m in re.findall(
            r'^mmlag_topic_lag\{[^}]*topic="([^"]+)"\} (\S+)$', self.page(), re.M)}


@pytest.fixture
def house(workplace):
    h = House(workplace)
    wait_for("both topics have data", 30, lambda: h.lags() == {"a": 6, "b": 6})
    return h


def opened(house):
    return house.figure("mmlag_ssh_sessions_opened_total")


def test_what_is_the_same_goes_on_and_the_rest_follows_the_file(house):
    assert opened(house) == 2 and house.figure("mmlag_config_last_reload_successful") == 1
    started = house.figure("mmlag_start_time_seconds")
    house.set_level("debug")
    house.write(["a", "c", {"name": "d", "command": ENDLESS.replace("3", "7")}],
                receivers=[{"name": "ops", "type": "command", "argv": ["/bin/true"]}])
    house.hup()
    wait_for("the new topics have data", 30,
             lambda: house.lags() == {"a": 6, "c": 6, "d": 10})
    assert opened(house) == 4, "the session of the untouched topic was opened again"
    assert house.figure("mmlag_start_time_seconds") == started
    status = json.loads(house.page("/api/v1/status"))
    assert [r["name"] for r in status["receivers"]] == ["ops"]
    log = house.daemon.log()
    assert log.count(" a: has data") == 1 and log.count(" c: has data") == 1
    assert "3 topics, 3 remote commands, 1 of them as before" in log
    assert house.level() == "debug", "who set it at run time is not done yet"
    house.write([{"name": "a", "labels": {"team": "x"}}, "c"], log={"level": "warn"})
    house.hup()
    wait_for("the label is there", 30, lambda: '"team":"x"' in house.page("/api/v1/topics"))
    assert house.level() == "warn", "the file has another one than before"
    assert opened(house) == 5 and set(house.lags()) <= {"a", "c"}
    assert house.daemon.stop() == 0


@pytest.mark.parametrize("spoil,says", [
    (lambda text: text[:-20], "mmlag.yaml:"),
    (lambda text: text.replace("{", '{"topicz": 1,', 1), ':1:2: unknown key "topicz"'),
])
def test_a_file_that_is_wrong_changes_nothing(house, spoil, says):
    right = pathlib.Path(house.path).read_text(encoding="utf-8")
    pathlib.Path(house.path).write_text(spoil(right), encoding="utf-8")
    house.hup()
    wait_for("it is refused", 20,
             lambda: house.figure("mmlag_config_last_reload_successful") == 0)
    log = house.daemon.log()
    assert "the configuration stays as it was" in log and says in log
    assert opened(house) == 2 and house.lags() == {"a": 6, "b": 6}
    pathlib.Path(house.path).write_text(right, encoding="utf-8")
    house.hup()
    wait_for("the right one is taken", 20,
             lambda: house.figure("mmlag_config_last_reload_successful") == 1)
    assert opened(house) == 2
    assert house.daemon.stop() == 0


def test_neither_a_secret_nobody_can_read_nor_another_state_directory_is_taken(
        house, tmp_path):
    house.write(["a", "b"], heartbeat={"url_file": str(tmp_path / "nowhere")})
    house.hup()
    wait_for("the secret is missed", 20, lambda: "nowhere" in house.daemon.log())
    house.write(["a", "b"], state_dir=str(tmp_path / "elsewhere"))
    house.hup()
    wait_for("the state directory stays", 20,
             lambda: "state_dir cannot move" in house.daemon.log())
    assert house.figure("mmlag_config_last_reload_successful") == 0
    assert opened(house) == 2
    assert house.daemon.stop() == 0


def test_many_reloads_leave_nothing_behind(house):
    process = pathlib.Path(f"/proc/{house.daemon.process.pid}")

    def holds():
        threads = re.search(r"Threads:\s+(\d+)", (process / "status").read_text())
        return len(os.listdir(process / "fd")), int(threads.group(1))

    taken = "mmlag_config_last_reload_success_timestamp_seconds"
    before = holds()
    for n in range(30):
        last = house.figure(taken)
        house.write(["a", "b" if n % 2 else "c"])
        house.hup()
        wait_for("it is taken over", 20, lambda t=last: (house.figure(taken) or 0) > t)
    wait_for("b is back", 30, lambda: house.lags() == {"a": 6, "b": 6})
    wait_for("nothing is left behind", 20, lambda: holds() <= before)
    assert opened(house) <= 2 + 30
    assert house.daemon.stop() == 0
