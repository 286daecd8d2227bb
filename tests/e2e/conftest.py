# SPDX-License-Identifier: MIT
"""What the end-to-end tests share: the lab, an oracle that asks Kafka itself, a running
mmlag. Standard library and pytest only."""

import json
import os
import shlex
import signal
import subprocess
import time
import urllib.error
import urllib.request

import pytest

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
MMLAG = os.environ.get("MMLAG", os.path.join(ROOT, "build", "mmlag"))
INSTANCE = os.environ.get("MMLAG_LAB_INSTANCE", "test")  # of scripts/lab
TOPICS = {"orders": 18, "orders-retry": 3, "payments": 6, "clicks.v1": 12}


def pytest_configure(config):
    config.addinivalue_line("markers", "beside: touches no server of the lab but its own; "
                            "runs at the same time as the others")


def wait_for(what, seconds, condition):
    """Ask until the condition gives something true; fail, naming what was awaited."""
    end = time.monotonic() + seconds
    while True:
        got = condition()
        if got:
            return got
        assert time.monotonic() < end, f"not within {seconds} s: {what}"
        time.sleep(0.1)  # between two looks at another process


class Lab:
    """The lab of these tests, as scripts/lab env tells of it."""

    def __init__(self):
        self.env = {}
        for line in self("env").splitlines():
            name, value = shlex.split(line)[0].split("=", 1)
            self.env[name] = value

    def __call__(self, *args, **kw):
        return subprocess.run([os.path.join(ROOT, "scripts", "lab"), "-i", INSTANCE, *args],
                              check=True, capture_output=True, text=True, **kw).stdout

    def component_is_up(self, name):
        run = subprocess.run([os.path.join(ROOT, "scripts", "lab"), "-i", INSTANCE, "status"],
                             check=False, capture_output=True, text=True)
        return any(line.split()[:2] == [name, "up"] for line in run.stdout.splitlines())

    def __getattr__(self, name):
        try:
            return self.env["LAB_" + name.upper()]
        except KeyError as missing:
            raise AttributeError(name) from missing


class Oracle:
    """Kafka's own answer: committed and end offsets of a group, asked of the broker."""

    def __init__(self, lab):
        self.process = subprocess.Popen(
            [os.path.join(ROOT, "scripts", "lab"), "-i", INSTANCE, "ask"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        self.group = lab.group

    def ask(self, group=None):
        self.process.stdin.write((group or self.group) + "\n")
        self.process.stdin.flush()
        return json.loads(self.process.stdout.readline())

    def close(self):
        self.process.stdin.close()
        self.process.wait(20)


class Search:
    """Elasticsearch, by its own API."""

    def __init__(self, url):
        self.url = url

    def __call__(self, method, path, body=None, ok=(200, 201)):
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data, method=method,
                                         headers={"Content-Type": "application/json"})
        try:
            with urllib.request.urlopen(request, timeout=30) as answer:
                text, status = answer.read(), answer.status
        except urllib.error.HTTPError as refusal:
            text, status = refusal.read(), refusal.code
        assert status in ok, f"{method} {path}: {status} {text[:300]}"
        return json.loads(text) if text else {}

    def drop(self, index):
        self("DELETE", f"/{index}?ignore_unavailable=true", ok=(200, 404))

    def documents(self, index, query=None):
        """All documents, oldest first, with their _id; none while the index is made."""
        self("POST", f"/{index}/_refresh", ok=(200, 404, 503))
        body = {"size": 10000, "sort": ["@timestamp"], "query": query or {"match_all": {}}}
        found = self("POST", f"/{index}/_search", body, ok=(200, 404, 503))
        return [dict(h["_source"], _id=h["_id"]) for h in found.get("hits", {}).get("hits", [])]

    def count(self, index):
        """How many documents; none while the index is made or its shards are not up."""
        self("POST", f"/{index}/_refresh", ok=(200, 404, 503))
        return self("GET", f"/{index}/_count", ok=(200, 404, 503)).get("count", 0)


class Daemon:
    """`mmlag run` with a configuration of its own."""

    def __init__(self, path, log):
        self.log_path = log
        self.log_file = open(log, "ab")
        self.process = subprocess.Popen([MMLAG, "run", "-c", path], stderr=self.log_file)

    def log(self):
        with open(self.log_path, encoding="utf-8", errors="replace") as f:
            return f.read()

    def stop(self, sig=signal.SIGTERM, seconds=15):
        if self.process.poll() is None:
            self.process.send_signal(sig)
        code = self.process.wait(seconds)
        self.log_file.close()
        return code


class Workplace:
    """A temporary directory in which configurations are written and mmlag is run."""

    def __init__(self, path, lab):
        self.path = path
        self.lab = lab
        self.daemons = []

    def config(self, index=None, topics=None, defaults=None, name="mmlag.yaml", **sections):
        base = {
            "host": self.lab.ssh_host, "port": int(self.lab.ssh_port),
            "user": self.lab.ssh_user, "key_file": self.lab.key_ed25519,
            "known_hosts": self.lab.known_hosts, "kafka_home": self.lab.kafka_home,
            "bootstrap_server": self.lab.bootstrap, "group": self.lab.group,
            "command_config": self.lab.command_config, "interval": "2s", "share": "group",
        }
        base.update(defaults or {})
        whole = {"state_dir": str(self.path / "state"),
                 "defaults": {k: v for k, v in base.items() if v is not None},
                 "topics": topics or list(TOPICS), **sections}
        if index:
            whole["elasticsearch"] = {"hosts": [self.lab.es_url], "index": index}
        file = self.path / name
        file.write_text(json.dumps(whole, indent=1))  # JSON is YAML
        return str(file)

    def run(self, *args, **kw):
        return subprocess.run([MMLAG, *args], capture_output=True, text=True, timeout=180,
                              check=False, **kw)

    def daemon(self, config):
        d = Daemon(config, str(self.path / "mmlag.log"))
        self.daemons.append(d)
        return d


@pytest.fixture(scope="session")
def lab():
    return Lab()


@pytest.fixture(scope="session")
def oracle(lab):
    o = Oracle(lab)
    o.ask()
    yield o
    o.close()


@pytest.fixture(scope="session")
def search(lab):
    return Search(lab.es_url)


@pytest.fixture
def workplace(tmp_path, lab):
    w = Workplace(tmp_path, lab)
    yield w
    for d in w.daemons:
        if d.process.poll() is None:
            d.stop(signal.SIGKILL)


@pytest.fixture
def index(search, request):
    name = "mmlag-" + request.node.name.split("[")[0].replace("_", "-").lower()[:60]
    search.drop(name)
    yield name
    search.drop(name)
