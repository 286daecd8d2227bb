# SPDX-License-Identifier: MIT
"""Servers, accounts and files as they are found: what can be lived with is, and the rest
has a reason and words that lead to its cause."""

import json
import os
import re
import socket
import subprocess
import sys
import threading
import time
import urllib.request

import pytest

from conftest import MMLAG, ROOT, Daemon, wait_for
from relay import Relay

sys.path.insert(0, os.path.join(ROOT, "scripts", "bench.d"))
from sshds import Sshd  # noqa: E402  pylint: disable=wrong-import-position

CLI = """#!/bin/bash
printf '\\nGROUP TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG CONSUMER-ID HOST CLIENT-ID\\n'
printf 'g a 0 5 9 4 c /h i\\n'
"""
DATA = (None, "")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class House:
    def __init__(self, path):
        self.path, self.n, self.prefix = path, 0, []
        self.server = Sshd(str(path / "sshd"), free_port())
        cli = path / "bin" / "kafka-consumer-groups.sh"
        cli.parent.mkdir()
        cli.write_text(CLI)
        cli.chmod(0o755)

    def once(self, known=None, **settings):
        """The document of one topic."""
        self.n += 1
        file = self.path / f"known-{self.n}"
        file.write_bytes(self.server.known_hosts().encode() if known is None else known)
        defaults = {"host": "127.0.0.1", "port": self.server.port, "user": self.server.user,
                    "key_file": self.server.key, "known_hosts": str(file), "group": "g",
                    "kafka_home": str(self.path), "bootstrap_server": "b:9092",
                    "interval": "1s", "timeout": "10s", **settings}
        config = self.path / "mmlag.yaml"
        config.write_text(json.dumps({"state_dir": str(self.path / "state"), "topics": ["a"],
                                      "defaults": defaults}))
        run = subprocess.run([*self.prefix, MMLAG, "once", "-c", str(config)], timeout=100,
                             capture_output=True, text=True, check=False)
        assert run.stdout, run.stderr
        return json.loads(run.stdout.splitlines()[0])

    def expect(self, outcome, **settings):
        document = self.once(**settings)
        reason, words = outcome
        assert document.get("reason") == reason, document
        assert words in document.get("message", ""), document
        assert reason or document["p0"] == 4


@pytest.fixture
def house(tmp_path):
    made = House(tmp_path)
    yield made
    made.server.stop()


SERVERS = {
    "a banner": ("Banner /etc/services", DATA),
    "no terminals": ("PermitTTY no", DATA),
    "little time to log in": ("LoginGraceTime 2", DATA),
    "a command of its own": ("ForceCommand echo no shell for you; exit 1",
                             ("command_ended", "no shell for you")),
    "files only": ("ForceCommand internal-sftp", ("command_ended", "sftp connections only")),
    "no keys": ("PubkeyAuthentication no\nKbdInteractiveAuthentication yes",
                ("ssh_auth", "takes only keyboard-interactive")),
    "a second factor": ("KbdInteractiveAuthentication yes\n"
                        "AuthenticationMethods publickey,keyboard-interactive",
                        ("ssh_auth", "wants more")),
    "somebody else": ("AllowUsers somebody", ("ssh_auth", "is refused")),
    "no sessions": ("MaxSessions 0", ("ssh_sessions", "MaxSessions")),
}


@pytest.mark.parametrize("name", SERVERS)
def test_a_server_as_it_is(house, name):
    extra, outcome = SERVERS[name]
    house.server.start(extra)
    house.expect(outcome)


def serve_each(answer):
    """A port where every caller is told this, and left; and the callers so far."""
    callers = []
    listener = socket.create_server(("127.0.0.1", 0), backlog=50)

    def serve():
        while True:
            near, caller = listener.accept()
            callers.append(caller)
            near.sendall(answer)
            near.close()
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1], callers


BESIDE = {  # what is wrong: its reason
    "no keys": "ssh_auth",
    "a second factor": "ssh_auth",
    "no sessions": "ssh_sessions",
    "other algorithms": "ssh_algorithm",
    "a new key": "ssh_host_key",
    "nobody": "ssh_unreachable",
    "no SSH": "ssh_unreachable",
    "hangs up": "ssh_busy",
}


def start_each(path):
    """{name: port} of the servers in BESIDE and a good one, the servers, known_hosts, and
    the callers of the one that hangs up."""
    settings = {n: SERVERS.get(n, ("",))[0] for n in ["good", *list(BESIDE)[:5]]}
    settings["other algorithms"] = "KexAlgorithms sntrup761x25519-sha512@openssh.com"
    servers = {n: Sshd(str(path / n.replace(" ", "-")), free_port()) for n in settings}
    for name, extra in settings.items():
        servers[name].start(extra)
    ports = {n: s.port for n, s in servers.items()}
    ports["nobody"] = free_port()
    ports["no SSH"], _ = serve_each(b"HTTP/1.1 400 Bad Request\r\n")
    ports["hangs up"], callers = serve_each(b"")
    known = "".join(s.known_hosts() for n, s in servers.items() if n != "a new key")
    return ports, servers, known, callers


