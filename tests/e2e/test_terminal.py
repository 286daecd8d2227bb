# SPDX-License-Identifier: MIT
"""mmlag tail and top in a real pseudo-terminal, on a stand-in for the daemon's socket."""

import fcntl
import json
import os
import pty
import re
import select
import signal
import struct
import subprocess
import termios
import threading

import pytest

from conftest import MMLAG, wait_for
from mock_api import TOKEN, Mock, World, example, gap, ms, topic

pytestmark = pytest.mark.beside


class Terminal:
    """A program in a pseudo-terminal, and what stands on its screen."""

    def __init__(self, *args, columns=100, lines=16, **env):
        self.main, self.side = pty.openpty()
        self.before = termios.tcgetattr(self.side)
        self.raw = b""
        self.resize(columns, lines, tell=False)
        self.process = subprocess.Popen(
            [MMLAG, *args], stdin=self.side, stdout=self.side, stderr=self.side, start_new_session=True, close_fds=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
            env={**os.environ, "TERM": "xterm", "LC_ALL": "C.UTF-8", "TZ": "UTC", **env})

    def resize(self, columns, lines, tell=True):
        fcntl.ioctl(self.main, termios.TIOCSWINSZ, struct.pack("HHHH", lines, columns, 0, 0))
        if tell:
            self.process.send_signal(signal.SIGWINCH)

    def read(self):
        while select.select([self.main], [], [], 0)[0]:
            try:
                self.raw += os.read(self.main, 65536)
            except OSError:
                break
        return self.raw

    def screen(self):
        """The lines as they stand, without colours."""
        lines = {}
        last = self.read().split(b"\033[2J")[-1]
        for m in re.finditer(rb"\033\[(\d+)H\033\[2K((?:(?!\033\[\d+H).)*)", last, re.S):
            lines[int(m[1])] = re.sub(r"\033\[[0-9;?]*[a-zA-Z]", "", m[2].decode())
        return [lines[y] for y in sorted(lines)]

    def until(self, what, condition, seconds=5):
        return wait_for(what, seconds, lambda: condition(self.screen()))

    def shows(self, *words):
        return self.until(" ".join(words), lambda s: all(any(w in line for line in s) for w in words))

    def send(self, keys):
        os.write(self.main, keys.encode())

    def end(self, seconds=5):
        wait_for("the end", seconds, lambda: self.read() is not None and self.process.poll() is not None)
        self.read()
        assert termios.tcgetattr(self.side) == self.before, "the terminal is as it was"
        return self.process.returncode

    def close(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()
        os.close(self.main)
        os.close(self.side)


@pytest.fixture
def terminal():
    opened = []

    def make(*args, **kw):
        opened.append(Terminal(*args, **kw))
        return opened[-1]
    yield make
    for t in opened:
        t.close()


@pytest.fixture
def place(tmp_path):
    """A configuration whose state directory holds the stand-in's socket."""
    (tmp_path / "state").mkdir()
    (tmp_path / "mmlag.yaml").write_text(json.dumps({
        "state_dir": str(tmp_path / "state"), "topics": ["orders"],
        "defaults": {"host": "127.0.0.1", "user": "nobody", "agent": True, "kafka_home": "/opt/kafka",
                     "bootstrap_server": "127.0.0.1:9", "group": "g"}}))
    return tmp_path


def config(place):
    return ("-c", str(place / "mmlag.yaml"))


@pytest.fixture
def mock(place):
    m = Mock(example(), str(place / "state" / "control.sock"))
    yield m
    if m.server:
        m.stop()


def names(screen):
    return [line[9:].split()[0] for line in screen[2:-1] if line.strip()]


def test_top_shows_the_worst_first_and_changes_as_they_come(terminal, place, mock):
    t = terminal("top", *config(place))
    screen = t.until("the table", lambda s: len(s) == 16 and s)
    assert screen[0].startswith("mmlag  2 NODATA  2 ERR  1 WARN  17 OK")
    assert names(screen)[:5] == ["sessions", "audit", "orders", "inventory", "payments"]
    assert "broker_unreachable: TimeoutException" in screen[3]
    with mock.world.lock:
        next(x for x in mock.world.topics if x["topic"] == "clicks.v1").update(status="ERR", lag_sum=99_000_000)
    t.until("the new order", lambda s: names(s)[2:3] == ["clicks.v1"])
    t.send("q")
    assert t.end() == 0
    assert t.raw.endswith(b"\033[?25h\033[?1049l")


def test_top_obeys_its_keys(terminal, place, mock):
    t = terminal("top", *config(place))
    t.shows("sessions")
    t.send("n")
    t.until("the order of names", lambda s: names(s)[:2] == ["audit", "billing.000"])
    t.send("/mm3")
    t.until("the filter", lambda s: s[-1].startswith("/mm3_") and all(n.startswith("billing") for n in names(s)))
    t.send("\r")
    t.until("the filter is kept", lambda s: s[-1].startswith("/mm3  6 of 22"))
    t.send("\033")
    t.until("the filter is gone", lambda s: "audit" in names(s))
    t.send("s")
    t.until("the worst first again", lambda s: names(s)[0] == "sessions")
    t.send("g\033[B\033OB\r")
    t.shows("orders  ERR", "p3     STOP", "48,211", "stopped")
    t.send("\033[6~\033[6~\033[F")
    t.until("the end of the list", lambda s: any(line.startswith("p5 ") for line in s))
    t.send("\033")
    t.shows("sessions")
    t.send("?")
    t.shows("sort by time behind")
    t.send("x\033[Z\033[15~")  # keys that mean nothing
    t.shows("sessions")
    t.send("q")
    assert t.end() == 0


def test_a_thousand_topics_and_partitions_fit_twenty_columns(terminal, place, mock):
    mock.world.topics = [*example(1000).topics, topic("wide", "WARN", [*range(998), (4, "WARN"), None], "lag_not_falling")]
    t = terminal("top", *config(place), columns=20, lines=8)
    screen = t.until("the table", lambda s: len(s) == 8 and s)
    assert screen[0].split() == ["2N", "2E", "2W", "1017O"] and all(len(line) <= 20 for line in screen)
    t.send("nG")
    t.until("the last of a thousand", lambda s: s[-2].startswith(">W wide"))
    t.send("\r")
    t.until("its partitions", lambda s: any(line.startswith("p998") and line.endswith(" 4") for line in s))
    t.send("G")
    t.until("the last of a thousand", lambda s: s[-2].startswith("p999 ") and s[-2].endswith(" -"))
    t.send("q")
    assert t.end() == 0


def test_top_fits_any_window_and_follows_its_size(terminal, place, mock):
    t = terminal("top", *config(place), columns=20, lines=8)
    screen = t.until("the table", lambda s: len(s) == 8 and s)
    assert all(len(line) <= 20 for line in screen)
    assert [line for line in screen if line.startswith(" E orders") and line.endswith(" 48,953")]
    assert all(line[-1] in "…T" for line in screen if line.startswith((">N", " N"))), "what is cut says so"
    t.resize(120, 30)
    screen = t.until("a larger table", lambda s: len(s) == 30 and s)
    assert "GROUP" in screen[1] and "telemetry" in " ".join(screen)
    t.resize(1, 1)
    t.until("a tiny one", lambda s: len(s) == 1)
    t.resize(60, 10)
    t.until("a usual one", lambda s: len(s) == 10)
    for i in range(200):  # while it draws
        t.resize(1 + i * 7 % 160, 1 + i * 11 % 50)
        t.send("\033[B\014nsG"[i % 7])
        t.read()
    t.resize(50, 9)
    t.until("it settles", lambda s: len(s) == 9 and all(len(line) <= 50 for line in s) and s[-1].startswith("q quit"))
    t.send("q")
    assert t.end() == 0


@pytest.mark.parametrize("sig", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_ends_top_and_the_terminal_is_as_it_was(terminal, place, mock, sig):
    t = terminal("top", *config(place))
    t.shows("sessions")
    assert termios.tcgetattr(t.side) != t.before
    t.process.send_signal(sig)
    assert t.end() == 0
    assert t.raw.endswith(b"\033[?25h\033[?1049l")


def ages(screen):
    """The AGE column, by its place under its head."""
    end = screen[1].index("AGE") + 3
    return [line[:end].split()[-1] for line in screen[2:-1] if line[9:].split() and " NODATA " not in line]


@pytest.mark.parametrize("ahead", [-3600_000, 0, 3600_000], ids=["behind", "equal", "ahead"])
def test_ages_are_told_by_the_clock_of_the_daemon(terminal, ahead):
    """Elsewhere another clock may be an hour off: what is a second old there is so here."""
    world = World()
    world.topics = [topic("orders", sample_at=ms() + ahead - 4000)]
    world.ahead = ahead
    mock = Mock(world)
    try:
        t = terminal("top", "--url", mock.url)
        t.until("the age", lambda s: len(s) == 16 and ages(s)[0] in ("3s", "4s", "5s", "6s"))
        t.send("q")
        assert t.end() == 0
    finally:
        mock.stop()


def test_topics_of_one_name_in_two_clusters_are_told_apart(terminal, place, mock):
    mock.world.topics = [topic("orders"), topic("orders", cluster="dc2"), topic("payments")]
    t = terminal("top", *config(place))
    t.shows("dc1/orders", "dc2/orders")
    assert not any("/payments" in line for line in t.screen())
    t.send("/dc2\r\r")
    t.shows("dc2  oasis-group")
    t.send("q")
    assert t.end() == 0
    mock.world.documents = [document(1, cluster="dc1"), document(2, cluster="dc2")]
    t = terminal("tail", *config(place), NO_COLOR="1")
    wait_for("both", 5, lambda: b"dc1/orders" in t.read() and b"dc2/orders" in t.raw)
    t.send("\003")
    assert t.end() == 0
    tail = Lines("tail", *config(place), "--cluster", "dc2")
    wait_for("one of them", 5, lambda: len(tail.got) == 1)
    assert json.loads(tail.got[0])["cluster"] == "dc2" and tail.stop() == 0


def test_top_in_a_terminal_that_cannot_move_its_cursor_says_so(terminal, place, mock):
    t = terminal("top", *config(place), TERM="dumb")
    assert t.end() == 1
    assert b"mmlag tail" in t.raw and b"\033" not in t.raw


def test_a_new_size_and_ctrl_l_write_everything_anew_without_leaving_the_screen(terminal, place, mock):
    t = terminal("top", *config(place))
    t.shows("sessions")
    t.send("\014")
    wait_for("a clear screen", 5, lambda: t.read().count(b"\033[2J") == 2)
    t.shows("sessions")
    t.resize(60, 12)
    t.until("the new size", lambda s: len(s) == 12)
    assert t.raw.count(b"\033[?1049h") == 1 and b"\033[?1049l" not in t.raw
    t.send("q")
    assert t.end() == 0


def test_wide_letters_keep_the_columns(terminal, place, mock):
    mock.world.topics = [topic("orders", group="결제-그룹-이름이-아주-깁니다", host="한국.example"), topic("payments", group="g")]
    t = terminal("top", *config(place), columns=140)
    screen = t.until("both", lambda s: len(s) == 16 and any("결제" in line for line in s) and s)
    at = screen[1].index("HOST")
    wide = next(line for line in screen if "결제" in line)
    def columns(text):
        return sum(2 if "\uac00" <= c <= "\ud7a3" else 1 for c in text)
    assert columns(wide[:wide.index("한국")]) == at
    t.resize(20, 8)
    t.until("narrow", lambda s: len(s) == 8 and all(columns(line) <= 20 for line in s))
    t.send("q")
    assert t.end() == 0


def test_top_goes_to_the_background_and_comes_back(terminal, place, mock):
    t = terminal("top", *config(place))
    t.shows("sessions")
    t.process.send_signal(signal.SIGTSTP)
    wait_for("the stop", 5, lambda: open(f"/proc/{t.process.pid}/stat", encoding="utf-8").read().split(")")[1].split()[0] == "T")
    t.read()
    assert termios.tcgetattr(t.side) == t.before and t.raw.endswith(b"\033[?1049l")
    t.process.send_signal(signal.SIGCONT)
    t.until("the table again", lambda s: len(s) == 16 and t.raw.rfind(b"\033[?1049h") > t.raw.rfind(b"\033[?1049l"))
    t.send("q")
    assert t.end() == 0


def test_top_says_that_the_daemon_is_gone_and_goes_on_when_it_is_back(terminal, place, mock):
    t = terminal("top", *config(place))
    t.shows("sessions")
    mock.stop()
    t.until("the loss", lambda s: s and s[0].startswith("no answer since"))
    assert any("sessions" in line for line in t.screen()), "the last figures stay"
    mock.start()
    t.until("the way back", lambda s: s and s[0].startswith("mmlag  2 NODATA"))
    t.send("q")
    assert t.end() == 0


def test_no_color_means_no_colour(terminal, place, mock):
    with_colour, without = terminal("top", *config(place)), terminal("top", *config(place), NO_COLOR="1")
    for t in (with_colour, without):
        t.shows("sessions")
        t.send("q")
        assert t.end() == 0
    paint = re.compile(rb"\033\[[0-9;]+m")
    assert paint.search(with_colour.raw) and not paint.search(without.raw.replace(b"\033[0m\033[?7h", b""))


def test_names_and_messages_cannot_speak_to_the_terminal(terminal, place, mock):
    evil = "\033]0;owned\007\033[2J\u009b31m\u202e"
    mock.world.topics = [topic("a" + evil, group="g" + evil, host=evil), gap("b", "ssh_lost" + evil, evil), topic("x" * 249)]
    mock.world.documents = [{"@timestamp": "2026-11-21T12:00:00.000Z", "topic": "a" + evil, "status": "OK" + evil, "lag_sum": 1}]
    t = terminal("top", *config(place), NO_COLOR="1", columns=200)
    t.shows("a?]0;owned??[2J?31m?", "…")
    t.send("q")
    assert t.end() == 0
    own = re.compile(rb"\033\[(\?(1049|25|7)[hl]|\d+H|2K|J|0m|2J)")
    for raw in (own.sub(b"", t.raw),):
        assert b"\033" not in raw and b"\007" not in raw and b"\xc2\x9b" not in raw and "\u202e".encode() not in raw
    for args in ((), ("--json",)):
        t = terminal("tail", *config(place), *args, NO_COLOR="1")
        wait_for("the document", 5, lambda t=t: b"owned" in t.read())
        t.process.send_signal(signal.SIGTERM)
        assert t.end() == 0
        assert b"\033" not in t.raw and b"\007" not in t.raw and b"\xc2\x9b" not in t.raw


def document(n, **more):
    return {"@timestamp": f"2026-11-21T12:00:{n:02}.000Z", "topic": "orders", "status": "OK", "lag_sum": n, "lag_max": n,
            "lag_max_partition": 0, "produced_per_sec": 0.0, "consumed_per_sec": 41.5, **more}


class Lines:
    """Standard output of a program, line by line."""

    def __init__(self, *args):
        self.process = subprocess.Popen([MMLAG, *args], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        self.got, self.said = [], []
        for stream, to in ((self.process.stdout, self.got), (self.process.stderr, self.said)):
            threading.Thread(target=self.take, args=(stream, to), daemon=True).start()

    @staticmethod
    def take(stream, to):
        for line in stream:
            to.append(line)

    def stop(self):
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(5)


def test_tail_prints_each_document_once_as_it_comes(place, mock):
    mock.world.documents = [document(n) for n in range(15)]
    tail = Lines("tail", *config(place))
    wait_for("the newest ten", 5, lambda: len(tail.got) == 10)
    assert [json.loads(x)["lag_sum"] for x in tail.got] == list(range(5, 15))
    for n in range(15, 18):
        mock.world.document(document(n))
    wait_for("the new ones", 5, lambda: len(tail.got) == 13)
    assert [json.loads(x) for x in tail.got] == [document(n) for n in range(5, 18)]
    assert '"produced_per_sec":0.0' in tail.got[0], "rates keep their decimal point"
    mock.stop()
    wait_for("the loss", 5, lambda: any("no mmlag is running here" in x for x in tail.said))
    mock.world.documents, mock.world.first = [document(40)], 1  # another life counts anew
    mock.start()
    wait_for("the first of the new life", 5, lambda: len(tail.got) == 14)
    assert tail.stop() == 0
    assert sum("again" in x for x in tail.said) == 2 and len(tail.said) == 2


def test_tail_of_one_topic_on_a_terminal_is_a_line_for_a_reader(terminal, place, mock):
    mock.world.documents = [document(1), document(2, topic="other"), document(3, status="ERR", time_lag_ms=900)]
    t = terminal("tail", *config(place), "--topic", "orders", columns=80)
    wait_for("both", 5, lambda: t.read().count(b"\n") == 2)
    assert t.raw.decode().replace("\r", "").splitlines() == [
        "12:00:01 \033[32mOK      \033[0m orders  lag 1, most p0 1, in 0.0/s, out 41.5/s",
        "12:00:03 \033[1;31mERR     \033[0m orders  lag 3, most p0 3, 900ms behind, in 0.0/s, out 41.5/s"]
    t.send("\003")
    assert t.end() == 0


def run(*args, **kw):
    r = subprocess.run([MMLAG, *args], capture_output=True, text=True, timeout=20, check=False, stdin=subprocess.DEVNULL, **kw)
    return r.returncode, r.stdout, r.stderr


@pytest.mark.parametrize("command", ["tail", "top"])
def test_without_a_daemon_a_sentence_says_so(terminal, place, command):
    t = terminal(command, *config(place))
    assert t.end() == 1
    said = t.raw.decode()
    assert f"mmlag {command}: no mmlag is running here" in said and "mmlag run" in said and "--url" in said
    assert "\033" not in said


def test_another_daemon_is_asked_by_its_url_and_token(place):
    world = example()
    world.needs_token = True
    mock = Mock(world)
    try:
        rc, out, err = run("tail", "--url", mock.url + "/")
        assert (rc, out) == (1, "") and "needs a token" in err and "--token-file" in err
        world.document(document(7))
        token = place / "token"
        token.write_text(TOKEN + "\n")
        token.chmod(0o600)
        tail = Lines("tail", "--url", mock.url, "--token-file", str(token))
        wait_for("a document", 5, lambda: tail.got)
        assert tail.stop() == 0
    finally:
        mock.stop()
    rc, out, err = run("tail", "--url", mock.url)
    assert rc == 1 and mock.url in err


def test_top_into_a_pipe_says_that_it_needs_a_terminal(place, mock):
    rc, out, err = run("top", *config(place))
    assert (rc, out) == (1, "") and "needs a terminal" in err and "mmlag tail" in err


def test_a_reader_that_leaves_ends_tail_quietly(place, mock):
    with subprocess.Popen([MMLAG, "tail", *config(place)], stdout=subprocess.PIPE, stderr=subprocess.PIPE) as tail:
        mock.world.document(document(1))
        assert tail.stdout.readline()
        tail.stdout.close()
        mock.world.document(document(2))
        assert tail.wait(5) == -signal.SIGPIPE
        assert tail.stderr.read() == b""


def test_what_a_host_says_cannot_speak_to_the_terminal_through_once(terminal, workplace):
    command = "printf 'Error: Executing consumer group command failed due to \\033]0;owned\\007\\302\\23331m \\177\\n'; exit 1"
    config = workplace.config(topics=[{"name": "orders", "format": "table", "interval": "1s", "command": command}])
    t = terminal("once", "-c", config, NO_COLOR="1")
    wait_for("the end", 30, lambda: t.read() is not None and t.process.poll() is not None)
    piped = workplace.run("once", "-c", config)
    assert piped.returncode == 1 and "owned" in piped.stderr
    for text in (t.read().decode().replace("\r", ""), piped.stderr):
        assert not [c for c in text if c < "\n" or "\n" < c < " " or "\x7f" <= c <= "\x9f"], text


def test_once_on_a_terminal_is_a_table_as_wide_as_the_window(terminal, workplace):
    command = "printf 'TOPIC PARTITION CURRENT-OFFSET LOG-END-OFFSET LAG\\norders 0 5 48216 48211\\norders 1 7 7 0\\n'"
    topics = [{"name": n, "format": "table", "interval": "1s", "command": command} for n in ("orders", "a-topic-that-nobody-has")]
    t = terminal("once", "-c", workplace.config(topics=topics), columns=72)
    wait_for("the end", 30, lambda: t.read() is not None and t.process.poll() is not None)
    t.read()
    assert t.process.returncode == 1, "one has no data"
    lines = [re.sub(r"\033\[[0-9;]*m", "", x) for x in t.raw.decode().replace("\r", "").splitlines()]
    assert lines[0] == "taking a sample of every topic …"
    table = [x for x in lines[1:] if not x.startswith("mmlag once:")]
    assert table[0].split() == ["TOPIC", "STATUS", "PARTS", "LAG", "SUM", "LAG", "MAX"]
    assert all(len(x) <= 72 for x in table)
    rows = {x.split()[0]: x.split()[1:] for x in table[1:]}
    assert rows["orders"] == ["ok", "2", "48,211", "48,211"]
    absent = next(x for x in table if x.startswith("a-topic"))
    assert absent.split()[1:3] == ["NODATA", "topic_absent:"]
