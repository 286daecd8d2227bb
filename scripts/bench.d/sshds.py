# SPDX-License-Identifier: MIT
"""SSH servers of one's own on loopback, as the current user, each with its sessions and
a log. For the bench and for end-to-end tests. Standard library only."""

import getpass
import os
import signal
import subprocess
import time

def children_of(pid):
    """All descendants, the nearest first."""
    parents = {}
    for entry in filter(str.isdigit, os.listdir("/proc")):
        try:
            with open(f"/proc/{entry}/stat", encoding="utf-8", errors="replace") as f:
                fields = f.read().rsplit(")", 1)[1].split()
        except OSError:
            continue  # it has just ended
        parents.setdefault(int(fields[1]), []).append(int(entry))
    found = [pid]
    for known in found:
        found.extend(parents.get(known, []))
    return found[1:]


class Sshd:
    """One server; `extra` are lines of configuration that go before ours."""

    def __init__(self, path, port, extra="", env=None, alone=False, home="/usr"):
        """`alone` (root only): in a PID namespace, so that the server and its sessions see
        each other and nobody else, as on a host of their own; a stop ends all of it.
        `home`: of another version of the server."""
        if home != "/usr":
            extra += (f"\nSshdSessionPath {home}/lib/openssh/sshd-session"
                      f"\nSshdAuthPath {home}/lib/openssh/sshd-auth")
        self.program = f"{home}/sbin/sshd"
        self.path, self.port, self.extra, self.env = path, port, extra, env
        self.prefix = ["unshare", "--pid", "--fork", "--kill-child", "--mount-proc"] if alone \
            else []
        self.process = None
        os.makedirs(path, mode=0o700, exist_ok=True)
        for name in ("host", "key"):
            if not os.path.exists(f"{path}/{name}"):
                subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "", "-f",
                                f"{path}/{name}"], check=True)
        self.log = f"{path}/log"
        self.user = getpass.getuser()
        self.key = f"{path}/key"

    def known_hosts(self):
        with open(f"{self.path}/host.pub", encoding="ascii") as f:
            kind, key = f.read().split()[:2]
        return f"[127.0.0.1]:{self.port} {kind} {key}\n"

    def start(self, extra=None):
        with open(f"{self.path}/config", "w", encoding="ascii") as f:
            f.write(f"{self.extra if extra is None else extra}\nPort {self.port}\n"
                    f"ListenAddress 127.0.0.1\nHostKey {self.path}/host\n"
                    f"AuthorizedKeysFile {self.key}.pub\nPidFile none\nStrictModes no\n"
                    "UsePAM no\nPasswordAuthentication no\nKbdInteractiveAuthentication no\n"
                    "PermitRootLogin yes\nUseDNS no\nLogLevel VERBOSE\n"
                    # what the user's own .bashrc does is none of our business
                    f"SetEnv HOME={self.path}\n")
        if os.geteuid() == 0:
            os.makedirs("/run/sshd", exist_ok=True)
        for _ in range(10):  # somebody's connection may have our port for a moment
            if self.listens():
                return self
            time.sleep(0.5)
        raise AssertionError(f"sshd ends at once, see {self.log}")

    def listens(self):
        """Is known by its log: a connection that only looks is one without a login, for
        which new servers keep a penalty."""
        with open(self.log, "ab") as log:
            before = log.tell()
            self.process = subprocess.Popen(
                [*self.prefix, self.program, "-D", "-e", "-f", f"{self.path}/config"],
                stderr=log, stdin=subprocess.DEVNULL, env=self.env)
        end = time.monotonic() + 20
        while True:
            if "Server listening on" in self.said(before):
                return True
            if self.process.poll() is not None:
                return False
            assert time.monotonic() < end, "sshd does not listen"
            time.sleep(0.05)

    def said(self, since=0):
        with open(self.log, "rb") as f:
            f.seek(since)
            return f.read().decode(errors="replace")

    def stop(self):
        """The listener and all sessions, at once; what they started ends by itself."""
        if self.process is None:
            return
        ours = [] if self.prefix else children_of(self.process.pid)
        for pid in [self.process.pid, *ours]:
            try:
                with open(f"/proc/{pid}/comm", encoding="utf-8") as f:
                    if f.read().startswith(("sshd", "unshare")):
                        os.kill(pid, signal.SIGKILL)
            except (FileNotFoundError, ProcessLookupError):
                continue
        self.process.wait(20)
        self.process = None