def test_servers_that_are_odd_disturb_no_other_and_each_is_told_once(tmp_path):
    """The daemon, three topics on each."""
    ports, servers, known, callers = start_each(tmp_path)
    (tmp_path / "known").write_text(known)
    pages = free_port()
    topics = [{"name": f"{name.replace(' ', '-')}-{i}", "port": port,
               "key_file": servers.get(name, servers["good"]).key}
              for name, port in ports.items() for i in range(3)]
    (tmp_path / "mmlag.yaml").write_text(json.dumps({
        "state_dir": str(tmp_path / "state"), "http": {"listen": f"127.0.0.1:{pages}"},
        "defaults": {"host": "127.0.0.1", "user": servers["good"].user, "group": "g",
                     "known_hosts": str(tmp_path / "known"), "format": "line", "partitions": 1,
                     "command": "while :; do echo $((n+=1)); sleep 0.5; done"},
        "topics": topics}))
    daemon = Daemon(str(tmp_path / "mmlag.yaml"), str(tmp_path / "log"))
    began = time.monotonic()

    def seen(name, key):
        """What the pages say of the three."""
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{pages}/api/v1/topics",
                                        timeout=10) as answer:
                told = json.load(answer)["topics"]
        except OSError:  # not up yet
            return []
        return [t[key] for t in told if t["topic"].startswith(name.replace(" ", "-"))]

    try:
        for name, reason in BESIDE.items():
            wait_for(f"{reason}: {name}", 40, lambda n=name, r=reason: seen(n, "reason") == 3 * [r])
        wait_for("data", 40, lambda: None not in (seen("good", "lag_sum") or [None]))
        before = max(seen("good", "lag_sum"))
        wait_for("more tries", 40, lambda: len(callers) > 3)
        wait_for("more data", 40, lambda: min(seen("good", "lag_sum")) > before)
    finally:
        daemon.stop()
        for server in servers.values():
            server.stop()
    passed = time.monotonic() - began
    log = daemon.log()
    for name, reason in BESIDE.items():
        told = re.findall(rf"warn .*:{ports[name]}: no data from this host: (\w+)", log)
        assert told == [reason], (name, told)
    assert not re.search(r"good-\d: no data", log), log[-2000:]
    # one tries for all, each half minute; and the first connection was made at the start
    for name in ("no keys", "a second factor"):
        assert servers[name].said().count("Connection from") <= 2 + passed / 25


def test_a_slow_way_that_resets_is_taken_again(house):
    """Each byte takes its time both ways; what a box on the way resets is made anew."""
    house.server.start()
    wire = Relay(house.server.port, delay=0.05)
    known = house.server.known_hosts().replace(str(house.server.port), str(wire.port))
    (house.path / "known").write_text(known)
    (house.path / "mmlag.yaml").write_text(json.dumps({
        "state_dir": str(house.path / "state"), "http": "off", "topics": ["a"],
        "defaults": {"host": "127.0.0.1", "port": wire.port, "user": house.server.user,
                     "key_file": house.server.key, "known_hosts": str(house.path / "known"),
                     "group": "g", "format": "line", "partitions": 1,
                     "command": "while :; do echo 1; sleep 0.5; done"}}))
    daemon = Daemon(str(house.path / "mmlag.yaml"), str(house.path / "log"))
    try:
        wait_for("data", 30, lambda: "a: has data" in daemon.log())
        wire.reset()
        wait_for("its loss", 30, lambda: "Connection reset by peer" in daemon.log())
        wait_for("data again", 30, lambda: "gives data again" in daemon.log())
    finally:
        daemon.stop()
        wire.end()
    assert "no data from this host: ssh_lost: " in daemon.log(), daemon.log()


ACCOUNTS = {
    "speaks": ("echo welcome; stty erase ^H; printf 'no newline'; mesg y", DATA),
    "floods": ("printf '%s\\n' {1..3000}", DATA),
    "speaks Korean": ("export LC_ALL=ko_KR.UTF-8 LANG=ko_KR.UTF-8; echo 안녕 >&2", DATA),
    "is read again": ("export BASH_ENV=$HOME/.bashrc; echo again", DATA),
    "has no stderr": ("exec 2>&-", DATA),
    "ends": ("echo 'change your password'; exit 1", ("command_ended", "change your password")),
}


@pytest.mark.parametrize("name", ACCOUNTS)
def test_an_account_whose_start_up_file(house, name):
    text, outcome = ACCOUNTS[name]
    with open(f"{house.server.path}/.bashrc", "w", encoding="utf-8") as f:
        f.write(text)
    house.server.start()
    house.expect(outcome)


