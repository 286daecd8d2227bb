# SPDX-License-Identifier: MIT
"""A daemon that ships numbered samples, so that whoever reads the index can tell whether
each is there, once. The samples come from a command of `format: line` on the lab's
sshd: p0 is a number counted from 1, p1 names the session of the command."""

import json
import os
import signal
import socket
import sqlite3
import subprocess
import threading
import time
import urllib.request

from conftest import MMLAG, wait_for

COUNT = 40


def command(count, gap):
    return (f"b=$(date +%s%N | cut -c 1-16); i=0; while [ $i -lt {count} ]; do i=$((i + 1)); "
            f"echo $i $b; sleep {gap}; done; sleep 600")


class Delivery:
    """`urls` are the hosts; `sources()` gives what the index holds now."""

    def __init__(self, path, lab, urls, sources, *, topics=("a", "b"), count=COUNT, gap=0.05,
                 index="consumer_lag", elastic=None, **sections):
        path.mkdir(parents=True, exist_ok=True)
        self.path = path
        self.sources = sources
        self.topics = topics
        self.count = count
        self.process = None
        self.prefix = []  # before the command
        self.log_path = path / "mmlag.log"
        self.log_path.touch()
        config = {
            "state_dir": str(path / "state"),
            "defaults": {
                "host": lab.ssh_host, "port": int(lab.ssh_port), "user": lab.ssh_user,
                "key_file": lab.key_ed25519, "known_hosts": lab.known_hosts, "group": "g",
                "format": "line", "partitions": 2, "command": command(count, gap), "timeout": "10m"},
            "topics": list(topics),
            "http": {"listen": f"127.0.0.1:{self.free_port()}"},
            "elasticsearch": {"hosts": urls, "index": index, "timeout": "5s",
                              "bulk": {"max_delay": "100ms"}, **(elastic or {})},
            **sections}
        self.pages = "http://" + config["http"]["listen"]
        self.config = str(path / "mmlag.yaml")
        (path / "mmlag.yaml").write_text(json.dumps(config, indent=1))

    def configure(self, section="defaults", **settings):
        config = json.loads((self.path / "mmlag.yaml").read_text())
        (config[section] if section else config).update(settings)
        (self.path / "mmlag.yaml").write_text(json.dumps(config, indent=1))

    @staticmethod
    def free_port():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return s.getsockname()[1]

    def start(self, **kw):
        self.process = subprocess.Popen([*self.prefix, MMLAG, "run", "-c", self.config],
                                        stderr=subprocess.PIPE, **kw)
        # Through a pipe, so that no limit of file sizes concerns it.
        threading.Thread(target=self.copy_log, args=(self.process.stderr,), daemon=True).start()
        return self

    def copy_log(self, stream):
        for line in stream:
            with open(self.log_path, "ab") as f:
                f.write(line)

    def log(self):
        return self.log_path.read_text(encoding="utf-8", errors="replace")

    def logged(self, text, seconds=60):
        wait_for(f"the log to say {text!r}", seconds, lambda: text in self.log())

    def stop(self, sig=signal.SIGTERM):
        if self.process is None:
            return None
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(20)
        self.process = None
        return code

    def kill(self):
        return self.stop(signal.SIGKILL)

    def samples(self):
        """{topic: {session: [number, …]}} of the index, gaps left out."""
        out = {t: {} for t in self.topics}
        for s in self.sources():
            if "p0" in s and s["topic"] in out:
                out[s["topic"]].setdefault(s["p1"], []).append(s["p0"])
        return out

    def figures(self):
        """Our own of /metrics."""
        with urllib.request.urlopen(self.pages + "/metrics", timeout=5) as page:
            lines = page.read().decode().splitlines()
        return {k: float(v) for k, v in
                (line.rsplit(" ", 1) for line in lines if line.startswith("mmlag_"))}

    def spool_status(self):
        """As people are told."""
        return subprocess.run([MMLAG, "spool", "status", "-c", self.config], check=True,
                              capture_output=True, text=True, timeout=20).stdout

    def peak(self):
        """The most memory that the process ever had, in MiB."""
        with open(f"/proc/{self.process.pid}/status", encoding="ascii") as f:
            return int([line for line in f if line.startswith("VmHWM")][0].split()[1]) >> 10

    def is_up(self):
        try:
            return bool(self.figures())
        except OSError:
            return False

    def balance(self):
        """Is every sample taken, and every document found or begun anew, indexed, a
        duplicate, rejected, evicted, expired, or does it wait?"""
        figures = self.figures()
        ends = [v for k, v in figures.items() if k.startswith("mmlag_documents_total{")]
        assert len(ends) == 5
        begun = sum(figures[f"mmlag_{n}_total"] for n in
                    ("samples", "documents_found", "documents_returned"))
        return begun == sum(ends) + figures["mmlag_spool_documents"]

    def spool(self, table):
        """[(topic, session, number)] of what waits, or was refused for good."""
        return self.read(self.path / "state" / "mmlag.db", table)

    def aside(self):
        """The same of the files that were put aside, since nobody may trust them."""
        return [row for file in (self.path / "state").glob("mmlag.db.aside-*")
                if not file.name.endswith(("-wal", "-shm")) for row in self.read(file, "q")]

    @staticmethod
    def read(file, table):
        db = sqlite3.connect(f"file:{file}?mode=ro", uri=True, timeout=10)
        try:
            rows = [json.loads(r[0]) for r in db.execute(f"SELECT doc FROM {table}")]
        finally:
            db.close()
        return [(d["topic"], d["p1"], d["p0"]) for d in rows if "p0" in d]

    def whole(self, topic, sessions):
        """Did all samples of a topic arrive, those of the last of so many sessions?"""
        found = self.samples()[topic]
        return len(found) >= sessions and len(set(found[max(found)])) >= self.count

    def arrived(self, seconds=60, topics=None, sessions=1):
        wait_for(f"all samples, of {self.path.name}", seconds,
                 lambda: all(self.whole(t, sessions) for t in topics or self.topics))
        return self

    def settle(self, dead=(), sessions=1, lives=1):
        """Stop, and close the accounts: every sample of every session is in the index, a
        dead letter, or waits, and is so once. With several lives the end of a session may
        be missing, for what was under way when its reader was killed."""
        wait_for("an empty spool", 60, lambda: not self.spool("q"))
        wait_for("accounts that balance", 10, self.balance)
        assert self.stop() == 0
        waiting, letters = self.spool("q"), self.spool("dead")
        assert not waiting, waiting
        assert sorted(n for _, _, n in letters) == sorted(dead)
        for topic, found in self.samples().items():
            for t, session, number in letters:
                if t == topic:
                    found.setdefault(session, []).append(number)
            assert len(found) == sessions, (topic, sorted(found))
            for at, session in enumerate(sorted(found)):
                numbers = sorted(found[session])
                assert numbers == list(range(1, len(numbers) + 1)), (topic, session, numbers)
                if lives == 1 or at == len(found) - 1:
                    assert len(numbers) == self.count, (topic, session, numbers)

    def close(self):
        self.stop(signal.SIGKILL)


class Cases(dict):
    """The cases of a module by name; `@case` adds one, `@case.slow` one to begin early:
    most of these wait for the 30 s that are left to an operator."""

    def __call__(self, function):
        self[function.__name__] = function
        return function

    def slow(self, function):
        function.slow = True
        return self(function)


def run_apart(cases, path, lab, width):
    """Run the cases side by side, since most of their time is waiting, the slow ones
    first. Returns {name: None, or the exception}."""
    from concurrent.futures import ThreadPoolExecutor

    def one(item):
        name, function = item
        began = time.monotonic()
        try:
            function(path / name, lab)
            return name, None
        except BaseException as e:  # pylint: disable=broad-except
            return name, e
        finally:
            if os.environ.get("VERBOSE"):
                print(f"{name}: {time.monotonic() - began:.1f} s")

    with ThreadPoolExecutor(width) as pool:
        first = sorted(cases.items(), key=lambda item: not getattr(item[1], "slow", False))
        return dict(pool.map(one, first))
