# SPDX-License-Identifier: MIT
"""The daemon in its surroundings: streams, systemd, limits. It reads a page of ours, and
needs no other server."""

import contextlib
import fcntl
import http.client
import http.server
import json
import os
import re
import resource
import shutil
import signal
import socket
import subprocess
import threading
import time

import pytest

from conftest import MMLAG, wait_for

PAGE = b"""# TYPE kafka_consumergroup_lag gauge
kafka_consumergroup_lag{consumergroup="g",partition="0",topic="orders"} 12
kafka_consumergroup_lag{consumergroup="g",partition="1",topic="orders"} 0
"""


class Page(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):  # pylint: disable=invalid-name
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(PAGE)))
        self.end_headers()
        self.wfile.write(PAGE)

    def log_message(self, *_):  # pylint: disable=arguments-differ
        pass


@pytest.fixture(scope="module")
def page():
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page)
    server.daemon_threads = True
    threading.Thread(target=server.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{server.server_address[1]}/metrics"
    server.shutdown()


class House:
    """A configuration, its state directory, and the daemons that were begun there."""

    def __init__(self, path, url):
        self.path = path
        self.state = path / "state"
        self.config = path / "mmlag.yaml"
        self.whole = {"state_dir": str(self.state), "http": "off", "spool": {"min_free": "0B"},
                      "defaults": {"source": "exporter", "url": url, "group": "g",
                                   "interval": "1s"},
                      "topics": ["orders"]}
        self.processes = []
        self.write()

    def write(self, **sections):
        self.whole.update(sections)
        self.config.write_text(json.dumps(self.whole))

    def start(self, shell='exec "$@"', env=None, before=(), **kw):
        """`shell` begins the command that follows it as "$@"."""
        p = subprocess.Popen([*before, "bash", "-c", shell, "-", MMLAG, "run", "-c", str(self.config)],
                             env=dict(os.environ, **(env or {})), **kw)
        self.processes.append(p)
        return p

    def ask(self, path):
        if self.whole["http"] != "off":
            c = http.client.HTTPConnection(self.whole["http"]["listen"], timeout=10)
        else:
            c = http.client.HTTPConnection("localhost", timeout=10)
            c.sock = socket.socket(socket.AF_UNIX)
            c.sock.settimeout(10)
            c.sock.connect(str(self.state / "control.sock"))
        with contextlib.closing(c):
            c.request("GET", path)
            return c.getresponse().read().decode()

    def has_data(self):
        with contextlib.suppress(OSError, http.client.HTTPException, ValueError):
            return json.loads(self.ask("/api/v1/status"))["topics"]["ok"] == 1
        return False

    def figure(self, name):
        return int(re.search(rf"^{name} (\d+)$", self.ask("/metrics"), re.M).group(1))

    def runs(self):
        wait_for("the topic has data", 15, self.has_data)

    def close(self):
        for p in self.processes:
            if p.poll() is None:
                p.kill()
            p.wait()


@pytest.fixture
def house(tmp_path, page):
    h = House(tmp_path, page)
    yield h
    h.close()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def cpu_seconds(process):
    with open(f"/proc/{process.pid}/stat", encoding="utf-8") as f:
        fields = f.read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def end(process, sig=signal.SIGTERM, seconds=15):
    process.send_signal(sig)
    return process.wait(seconds)


@pytest.mark.parametrize("closed", ["2>&-", "<&- >&- 2>&-"])
def test_a_closed_stream_is_not_taken_for_a_file_of_ours(house, closed):
    p = house.start(f'exec "$@" {closed}')
    house.runs()
    assert (house.state / "lock").read_text() == f"{p.pid}\n"  # and no line of the log
    assert end(p) == 0
    assert (house.state / "lock").read_text() == f"{p.pid}\n"


def test_what_could_not_be_printed_is_no_success(tmp_path):
    run = subprocess.run(["bash", "-c", '"$@" >&-', "-", MMLAG, "export", "schema"],
                         capture_output=True, text=True, cwd=tmp_path, check=False)
    assert run.returncode == 1 and "standard output" in run.stderr


def test_systemd_is_told_of_the_start_of_life_and_of_the_end(house):
    path = str(house.path / "notify")
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(path)
        manager.settimeout(10)
        p = house.start(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "400000"})
        assert manager.recv(4096).startswith(b"READY=1\n")
        assert [manager.recv(4096) for _ in range(3)] == [b"WATCHDOG=1"] * 3
        p.terminate()
        wait_for("the word of the end", 10, lambda: manager.recv(4096) == b"STOPPING=1")
        assert p.wait(15) == 0


