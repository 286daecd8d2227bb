# SPDX-License-Identifier: MIT
"""watch and brokers before a scripted server: pages and answers of every shape, and the
exit code and words that each one gets."""

import csv
import gzip
import http.server
import io
import json
import subprocess
import threading
import zlib

import pytest

from conftest import MMLAG


class Peer(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = (200, {}, b"")
        self.asked = []
        threading.Thread(target=self.serve_forever, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.server_address[1]}"


class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        status, headers, body = self.server.answer
        self.server.asked.append(self.path)
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


@pytest.fixture(scope="module")
def peer():
    server = Peer()
    yield server
    server.shutdown()


def mmlag(*args):
    return subprocess.run([MMLAG, *args], capture_output=True, text=True, timeout=60, check=False)


# --- watch ---

def lag(value, partition=0, name="kafka_consumergroup_lag"):
    return f'{name}{{consumergroup="g",partition="{partition}",topic="t"}} {value}\n'


def offset(value, partition=0):
    return lag(value, partition, "kafka_consumergroup_current_offset")


OPENMETRICS = {"Content-Type": "application/openmetrics-text; version=1.0.0"}
PAGES = [
    # label, page, exit code, stdout's number, words on stderr
    ("plain", lag(5), 0, 5, ""),
    ("no final newline", lag(5).rstrip(), 0, 5, ""),
    ("CRLF", (lag(5) + lag(6, 1)).replace("\n", "\r\n"), 0, 11, ""),
    ("a sign and an exponent", lag("+1e1"), 0, 10, ""),
    ("scientific", lag("4.259513e+06"), 1, 4259513, ""),
    ("hexadecimal is no number", lag("0x10"), 2, None, "there is no number"),
    ("NaN", lag("NaN"), 2, None, "without any lag"),
    ("Inf beside a number", lag("+Inf") + lag(3, 1), 0, 3, "1 of 2 partitions"),
    ("a time stamp", lag("5 1395066363000"), 0, 5, ""),
    ("labels in another order", 'kafka_consumergroup_lag{topic="t",partition="0",consumergroup="g"} 5\n', 0, 5, ""),
    ("blanks, and a last comma", 'kafka_consumergroup_lag { consumergroup = "g" , partition="0", topic="t" , }  5 \n', 0, 5, ""),
    ("escapes", 'kafka_consumergroup_lag{consumergroup="g",partition="0",topic="t",x="a\\"b\\\\c\\ne}"} 5\n', 0, 5, ""),
    ("quoted names", '{"kafka_consumergroup_lag",consumergroup="g",partition="0",topic="t","a.b"="c"} 5\n', 0, 5, ""),
    ("comments of no known kind", "#\n# TYPE kafka_consumergroup_lag untyped\n# some words\n\n" + lag(5), 0, 5, ""),
    ("the same twice", lag(5) + lag(5), 0, 5, ""),
    ("twice, not the same", lag(5) + lag(7), 2, None, "two different numbers"),
    ("-1 beside an offset of -1", lag(-1) + offset(-1) + lag(4, 1) + offset(9, 1), 0, 4, "1 of 2 partitions"),
    ("-1 beside an offset", lag(-1) + offset(7) + lag(4, 1), 0, 3, ""),
    ("another negative", lag(-7) + lag(4, 1), 0, -3, ""),
    ("nothing but -1", lag(-1) + offset(-1), 2, None, "without any lag"),
    ("sums alone", 'kafka_consumergroup_lag_sum{consumergroup="g",topic="t"} 5\n', 0, 5, ""),
    ("at the threshold", lag(100), 1, 100, ""),
    ("below the threshold", lag(99), 0, 99, ""),
    ("another group", lag(5).replace('"g"', '"h"'), 2, None, "there are 'h'"),
    ("another program", "go_goroutines 5\n", 2, None, "none of kafka_exporter"),
    ("nothing", "", 2, None, "none of kafka_exporter"),
    ("half a line", lag(5) + lag(6, 1)[:30], 2, None, "line 2"),
    ("a page for people", "<html><body>hello</body></html>", 2, None, "metrics page"),
]


@pytest.mark.parametrize("page,code,number,words", [p[1:] for p in PAGES], ids=[p[0] for p in PAGES])
def test_a_page_has_its_exit_code_and_words(peer, page, code, number, words):
    peer.answer = (200, {"Content-Type": "text/plain; version=0.0.4"}, page.encode())
    run = mmlag("watch", "--exporter", peer.url + "/metrics", "--group", "g", "--count", "1")
    assert run.returncode == code, run.stderr
    told = f"Current Lag for g: {number}\n" if number is not None else ""
    assert run.stdout == told + ("WARNING: Consumer Lag is too high!\n" if code == 1 else "")
    assert words in run.stderr and (words or not run.stderr)


@pytest.mark.parametrize("status,headers,body,code", [
    (200, {"Content-Encoding": "gzip"}, gzip.compress(lag(5).encode()), 0),
    (200, {"Content-Encoding": "deflate"}, zlib.compress(lag(5).encode()), 0),
    (200, {"Content-Encoding": "gzip"}, b"\x1f\x8b\x08garbage", 69),
    (200, OPENMETRICS, (lag("5 # {trace_id=\"a b\"} 0.67 1.5") + "# EOF\n").encode(), 0),
    (404, {}, b"not here", 69), (401, {}, b"", 69), (503, {}, b"busy", 69),
    (302, {"Location": "/elsewhere"}, b"", 69)])
def test_an_answer_that_is_no_plain_page(peer, status, headers, body, code):
    peer.answer = (status, headers, body)
    run = mmlag("watch", "--exporter", peer.url + "/metrics", "--group", "g", "--count", "1")
    assert run.returncode == code, run.stderr
    assert run.stdout == ("Current Lag for g: 5\n" if code == 0 else "")
    assert code == 0 or run.stderr


# --- brokers ---

def vector(*series):
    return {"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": m, "value": [1795255200.1, v]} for m, v in series]}}