BASH = "/bin/bash"
AGES = {  # login shell, the fields of shadow(5) behind the password, outcome
    "expired": (BASH, "20000:0:99999:7::1:", ("ssh_auth", "the server closed the connection")),
    "a password that must be changed": (BASH, "0:0:99999:7:::", (
        "ssh_auth", "the password of this login has expired on the host")),
    "a password that is too old": (BASH, "10000:0:30:7:::", ("ssh_auth", "chage -M -1")),
    "a password that is near its end": (BASH, f"{int(time.time() / 86400) - 25}:0:30:7:::", DATA),
    "without a shell": ("/usr/sbin/nologin", "20000:0:99999:7:::", (
        "command_ended", "This account is currently not available; it is started again")),
}


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a host")
@pytest.mark.parametrize("name", AGES)
def test_an_account_that_is(house, name):
    shell, ages, outcome = AGES[name]
    server = house.server
    binds = []
    for file, line in (("passwd", f"aged:x:0:0::{server.path}:{shell}"),
                       ("shadow", f"aged:*:{ages}")):
        with open(f"/etc/{file}", encoding="utf-8") as f:
            text = f.read()
        with open(f"{server.path}/{file}", "w", encoding="utf-8") as f:
            f.write(f"{text}{line}\n")
        binds.append(f"mount --bind {server.path}/{file} /etc/{file} && ")
    server.prefix = ["unshare", "--mount", "sh", "-c", "".join(binds) + 'exec "$0" "$@"']
    server.start("UsePAM yes")
    house.expect(outcome, user="aged")


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can name hosts")
def test_each_address_of_a_name_is_tried_in_turn(house):
    hosts = house.path / "hosts"
    house.server.start()
    house.prefix = ["unshare", "--mount", "sh", "-c",
                    f'mount --bind {hosts} /etc/hosts && exec "$0" "$@"']
    port = in_front(house.server.port, b"", "127.0.0.3")
    known = f"[many]:{port} {house.server.known_hosts().split(' ', 1)[1]}".encode()
    for last, outcome in (("127.0.0.3", DATA), ("127.0.0.4", ("ssh_unreachable", ": Connection "
                                                                                 "refused"))):
        hosts.write_text(f"127.0.0.1 many\n127.0.0.2 many\n{last} many\n")
        first = subprocess.run([*house.prefix, "getent", "ahosts", "many"], text=True, check=True,
                               capture_output=True).stdout.split()[0]
        assert first != last
        house.expect(outcome, host="many", port=port, known=known)


def in_front(port, words, address="127.0.0.1"):
    """Says these words, and then is the server at the port."""
    listener = socket.create_server((address, 0))

    def serve():
        near, _ = listener.accept()
        near.sendall(words)
        far = socket.create_connection(("127.0.0.1", port))

        def carry(a, b):
            try:
                while data := a.recv(65536):
                    b.sendall(data)
                b.shutdown(socket.SHUT_WR)
            except OSError:
                pass
        threading.Thread(target=carry, args=(near, far), daemon=True).start()
        carry(far, near)
    threading.Thread(target=serve, daemon=True).start()
    return listener.getsockname()[1]


def test_eight_kilobytes_before_the_version_are_listened_to(house):
    house.server.start()
    port = in_front(house.server.port, b"welcome to this machine\r\n" * 400)
    known = house.server.known_hosts().replace(str(house.server.port), str(port))
    house.expect(DATA, port=port, known=known.encode())


def test_known_hosts_as_they_are(house):
    house.server.start()
    line = house.server.known_hosts().encode()
    kind, key = line.split()[1:]
    name = line.split()[0]
    for text, outcome in (
            (line.replace(b"\n", b"\r\n"), DATA),
            (line.rstrip(b"\n"), DATA),
            (b"\0\xff garbage\n" + b"x" * 9000 + b"\n@weird " + line + b"# \n" + line, DATA),
            (b"@cert-authority * " + kind + b" " + key + b"\n" + line, DATA),
            (b"[127.0.0.*]:* " + kind + b" " + key, DATA),
            (b"@revoked * " + kind + b" " + key + b"\n" + line, ("ssh_host_key", "is revoked")),
            (name + b" " + kind + b" AAAA\n", ("ssh_host_key", "is unknown")),
            (b"", ("ssh_host_key", "is unknown"))):
        house.expect(outcome, known=text)


def test_accept_new_appends_one_line_to_a_file_without_a_last_newline(house):
    house.server.start()
    house.expect(DATA, known=b"# ours", host_key="accept-new")
    assert (house.path / "known-1").read_text() == "# ours\n" + house.server.known_hosts()


def test_a_key_file_as_it_is(house, tmp_path):
    house.server.start()
    with open(house.server.key, encoding="ascii") as f:
        key = f.read()
    for text, outcome in ((key.replace("\n", "\r\n"), DATA),
                          ("\n# mine\n" + key + "\n \n", DATA),
                          (key.rstrip("\n"), DATA),
                          (key.replace("\n", " \n"), ("ssh_auth", "blanks at the ends"))):
        file = tmp_path / "key"
        file.write_text(text)
        file.chmod(0o600)
        house.expect(outcome, key_file=str(file))