def test_a_watchdog_of_another_process_is_not_fed(house):
    path = str(house.path / "notify")
    with contextlib.closing(socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)) as manager:
        manager.bind(path)
        manager.settimeout(10)
        p = house.start(env={"NOTIFY_SOCKET": path, "WATCHDOG_USEC": "100000",
                             "WATCHDOG_PID": "1"})
        assert manager.recv(4096).startswith(b"READY=1\n")
        house.runs()
        p.terminate()
        assert manager.recv(4096) == b"STOPPING=1"
        assert p.wait(15) == 0


def test_a_log_that_nobody_reads_holds_up_nothing(house):
    house.write(topics=[f"a{n}" for n in range(100)] + ["orders"])
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    p = house.start(stderr=theirs)
    os.close(theirs)
    wait_for("a sample of each", 15, lambda: house.has_data() and
             house.figure("mmlag_samples_total") > 101)
    p.terminate()
    assert p.wait(15) == 0
    with os.fdopen(ours, encoding="utf-8") as log:
        assert 0 < len(log.read()) <= 4096


def test_lines_that_are_missing_are_counted_where_they_would_stand(house):
    house.write(topics=[f"a{n}" for n in range(100)] + ["orders"])
    ours, theirs = os.pipe()
    fcntl.fcntl(theirs, fcntl.F_SETPIPE_SZ, 4096)
    p = house.start(stderr=theirs)
    os.close(theirs)
    house.runs()
    wait_for("nobody waits for a reader", 15, lambda: house.figure("mmlag_samples_total") > 101)
    with os.fdopen(ours, encoding="utf-8") as log:
        os.read(log.fileno(), 4096)
        p.terminate()
        rest = log.read()
    assert p.wait(15) == 0
    assert re.search(r"warn  log: \d+ lines are missing here: nobody read them\n", rest)
    assert "SIGTERM: stopping\n" in rest


def test_a_limit_of_file_sizes_ends_nobody(house):
    house.write(log={"level": "error"})
    p = house.start(stderr=subprocess.PIPE)
    house.runs()
    resource.prlimit(p.pid, resource.RLIMIT_FSIZE, (1, resource.RLIM_INFINITY))
    wait_for("documents wait in memory", 15, lambda: house.figure("mmlag_spool_degraded") == 1)
    assert end(p) == 0
    assert b"could not be written" in p.stderr.read()


def test_without_a_descriptor_left_the_pages_wait_in_peace(house):
    p = house.start(stderr=subprocess.DEVNULL)
    house.runs()
    taken = {int(fd) for fd in os.listdir(f"/proc/{p.pid}/fd")}
    free = min(set(range(len(taken) + 1)) - taken)
    _, hard = resource.prlimit(p.pid, resource.RLIMIT_NOFILE)
    resource.prlimit(p.pid, resource.RLIMIT_NOFILE, (free, hard))
    with contextlib.closing(socket.socket(socket.AF_UNIX)) as knock:
        knock.settimeout(15)
        knock.connect(str(house.state / "control.sock"))
        before = cpu_seconds(p)
        time.sleep(2)  # what it does meanwhile is what is looked at
        assert cpu_seconds(p) - before < 0.1
        resource.prlimit(p.pid, resource.RLIMIT_NOFILE, (hard, hard))
        knock.sendall(b"GET /-/healthy HTTP/1.0\r\n\r\n")
        assert knock.recv(100).startswith(b"HTTP/1.")
    assert end(p) == 0


