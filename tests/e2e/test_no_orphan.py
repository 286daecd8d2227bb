# SPDX-License-Identifier: MIT
"""Nothing of ours stays behind on a host: whatever ends the collector or the network,
whatever the login shell, with a JVM and with a command that ignores all signals, on a
host that has neither pkill nor timeout."""

import json
import os
import re
import shutil
import signal
import socket
import sys
import tempfile
import time

import pytest

from conftest import ROOT, Daemon, wait_for
from relay import Relay

sys.path.insert(0, os.path.join(ROOT, "scripts", "bench.d"))
from sshds import Sshd, children_of  # noqa: E402  pylint: disable=wrong-import-position

pytestmark = [pytest.mark.beside,
              pytest.mark.skipif(os.geteuid() != 0, reason="only root can make a host")]

SHELLS = {s: f"/usr/bin/{s}" for s in ("bash", "dash", "zsh", "csh", "tcsh", "fish", "ksh")}
# A login shell each, one behind a bastion, and one whose commands run as another user.
WAYS = [*SHELLS, "bastion", "sudo"]
SUDOERS = "Defaults env_reset\nDefaults use_pty\n#65534 ALL=(kafka) NOPASSWD: ALL\n"
KINDS = ["deaf", "jvm"]
MISSING = ["pkill", "pgrep", "killall", "timeout", "setsid"]  # on this host
# How our work there can end, and the seconds that it may outlive it.
ENDINGS = {"killed": 2.0, "cut": 6.0, "stopped": 1.5}
NAMED = 14.0  # for us to notice and to name a link that is cut: three times `watchdog`

# Ignores what can be ignored; a job with a process group of its own, and one that has
# lost its parent.
DEAF = """trap '' TERM HUP INT PIPE
export MMLAG_TEST=%s
for p in %s; do $p 2>/dev/null; [ $? -ge 126 ] || exit 9; done
set -m; sleep 1000 | sleep 1001 & set +m
(sleep 1002 &)
while :; do echo 1; sleep 1; done"""


class Host(Sshd):
    """A server in a world of its own: its processes, and users with every login shell."""

    def __init__(self, path, port):
        super().__init__(path, port, alone=True)
        os.chmod(path, 0o755)  # users other than us log in
        shutil.copy("/etc/passwd", f"{path}/passwd")
        with open(f"{path}/passwd", "a", encoding="utf-8") as f:
            for way in WAYS:
                f.write(f"{way}:x:65534:65534::{path}:{SHELLS.get(way, '/bin/bash')}\n")
            f.write(f"kafka:x:65533:65534::{path}:/bin/sh\n")
        with open(f"{path}/sudoers", "w", encoding="utf-8") as f:
            f.write(SUDOERS)
        os.chmod(f"{path}/sudoers", 0o440)
        binds = [(f"{path}/passwd", "/etc/passwd")]
        binds += [(f"{path}/sudoers", "/etc/sudoers")] if has("sudo") else []
        binds += [("/dev/null", where) for p in MISSING if (where := shutil.which(p))]
        mounts = "".join(f"mount --bind {ours} {theirs} && " for ours, theirs in binds)
        self.prefix += ["sh", "-c", mounts + 'exec "$0" "$@"']

    def sessions(self):
        """{session id: {process id: name}} of what the users run."""
        found = {}
        for pid in children_of(self.process.pid):
            try:
                with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as f:
                    head, rest = f.read().rsplit(")", 1)
            except OSError:
                continue
            name, fields = head.split("(", 1)[1], rest.split()
            if fields[0] != "Z" and not name.startswith("sshd"):
                found.setdefault(int(fields[3]), {})[pid] = name
        return found


def mark_of(pid):
    try:
        with open(f"/proc/{pid}/environ", "rb") as f:
            mark = re.search(rb"(?:^|\0)MMLAG_TEST=([^\0]*)", f.read())
    except OSError:
        return None
    return mark.group(1).decode() if mark else None


