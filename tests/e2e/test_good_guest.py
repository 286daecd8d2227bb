# SPDX-License-Identifier: MIT
"""A server that holds failed logins against their address and shuts it out when they are
many (PerSourcePenalties): we are never the cause, and sit it out when others are."""

import json
import os
import re
import socket
import subprocess
import sys
import time

import pytest

from conftest import ROOT, Daemon, wait_for
from delivery import run_apart

sys.path.insert(0, os.path.join(ROOT, "scripts", "bench.d"))
from sshds import Sshd  # noqa: E402  pylint: disable=wrong-import-position

LINES = "while :; do echo 1; sleep 1; done"


def home_of_server(lab):
    """Of one that does so."""
    run = subprocess.run([os.path.join(ROOT, "scripts", "lab"), "-i", lab.instance, "fetch",
                          "sshd10"], capture_output=True, text=True, check=False)
    if run.returncode != 0:
        pytest.skip("no OpenSSH 9.8 or newer can be had: " + run.stderr.strip()[-200:])
    return os.path.join(lab.sshd10_home, "usr")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def follow(path, server, topics):
    """A daemon that follows these topics there, all alike but for what they say."""
    (path / "known_hosts").write_text(server.known_hosts())
    (path / "mmlag.yaml").write_text(json.dumps({
        "state_dir": str(path / "state"), "http": "off",
        "defaults": {"host": "127.0.0.1", "port": server.port, "user": server.user,
                     "key_file": server.key, "known_hosts": str(path / "known_hosts"),
                     "group": "g", "format": "line", "command": LINES, "partitions": 1},
        "topics": topics}))
    return Daemon(str(path / "mmlag.yaml"), str(path / "log"))


def refusals(server):
    return len(re.findall("unsuccessful auth attempt", server.said()))


def refused_logins_of_ours_shut_nobody_out(path, home):
    """Five wrong keys beside one that is right: too much for a server that is shown all of
    them at once. Then one of them is let in, and gives data without a restart."""
    path.mkdir()
    server = Sshd(str(path / "sshd"), free_port(), "LogLevel DEBUG", home=home).start()
    topics = [{"name": f"wrong-{i}", "key_file": str(path / f"wrong-{i}")}
              for i in range(5)]
    for t in topics:
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", t["key_file"]],
                       check=True)
    daemon = follow(path, server, [*topics, {"name": "right"}])
    try:
        wait_for("data, and all refused", 45, lambda: "right: has data" in daemon.log()
                 and refusals(server) >= len(topics))
        assert "unsuccessful auth attempt" in server.said()  # it does count
        with open(server.key + ".pub", "a", encoding="ascii") as f:
            f.write((path / "wrong-0.pub").read_text())
        wait_for("data from what is mended", 70, lambda: "wrong-0: has data" in daemon.log())
        said = server.said()
        assert "activating" not in said and "drop connection" not in said, said[-1000:]
    finally:
        daemon.stop()
        server.stop()


def knock(server):
    """Somebody else at our address, with a key that is wrong, until it is shut out."""
    times = server.said().count("activating")
    for _ in range(20):
        subprocess.run(
            ["ssh", "-F", "/dev/null", "-o", "StrictHostKeyChecking=no", "-o", "BatchMode=yes",
             "-o", "UserKnownHostsFile=/dev/null", "-o", "IdentityAgent=none", "-i",
             f"{server.path}/host", "-p", str(server.port), f"{server.user}@127.0.0.1"],
            capture_output=True, check=False, stdin=subprocess.DEVNULL)
        if server.said().count("activating") > times:
            return
    raise AssertionError(server.said()[-500:])


def a_server_that_shuts_our_address_out_is_named_and_sat_out(path, home):
    path.mkdir()
    server = Sshd(str(path / "sshd"), free_port(), home=home).start()
    knock(server)
    seconds = int(re.search(r"activating ipv4 penalty of (\d+) seconds", server.said())[1])
    daemon = follow(path, server, [{"name": f"t{i}"} for i in range(10)])
    try:
        wait_for("the reason", 30, lambda: "no data from this host: ssh_busy" in daemon.log())
        assert "PerSourcePenalties" in daemon.log()
        # at the longest, the next try is as far behind the end as the one before it was
        # behind the beginning
        wait_for("all data", 2 * seconds + 60, lambda: daemon.log().count("has data") == 10)
        assert server.said().count("drop connection") < 12  # of ten topics
        assert server.said().count("activating") == 1
        # what was there before is untouched by a later one
        knock(server)
        time.sleep(3)
        assert daemon.log().count("ssh_busy") == 1 and "ssh_lost" not in daemon.log()
    finally:
        daemon.stop()
        server.stop()


CASES = {f.__name__: f for f in (refused_logins_of_ours_shut_nobody_out,
                                 a_server_that_shuts_our_address_out_is_named_and_sat_out)}


@pytest.fixture(scope="module")
def outcomes(tmp_path_factory, lab):
    """Side by side: most of their time is waiting."""
    return run_apart(CASES, tmp_path_factory.mktemp("guest"), home_of_server(lab), 2)


@pytest.mark.parametrize("name", CASES)
def test_penalties(outcomes, name):
    if outcomes[name] is not None:
        raise outcomes[name]