def test_a_state_directory_that_is_removed_is_made_anew(house):
    p = house.start(stderr=subprocess.PIPE)
    house.runs()
    shutil.rmtree(house.state)
    wait_for("the lock is back", 5, lambda: (house.state / "lock").exists())
    second = house.start(stderr=subprocess.DEVNULL)
    assert second.wait(15) == 75
    wait_for("the socket is back", 15, house.has_data)
    wait_for("documents are on the disk", 15, lambda: house.figure("mmlag_spool_degraded") == 0
             and (house.state / "mmlag.db").exists())
    assert end(p) == 0
    assert p.stderr.read().count(b"was removed or replaced; it was made anew") == 1


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_file_system_that_became_read_only_stops_no_start(house):
    p = house.start(stderr=subprocess.DEVNULL)
    house.runs()
    assert end(p) == 0
    house.write(http={"listen": f"127.0.0.1:{free_port()}"})
    p = house.start('mount --bind "$STATE" "$STATE" && mount -o remount,ro,bind "$STATE" && '
                    'exec "$@"', env={"STATE": str(house.state)}, before=["unshare", "-m"],
                    stderr=subprocess.DEVNULL)
    wait_for("the topic has data", 15, house.has_data)
    assert house.figure("mmlag_spool_degraded") == 1
    assert end(p) == 0


def test_as_many_descriptors_are_made_room_for_as_are_used(house):
    topics = [{"name": f"a{n}", "share": "topic"} for n in range(120)]
    house.write(topics=[*topics, "orders"], log={"level": "error"})
    p = house.start('ulimit -S -n 256; exec "$@"', stderr=subprocess.DEVNULL)
    house.runs()
    wait_for("a look at each", 20, lambda: house.figure("mmlag_samples_total") > 120)
    topics = json.loads(house.ask("/api/v1/topics"))["topics"]
    assert {t["reason"] for t in topics} == {None, "topic_absent"}
    limit, _ = resource.prlimit(p.pid, resource.RLIMIT_NOFILE)
    assert len(os.listdir(f"/proc/{p.pid}/fd")) < limit - 64
    assert end(p) == 0


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can mount")
def test_a_resolver_that_does_not_answer_holds_up_no_stop(house):
    """Everybody who looks up a name of his own looks it up when the end comes."""
    with contextlib.closing(socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as silent:
        silent.bind(("127.0.0.77", 53))
        silent.settimeout(15)
        resolver = house.path / "resolv.conf"
        resolver.write_text("nameserver 127.0.0.77\noptions timeout:30 attempts:2\n")
        key = house.path / "key"
        key.write_text("no key")
        key.chmod(0o600)
        house.whole["defaults"]["thresholds"] = [
            {"on": "topic", "of": "messages", "warning": 1, "for": "0s"}]
        house.write(
            topics=["orders", {"name": "a", "url": "http://page.test/metrics"},
                    {"name": "b", "source": "ssh", "host": "mm.test", "user": "u",
                     "key_file": str(key), "kafka_home": "/k", "bootstrap_server": "b:1"}],
            alerts={"group_wait": "0s"}, elasticsearch={"hosts": ["http://search.test:9200"]},
            receivers=[{"name": "w", "type": "webhook", "urls": ["http://hook.test/"]},
                       {"name": "e", "type": "email", "smtp": "mail.test:25", "from": "a@b.test",
                        "to": ["c@d.test"]}])
        p = house.start('mount --bind "$NAMES" /etc/resolv.conf && exec "$@"',
                        env={"NAMES": str(resolver)}, before=["unshare", "-m"],
                        stderr=subprocess.DEVNULL)
        asked = set()
        while len(asked) < 5:
            packet = silent.recv(512)
            asked |= {n for n in (b"page", b"mm", b"search", b"hook", b"mail")
                      if bytes([len(n)]) + n + b"\x04test" in packet}
        assert end(p, seconds=14) == 0


def test_a_file_that_may_not_be_written_is_told_in_words(house):
    p = house.start(stderr=subprocess.DEVNULL)
    house.runs()
    assert end(p) == 0
    (house.state / "mmlag.db").chmod(0o444)
    root = ["setpriv", "--bounding-set=-dac_override,-dac_read_search"]
    p = house.start(before=root if os.geteuid() == 0 else [], stderr=subprocess.DEVNULL)
    house.runs()
    trouble = json.loads(house.ask("/api/v1/status"))["spool"]["trouble"]
    assert "attempt to write a readonly database; let this user write to the file" in trouble
    (house.state / "mmlag.db").chmod(0o600)
    assert end(p) == 0
