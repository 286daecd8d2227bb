# SPDX-License-Identifier: MIT
"""A thousand topics: how long until all are up, what that costs us, and how they come
back after all servers ended at once. See docs/bench.md."""

import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time

from sshds import Sshd, children_of

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))

# A line a second, by bash alone: the bench measures us, not a thousand `sleep`s.
LINES = "exec 9<> <(:); while :; do echo $((RANDOM % 100)); read -t 1 -u 9 _; done"


def runnable():
    """Processes that want a core now."""
    with open("/proc/loadavg", encoding="ascii") as f:
        return int(f.read().split()[3].split("/")[0])


class Fleet:
    def __init__(self, path, topics, servers, port, mmlag):
        self.path, self.topics, self.mmlag = path, topics, mmlag
        # sshd's own default for clients that log in at the same time
        self.servers = [Sshd(f"{path}/sshd{i}", port + i, "MaxStartups 10:30:100",
                             alone=os.geteuid() == 0) for i in range(servers)]
        self.log = f"{path}/mmlag.log"
        self.process = None

    def configuration(self):
        known = f"{self.path}/known_hosts"
        with open(known, "w", encoding="ascii") as f:
            f.writelines(s.known_hosts() for s in self.servers)
        topics = []
        for i in range(self.topics):
            server = self.servers[i % len(self.servers)]
            topics.append({"name": f"topic-{i}", "port": server.port, "key_file": server.key})
        file = f"{self.path}/mmlag.yaml"
        with open(file, "w", encoding="utf-8") as f:
            json.dump({"state_dir": f"{self.path}/state",
                       "http": {"listen": f"127.0.0.1:{self.servers[-1].port + 1}"},
                       "defaults": {"host": "127.0.0.1", "user": self.servers[0].user,
                                    "known_hosts": known, "group": "g", "format": "line",
                                    "command": LINES, "partitions": 1},
                       "topics": topics}, f)
        return file

    def start(self):
        for server in self.servers:
            server.start()
        file = self.configuration()
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen([self.mmlag, "run", "-c", file], stderr=log)

    def topics_with_data(self, since):
        """Those that came to have data behind this place in the log."""
        with open(self.log, encoding="utf-8", errors="replace") as f:
            f.seek(since)
            return len({line.split()[2] for line in f if "has data" in line})

    def wait_for_data(self, since, limit):
        """Until each topic has come to have data: seconds, or the limit."""
        began = time.monotonic()
        while time.monotonic() - began < limit:
            assert self.process.poll() is None, "mmlag has ended"
            assert runnable() < 400 * os.cpu_count(), "this machine is too busy"
            if self.topics_with_data(since) >= self.topics:
                break
            time.sleep(0.5)
        return time.monotonic() - began

    def cpu_seconds(self):
        with open(f"/proc/{self.process.pid}/stat", encoding="utf-8") as f:
            fields = f.read().rsplit(")", 1)[1].split()
        return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")

    def rss_mib(self):
        with open(f"/proc/{self.process.pid}/status", encoding="utf-8") as f:
            return next(int(line.split()[1]) for line in f if line.startswith("VmRSS")) / 1024

    def descriptors(self):
        return len(os.listdir(f"/proc/{self.process.pid}/fd"))

    def load(self, seconds):
        """Share of a core, in percent."""
        cpu, began = self.cpu_seconds(), time.monotonic()
        time.sleep(seconds)
        return (self.cpu_seconds() - cpu) / (time.monotonic() - began) * 100

    def restart_servers(self):
        for server in self.servers:
            server.stop()
        for server in self.servers:
            server.start()

    def refused(self):
        """Connections that a server turned away: too many at a time, or a penalty."""
        return sum("drop connection" in line or "enalty" in line or "throttling" in line
                   for s in self.servers for line in s.said().splitlines())

    def stop(self):
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        code = self.process.wait(60)
        return code, time.monotonic() - began

    def remote_processes(self):
        """What runs below the servers, the servers themselves left out."""
        own = 1 if self.servers[0].prefix else 0
        return sum(len(children_of(s.process.pid)) - own for s in self.servers)

    def end(self):
        if self.process is not None and self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        for server in self.servers:
            server.stop()


class Report:
    def __init__(self):
        self.broken = 0
        print(f"{'what':44} {'measured':>10} {'limit':>10}", flush=True)

    def say(self, what, value, limit, unit):
        bad = value > limit
        self.broken += bad
        print(f"{what:44} {value:10.1f} {limit:10.1f} {unit}{'  BROKEN' if bad else ''}",
              flush=True)


def run(fleet, seconds):
    r = Report()
    fleet.start()
    r.say("all topics have data", fleet.wait_for_data(0, 120), 60, "s")
    time.sleep(5)
    r.say("CPU", fleet.load(seconds), 10, "% of a core")
    r.say("resident memory", fleet.rss_mib(), 150, "MiB")
    r.say("descriptors a topic", fleet.descriptors() / fleet.topics, 4, "")
    since = os.path.getsize(fleet.log)
    fleet.restart_servers()
    r.say("all back after all servers ended", fleet.wait_for_data(since, 180), 90, "s")
    r.say("connections that a server turned away", fleet.refused(), 0, "")
    r.say("resident memory", fleet.rss_mib(), 150, "MiB")
    code, took = fleet.stop()
    r.say("a planned stop takes", took, 12, "s")
    r.say("its exit code", code, 0, "")
    end = time.monotonic() + 10
    while fleet.remote_processes() > 0 and time.monotonic() < end:
        time.sleep(0.2)
    r.say("processes left on the hosts", fleet.remote_processes(), 0, "")
    return r.broken


def main():
    options = {"topics": "1000", "servers": "20", "seconds": "30", "port": "23500",
               "mmlag": os.path.join(ROOT, "build", "mmlag")}
    for argument in sys.argv[1:]:
        name, _, value = argument.partition("=")
        if name not in options or not value:
            sys.exit(f"bench: {argument} is not understood, see the head of scripts/bench")
        options[name] = value
    path = tempfile.mkdtemp(prefix="mmlag-bench-")
    fleet = Fleet(path, int(options["topics"]), int(options["servers"]), int(options["port"]),
                  options["mmlag"])
    try:
        broken = run(fleet, int(options["seconds"]))
    finally:
        fleet.end()
        if os.environ.get("KEEP") != "1":
            shutil.rmtree(path)
    sys.exit(1 if broken else 0)


if __name__ == "__main__":
    main()