def at(instance, topic=None):
    return {"instance": instance, **({"topic": topic} if topic else {})}


def brokers(peer, body, *args, status=200):
    peer.answer = (status, {"Content-Type": "application/json"},
                   (body if isinstance(body, str) else json.dumps(body)).encode())
    return mmlag("brokers", "--prometheus", peer.url, *args)


MIXED = vector((at("a"), "200"), (at("a", "x"), "150"), (at("a", "y"), "50"), (at("b"), "130"))


@pytest.mark.parametrize("by,rows", [
    ("instance", ["a,,200.0", "b,,130.0"]), ("topic", [",,130.0", ",x,150.0", ",y,50.0"]),
    ("instance,topic", ["a,x,150.0", "a,y,50.0", "b,,130.0"])])
def test_a_total_beside_its_parts_counts_once(peer, by, rows):
    run = brokers(peer, MIXED, "--by", by, "--csv")
    assert run.returncode == 0 and run.stdout.splitlines() == ["instance,topic,rate", *rows]
    got = json.loads(brokers(peer, MIXED, "--by", by, "--json").stdout)
    assert [got[k] for k in ("brokers", "total", "mean", "min", "max")] == [2, 330, 165, 130, 200]


def test_what_is_no_number_is_said_as_what_it_is(peer):
    odd = vector((at("a"), "NaN"), (at("b"), "+Inf"), (at("c"), "-Inf"), (at("d"), "150"))
    run = brokers(peer, odd)
    assert run.returncode == 0
    assert [line.split()[-1] for line in run.stdout.splitlines()[1:5]] == ["NaN", "+Inf", "-Inf", "150.0"]
    assert "3 rates are not finite (1 NaN, 1 +Inf, 1 -Inf)" in run.stdout
    run = brokers(peer, vector((at("a"), "NaN"), (at("b"), "+Inf")))
    assert run.returncode == 2 and "1 NaN, 1 +Inf" in run.stderr


@pytest.mark.parametrize("body,status,code,words", [
    (vector(), 200, 2, "no series"),
    ({"status": "error", "errorType": "bad_data", "error": "parse error at char 5"}, 400, 65, "parse error at char 5"),
    ({"status": "error", "errorType": "execution", "error": "too many samples"}, 422, 65, "too many samples"),
    ({"status": "error", "errorType": "timeout", "error": "timed out"}, 503, 65, "503"),
    ({"status": "error", "errorType": "odd", "error": "in a 200"}, 200, 65, "in a 200"),
    ("<html>502 Bad Gateway</html>", 502, 65, "Bad Gateway"), ("<html>log in</html>", 200, 65, "no JSON"),
    ("", 200, 65, "no JSON"), ("", 500, 65, "500"), ('{"status":"success"', 200, 65, "no JSON"),
    ({"status": "success", "data": {"resultType": "string", "result": [1, "x"]}}, 200, 65, "a text"),
    ({"status": "success", "data": {"resultType": "vector", "result": [
        {"metric": at("a"), "histogram": [1, {"count": "5", "sum": "6"}]}]}}, 200, 65, "histogram"),
    ({**vector((at("a"), "150")), "warnings": ["a partial answer"]}, 200, 0, "a partial answer"),
    (vector((at("a"), "99")), 200, 1, "")])
def test_an_answer_has_its_exit_code_and_words(peer, body, status, code, words):
    run = brokers(peer, body, status=status)
    assert run.returncode == code, run.stderr
    assert words in run.stderr


def test_labels_of_strangers_cannot_forge_a_line_or_speak_to_the_terminal(peer):
    evil = "b\x1b]0;owned\x07\u009b31m\nWARNING: forged\x7f"
    body = {**vector((at(evil, evil), "1000"), *((at(f"b{i}"), "1") for i in range(4))), "warnings": [evil]}
    run = brokers(peer, body)
    assert run.returncode == 1 and len(run.stdout.splitlines()) == 1 + 5 + 2, run.stdout
    assert run.stdout.splitlines()[-1].startswith("WARNING: b?]0;owned???31m?WARNING: forged?: 1000.0 is ")
    for text in (run.stdout, run.stderr, brokers(peer, body, "--csv").stderr):
        assert not [c for c in text if c < "\n" or "\n" < c < " " or "\x7f" <= c <= "\x9f"], text
        assert not [line for line in text.splitlines() if line.startswith("WARNING: forged")]
    got = json.loads(brokers(peer, body, "--json").stdout)
    assert got["series"][0]["instance"] == evil and len(got["warnings"]) == 1, "programs get the label as it is"
    rows = list(csv.reader(io.StringIO(brokers(peer, body, "--csv").stdout, newline="")))
    assert rows[1] == [evil, evil, "1000.0"]


@pytest.mark.parametrize("given,asked", [
    ("2026-11-21T10:00:00Z", "1795255200.000"), ("2026-11-21T10:00:00.123Z", "1795255200.123"),
    ("2026-11-21T10:00:00+09:00", "1795222800.000"), ("1795255200.5", "1795255200.500"),
    ("2026-11-21", None), ("yesterday", None), ("5m", None), ("2026-13-01T00:00:00Z", None), ("", None)])
def test_a_time_is_understood_or_refused(peer, given, asked):
    peer.asked.clear()
    run = brokers(peer, vector((at("a"), "150")), "--at", given)
    if asked:
        assert run.returncode == 0 and peer.asked[0].endswith("&time=" + asked)
    else:
        assert run.returncode == 64 and peer.asked == []