def places(host):
    """{topic: session id} of those whose processes are all there."""
    found = {}
    for session, processes in host.sessions().items():
        for pid, name in processes.items():
            mark = mark_of(pid) if name in ("java", "sleep") else None
            if mark and (mark.endswith("-jvm") or list(processes.values()).count("sleep") > 3):
                found[mark] = session
    return found


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Scene:
    """The host and a bastion, and a server that accepts and says nothing, for the CLI to
    hang at."""

    def __init__(self, path, lab):
        self.path, self.lab = path, lab
        self.host = Host(f"{path}/host", free_port())
        self.bastion = Sshd(f"{path}/bastion", free_port(),
                            f"AuthorizedKeysFile {path}/host/key.pub")
        self.silence = Relay(0)
        self.host.start()
        self.bastion.start()

    def topic(self, way, kind, port):
        name = f"{way}-{kind}"
        topic = {"name": name, "user": way, "port": port, "group": name}
        if way == "bastion":
            topic["proxy_jump"] = f"root@127.0.0.1:{self.bastion.port}"
        if way == "sudo":
            topic["run_as"] = "kafka"
        if kind == "deaf":
            topic.update(format="line", partitions=1,
                         command=DEAF % (name, " ".join(MISSING)))
        else:
            topic.update(env={"MMLAG_TEST": name, "JAVA_HOME": self.lab.java_home})
        return topic

    def configure(self, name, port, topics):
        """The host is known at this port, too."""
        path = f"{self.path}/{name}"
        os.mkdir(path)
        known = self.host.known_hosts()
        with open(f"{path}/known_hosts", "w", encoding="ascii") as f:
            f.write(known + self.bastion.known_hosts() + known.replace(
                str(self.host.port), str(port)))
        with open(f"{path}/mmlag.yaml", "w", encoding="utf-8") as f:
            json.dump({"state_dir": f"{path}/state", "http": "off",
                       "defaults": {"host": "127.0.0.1", "key_file": self.host.key,
                                    "known_hosts": f"{path}/known_hosts", "interval": "1s",
                                    "kafka_home": self.lab.kafka_home,
                                    "bootstrap_server": f"127.0.0.1:{self.silence.port}"},
                       "topics": topics}, f)
        return Daemon(f"{path}/mmlag.yaml", f"{path}/log")

    def lives(self, ending):
        """How long each topic's processes outlive this ending, in seconds."""
        wire = Relay(self.host.port)
        topics = [self.topic(w, k, wire.port) for w in WAYS if has(w) for k in KINDS]
        daemon = self.configure(ending, wire.port, topics)
        try:
            there = wait_for(f"all processes, before {ending}", 60, lambda: (
                len(found := places(self.host)) == len(topics) and found))
            began = time.monotonic()
            if ending == "cut":
                wire.cut()
            else:
                daemon.process.send_signal(
                    signal.SIGKILL if ending == "killed" else signal.SIGTERM)
            lives = self.watch(there, began)
            if ending == "cut":
                lives.update(self.named(daemon, began))
        finally:
            if daemon.process.poll() is None:
                daemon.stop(signal.SIGKILL)
            wire.end()
        wait_for("an empty host", 15, lambda: not self.host.sessions())
        return lives

    def watch(self, there, began):
        lives = {}
        while len(lives) < len(there) and time.monotonic() - began < 10:
            left = self.host.sessions()
            passed = time.monotonic() - began
            lives.update({t: passed for t, s in there.items() if s not in left
                          and t not in lives})
            time.sleep(0.02)
        return lives

    def named(self, daemon, began):
        """When our log says of each user that the host does not answer any more."""
        found = {}
        while len(found) < sum(map(has, WAYS)) and time.monotonic() - began < 20:
            for way in WAYS:
                if re.search(rf" {way}@\S+: no data.*ssh_lost", daemon.log()):
                    found.setdefault(f"{way}-named", time.monotonic() - began)
            time.sleep(0.1)
        return found

    def end(self):
        self.silence.end()
        self.host.stop()
        self.bastion.stop()


def has(way):
    if way == "sudo":
        return shutil.which("sudo") is not None
    return os.access(SHELLS.get(way, "/bin/bash"), os.X_OK)


@pytest.fixture(scope="module")
def scene(lab):
    path = tempfile.mkdtemp(prefix="mmlag-orphan-")
    os.chmod(path, 0o755)
    made = Scene(path, lab)
    yield made
    made.end()
    if os.environ.get("KEEP") != "1":
        shutil.rmtree(path)


@pytest.fixture(scope="module")
def lives(scene):
    """{ending: {topic: seconds}}; each ending is seen once, by all topics at once."""
    seen = {}

    def of(ending):
        if ending not in seen:
            seen[ending] = scene.lives(ending)
            if os.environ.get("VERBOSE"):
                print({t: round(s, 2) for t, s in seen[ending].items()})
        return seen[ending]
    return of


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("ending", ENDINGS)
def test_nothing_outlives_the_end(lives, ending, kind, way):
    if not has(way):
        pytest.skip(f"{way} is not installed")
    life = lives(ending).get(f"{way}-{kind}")
    assert life is not None, "alive after 10 s"
    assert life < ENDINGS[ending]


@pytest.mark.parametrize("way", WAYS)
def test_a_cut_link_is_noticed_and_named(lives, way):
    if not has(way):
        pytest.skip(f"{way} is not installed")
    assert lives("cut").get(f"{way}-named", 99) < NAMED


def test_a_run_that_hangs_is_ended_on_the_host_by_its_own_limit(scene):
    """The CLI hangs at an address that is no broker; the loop around it goes on. So does a
    command of one's own that ignores SIGTERM."""
    hung = scene.topic("dash", "jvm", scene.host.port)
    stuck = {"name": "stuck", "user": "bash", "port": scene.host.port, "group": "g",
             "format": "table", "command": "trap '' TERM; MMLAG_TEST=stuck exec sleep 1003"}
    for t in (hung, stuck):
        t["timeout"] = "2s"
    daemon = scene.configure("limit", scene.host.port, [hung, stuck])
    seen = {"dash-jvm": {}, "stuck": {}}  # {topic: {process: [first, last look]}}
    try:
        end = time.monotonic() + 60
        while min(len(s) for s in seen.values()) < 2 and time.monotonic() < end:
            now = time.monotonic()
            for processes in scene.host.sessions().values():
                for pid in processes:
                    if processes[pid] in ("java", "sleep") and mark_of(pid) in seen:
                        seen[mark_of(pid)].setdefault(pid, [now, now])[1] = now
            time.sleep(0.05)
        wait_for("the reason", 5, lambda: "cli_timeout" in daemon.log())
    finally:
        daemon.stop(signal.SIGKILL)
    for topic, runs in seen.items():
        first, last = min(runs.values())
        assert len(runs) > 1 and last - first < (3.5 if topic == "dash-jvm" else 7.5), topic
    wait_for("an empty host", 5, lambda: not scene.host.sessions())
