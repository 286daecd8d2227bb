# SPDX-License-Identifier: MIT
"""What a page of lags may look like, by the commands that read it: numbers, words and exit
codes. The far end is made up; live ones are test_neighbours'."""

import base64
import gzip
import os
import signal
import subprocess
import zlib

import pytest

from conftest import MMLAG
from others import Site, mmlag, once, plain, recorded

HIGH = "WARNING: Consumer Lag is too high!\n"
LEFT_OUT = "(nothing committed, or no finite number) and are left out\n"
ONE, TWO_OF_3 = "1 of 2 partitions of group 'g' have no lag ", "2 of 3 partitions of group 'g' have no lag "


@pytest.fixture(scope="module")
def site():
    s = Site()
    yield s
    s.shutdown()
    s.server_close()


def watch(site, answer, *more, group="g"):
    site.answer = answer
    return mmlag("watch", "--exporter", site.url + "/metrics", "--group", group, "--count", "1", *more)


def series(name, value, **labels):
    inner = ",".join(f'{k}="{v}"' for k, v in labels.items())
    return f"{name}{{{inner}}} {value}\n"


def lag(partition, value, topic="a", group="g", **more):
    return series("kafka_consumergroup_lag", value, consumergroup=group, partition=partition, topic=topic, **more)


def offset(partition, value, topic="a"):
    return series("kafka_consumergroup_current_offset", value, consumergroup="g", partition=partition, topic=topic)


def minion(what, value, **more):
    return series("kminion_kafka_consumer_group_" + what, value, group_id="g", topic_name="a", **more)


def exporter(what, value, partition="0", consumer="m-1"):
    return series("kafka_consumergroup_group_" + what, value, cluster_name="c", group="g", topic="a",
                  partition=partition, member_host="h", consumer_id=consumer, client_id="i")


def burrow(what, value, **more):
    return series("burrow_kafka_consumer_" + what, value, cluster="c", consumer_group="g", **more)


def pypi(value, partition="0"):
    return series("kafka_consumer_group_lag", value, group="g", partition=partition, topic="a")


TWO = lag(0, 5) + lag(1, 7, "b")
SAID = {
    # the text format
    "two topics": (TWO, 12),
    "CRLF": (TWO.replace("\n", "\r\n"), 12),
    "no newline at the end": (TWO.rstrip(), 12),
    "time stamps": (lag(0, "5 1395066363000") + lag(1, "7 -3982045"), 12),
    "exponents": (lag(0, "4.259513e+06") + lag(1, "1E2"), 4259613),
    "another order of labels": ('kafka_consumergroup_lag{topic="a",partition="0",consumergroup="g"} 5\n', 5),
    "a comma at the end": ('kafka_consumergroup_lag{topic="a",partition="0",consumergroup="g",} 5\n', 5),
    "blanks": (' kafka_consumergroup_lag { topic = "a" ,\tpartition="0", consumergroup="g" }\t5 \n', 5),
    "an exemplar": (lag(0, '5 # {trace_id="x"} 0.67 1.5') + "# EOF\n", 5),
    "OpenMetrics ends at EOF": (lag(0, 5) + "# EOF\n" + lag(1, 7), 5),
    "a quoted name": ('{"kafka_consumergroup_lag",consumergroup="g",partition="0",topic="a"} 5\n', 5),
    "comments of all kinds": ("#\n# HELP\n#no\n# TYPE kafka_consumergroup_lag odd\n" + lag(0, 5), 5),
    "families in pieces": (lag(0, 5) + "node_cpu 1\n" + lag(1, 7), 12),
    "a series twice": (lag(0, 5) + lag(0, 5), 5),
    "integers beyond a double": (lag(0, 9007199254740993), 9007199254740993),
    "a sum beyond 64 bits": (lag(0, 9223372036854775807) + lag(1, 9223372036854775807), 9223372036854775807),
    "labels of everybody's own": (lag(0, 5, env="prod", instance="x:1"), 5),
    "escapes": (lag(0, 5, x='a\\"b\\\\c\\ne}, {#'), 5),
    "a sign and an exponent": (lag(0, "+1e1"), 10),
    # what is no lag, and what is one
    "zero": (lag(0, 0), 0),
    "NaN": (lag(0, "NaN") + lag(1, 3), 3, ONE + LEFT_OUT),
    "infinities": (lag(0, "+Inf") + lag(1, 3) + lag(2, "-Inf"), 3, TWO_OF_3 + LEFT_OUT),
    "-1 beside an offset of -1": (lag(0, -1) + offset(0, -1) + lag(1, 3) + offset(1, 9), 3, ONE + LEFT_OUT),
    "-1 beside an offset": (lag(0, -1) + offset(0, 10) + lag(1, 3) + offset(1, 9), 2),
    "other negatives": (lag(0, -5) + lag(1, 3), -2),
    "-5 beside an offset of -1": (lag(0, -5) + offset(0, -1) + lag(1, 3), -2),
    "another group beside": (lag(0, 5) + lag(0, 70, group="g2") + lag(0, 7000, group="G"), 5),
    "lags of ZooKeeper's groups": (series("kafka_consumergroupzookeeper_lag_zookeeper", 9, consumergroup="g",
                                          partition=0, topic="a") + lag(0, 5), 5),
    "two clusters": (lag(0, 5, kafka_cluster="x") + lag(0, 7, kafka_cluster="y"), 12),
    "sums beside": (TWO + series("kafka_consumergroup_lag_sum", 5, consumergroup="g", topic="a"), 12),
    "sums alone": (series("kafka_consumergroup_lag_sum", 9, consumergroup="g", topic="a"), 9),
    # the dialects
    "kafka_exporter": (recorded("kafka_exporter-1.9.0"), 141, "2 of 43 partitions of group 'oasis-group' have no lag "),
    "Burrow": (recorded("burrow-1.9.5"), 59),
    "Burrow by its sums": (burrow("lag_total", 9) + burrow("status", 1), 9),
    "Burrow, sums beside": (burrow("partition_lag", 4, topic="a", partition="0") + burrow("lag_total", 9), 4),
    "kminion": (minion("topic_partition_lag", 12, partition_id="0") + minion("topic_lag", 12), 12),
    "kminion by topics": (minion("topic_lag", 12), 12),
    "kminion, named otherwise": (minion("topic_partition_lag", 12, partition_id="0")[len("kminion_"):], 12),
    "kafka-lag-exporter": (exporter("lag", "7.0") + exporter("lag_seconds", "99.0") + exporter("max_lag", "7.0"), 7),
    "kafka-lag-exporter, never committed": (exporter("lag", "NaN") + exporter("lag", "7.0", "1"), 7, "1 of 2 "),
    "kafka-lag-exporter, -1": (exporter("lag", "-1.0") + exporter("lag", "7.0", "1"), 6),
    "PyPI's exporter": (pypi("10.0") + series("kafka_consumer_group_exporter_offset", "3.0", partition="0"), 10),
    "PyPI's exporter, -1": (pypi("-1.0") + pypi("3.0", "1"), 2),
    "two exporters on one page": (TWO + pypi("9.0"), 12),
}


@pytest.mark.parametrize("name", SAID)
def test_a_page_gives_the_lag_of_a_group(site, name):
    page, total, *words = SAID[name]
    group = "oasis-group" if name in ("kafka_exporter", "Burrow") else "g"
    run = watch(site, plain(page), group=group)
    assert run.stdout == f"Current Lag for {group}: {total}\n" + (HIGH if total >= 100 else "")
    assert run.returncode == (1 if total >= 100 else 0)
    assert run.stderr.count("\n") == len(words)
    for w in words:
        assert run.stderr.startswith("mmlag watch: " + w)


NO_DATA = {
    "another group": (lag(0, 5, group="h") + lag(0, 5, group="i"),
                      "group 'g' is not on the page of kafka_exporter; there are 'h', 'i'"),
    "nothing": ("", "no consumer group's lag is on the page"),
    "other metrics": ("node_cpu_seconds_total 1\n", "no consumer group's lag is on the page"),
    "an empty group": (series("kafka_consumergroup_members", 0, consumergroup="g"), "but without any lag"),
    "nothing committed": (lag(0, -1) + offset(0, -1), "but without any lag"),
    "only NaN": (lag(0, "NaN"), "but without any lag"),
    "two numbers": (lag(0, 5) + lag(0, 6), "two different numbers for partition 0 of a"),
    "HTML": ("<html>\n", "line 1 of the page: there is no metric's name: '<html>'; is this the address of a"),
    "words": (lag(0, 5) + "hello world\n", "line 2 of the page: there is no number: 'hello world'"),
    "half a line": (lag(0, 5) + lag(1, 6)[:30], "line 2 of the page: "),
    "hexadecimal": (lag(0, "0x10"), "line 1 of the page: there is no number"),
    "NUL": (lag(0, 5) + "\0\n", "line 2 of the page"),
    "escape codes": ("\x1b[31mred\n", "'?[31mred'"),
    "a line without end": ("a" * (2 << 20), "line 1 of the page is longer than 1 MiB\n"),
}


@pytest.mark.parametrize("name", NO_DATA)
def test_a_page_without_the_group_is_no_data_and_no_zero(site, name):
    page, words = NO_DATA[name]
    run = watch(site, plain(page))
    assert (run.returncode, run.stdout) == (2, "")
    assert words in run.stderr


def test_the_group_may_have_any_name(site):
    run = watch(site, plain(lag(0, 5, group='a\\"b\\\\c d')), group='a"b\\c d')
    assert (run.returncode, run.stdout) == (0, 'Current Lag for a"b\\c d: 5\n')


def test_the_threshold_itself_warns(site):
    for value, code, more in ((99, 0, ""), (100, 1, HIGH), (101, 1, HIGH)):
        run = watch(site, plain(lag(0, value)))
        assert (run.returncode, run.stdout) == (code, f"Current Lag for g: {value}\n" + more)
    assert watch(site, plain(lag(0, 5)), "--threshold", "5").returncode == 1
    assert watch(site, plain(lag(0, -1) + offset(0, 3)), "--threshold", "-1").returncode == 1


def test_it_goes_on_through_errors_and_its_last_state_counts(site):
    steps = [plain("busy", 503), plain(lag(0, 5)), plain("<html>\n"), plain(lag(0, 200))]
    site.answer = lambda h: (steps.pop(0) if len(steps) > 1 else steps[0])(h)
    with subprocess.Popen([MMLAG, "watch", "--exporter", site.url, "--group", "g", "--interval", "10ms"],
                          stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as run:
        said = [run.stdout.readline() for _ in range(3)]
        run.send_signal(signal.SIGTERM)
        errors = run.stderr.read().splitlines()
        assert run.wait(30) == 1
    assert said == ["Current Lag for g: 5\n", "Current Lag for g: 200\n", HIGH]
    assert ["answers 503: busy" in errors[0], "no metric's name" in errors[1], len(errors)] == [True, True, 2]


def test_with_a_count_the_first_error_ends_it(site):
    site.answer = plain(lag(0, 5))
    run = mmlag("watch", "--exporter", site.url, "--group", "g", "--interval", "10ms", "--count", "3")
    assert (run.returncode, run.stdout) == (0, 3 * "Current Lag for g: 5\n")
    site.answer = plain("", 503)
    run = mmlag("watch", "--exporter", site.url, "--group", "g", "--interval", "10ms", "--count", "3")
    assert run.returncode == 69 and run.stderr.count("answers 503") == 1


def chunks(body, size, end=b"0\r\n\r\n"):
    for i in range(0, len(body), size):
        piece = body[i:i + size]
        yield b"%x\r\n%s\r\n" % (len(piece), piece)
    yield end


PAGE = (TWO * 50).encode()
PACKED = gzip.compress(PAGE)
CLOSED = {"Connection": "close"}
WAYS = {
    "gzip": ({"Content-Encoding": "gzip", "Content-Length": str(len(PACKED))}, [PACKED], 0, ""),
    "gzip, its end that of the connection": ({"Content-Encoding": "gzip", **CLOSED}, [PACKED], 0, ""),
    "chunked": ({"Transfer-Encoding": "chunked"}, chunks(PAGE, 7), 0, ""),
    "chunked gzip": ({"Transfer-Encoding": "chunked", "Content-Encoding": "gzip"}, chunks(PACKED, 7), 0, ""),
    "until the connection ends": (CLOSED, [PAGE], 0, ""),
    "half a gzip": ({"Content-Encoding": "gzip", "Content-Length": str(len(PACKED) - 9)}, [PACKED[:-9]],
                    69, "the packed answer is cut off"),
    "zlib": ({"Content-Encoding": "deflate", "Content-Length": str(len(zlib.compress(PAGE)))},
             [zlib.compress(PAGE)], 0, ""),
    "OpenMetrics": ({"Content-Type": "application/openmetrics-text; version=1.0.0", **CLOSED},
                    [PAGE, b"# EOF\n"], 0, ""),
    "no gzip": ({"Content-Encoding": "gzip", "Content-Length": "5"}, [b"a 1\n\n"],
                69, "the answer is not packed as its headers say (gzip)"),
    "packed otherwise": ({"Content-Encoding": "br", "Content-Length": "5"}, [b"xxxxx"],
                         69, "packed in a way that was not asked for (br)"),
    "less than announced": ({"Content-Length": str(len(PAGE)), **CLOSED}, [PAGE[:-10]], 69, ""),
    "chunks that end early": ({"Transfer-Encoding": "chunked", **CLOSED}, chunks(PAGE, 7, b""), 69, ""),
    "cut off in a line": (CLOSED, [PAGE[:-10]], 2, "the page is cut off in line 100\n"),
}


@pytest.mark.parametrize("name", WAYS)
def test_half_a_page_is_none_however_it_came(site, name):
    headers, body, code, words = WAYS[name]
    run = watch(site, lambda _: (200, headers, body))
    assert (run.returncode, run.stdout) == (code, "" if code else "Current Lag for g: 12\n")
    assert words in run.stderr


REFUSALS = {
    401: ("nope\n", "answers 401: nope\n"),
    403: ("", "answers 403\n"),
    404: ("404 page not found\n", "answers 404: 404 page not found; pages often end in /metrics\n"),
    204: ("", "answers 204\n"),
    302: ("", "answers 302\n"),
    500: ("An error has occurred:\n\n2 error(s)\r\n", "answers 500: An error has occurred: 2 error(s)\n"),
    502: ("<html>\n<h1>Bad\x1b[0m</h1>\n", "answers 502: <html> <h1>Bad?[0m</h1>\n"),
}


@pytest.mark.parametrize("status", REFUSALS)
def test_what_is_not_200_is_said_in_its_own_words(site, status):
    body, words = REFUSALS[status]
    headers = {} if status == 204 else {"Content-Length": str(len(body))}
    run = watch(site, lambda _: (status, headers, [body.encode()]))
    assert (run.returncode, run.stdout) == (69, "")
    assert run.stderr == f"mmlag watch: {site.url}/metrics {words}"


def test_who_asks_is_told_by_password_or_token(site, tmp_path):
    for name, text in (("password", "pä:ss\n"), ("token", "t0ken\n")):
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o600)

    def guarded(wanted):
        return lambda h: plain(TWO)(h) if h.headers["Authorization"] == wanted else plain("who?", 401)(h)

    basic = guarded("Basic " + base64.b64encode("me:pä:ss".encode()).decode())
    assert watch(site, basic, "--user", "me", "--password-file", str(tmp_path / "password")).returncode == 0
    assert watch(site, guarded("Bearer t0ken"), "--token-file", str(tmp_path / "token")).returncode == 0
    assert watch(site, basic).returncode == 69


def test_a_page_of_50_mb_is_read_in_the_memory_of_a_small_one(site):
    filler = b"".join(b'kafka_topic_partition_current_offset{partition="%d",topic="t%d"} 5\n' % (i % 50, i // 50)
                      for i in range(15000))

    def peak(pieces):
        site.answer = lambda _: (200, CLOSED, pieces)
        pid = os.posix_spawn(MMLAG, [MMLAG, "watch", "--exporter", site.url, "--group", "g", "--count", "1"],
                             os.environ, file_actions=[(os.POSIX_SPAWN_OPEN, 1, "/dev/null", os.O_WRONLY, 0)])
        _, status, used = os.wait4(pid, 0)
        assert os.waitstatus_to_exitcode(status) == 0
        return used.ru_maxrss
    pieces = [filler] * ((50 << 20) // len(filler) + 1) + [PAGE]
    assert sum(map(len, pieces)) > 50 << 20
    assert peak(pieces) < peak([PAGE]) + 8192  # KiB


ONCE = {
    "lags": (lag(0, 5) + lag(2, 7) + lag(0, 9, "b"), {"p0": 5, "p2": 7, "lag_sum": 12, "partitions": 2}),
    "offset of -1": (lag(0, -1) + offset(0, -1) + lag(1, 3) + offset(1, 4),
                     {"p0": None, "p1": 3, "lag_sum": 3, "partitions": 2}),
    "nothing committed": (lag(0, -1) + offset(0, -1), {"p0": None, "lag_sum": None, "lag_max": None}),
    "negative": (lag(0, -4) + offset(0, 10), {"p0": -4, "lag_sum": -4}),
    "NaN": (lag(0, "NaN") + lag(1, "1e3"), {"p0": None, "p1": 1000}),
    "members": (lag(0, 5) + series("kafka_consumergroup_members", 3, consumergroup="g"), {"p0": 5, "members": 3}),
    "an empty group": (lag(0, 5) + series("kafka_consumergroup_members", 0, consumergroup="g"),
                       {"p0": 5, "members": 0, "group_state": "empty"}),
    "a topic less": (lag(0, 5, "b"), {"reason": "topic_absent"}),
    "a group less": (lag(0, 5, group="h"), {"reason": "group_not_found"}),
    "another page": ("node_cpu 1\n", {"reason": "source_error"}),
    "HTML": ("<html>\n", {"reason": "source_error"}),
    "two numbers": (lag(0, 5) + lag(0, 6), {"reason": "source_error"}),
    "two clusters": (lag(0, 5, kafka_cluster="x") + lag(0, 6, kafka_cluster="y"), {"reason": "source_error"}),
}


@pytest.mark.parametrize("name", ONCE)
def test_a_page_becomes_a_document_or_a_gap_with_its_reason(site, tmp_path, name):
    page, wanted = ONCE[name]
    code, document = once(site, tmp_path, plain(page))
    assert {k: document[k] for k in wanted} == wanted
    assert code == (1 if "reason" in wanted else 0)
    assert ("p0" in document) == ("reason" not in wanted)
    assert document["host"] == "127.0.0.1"


DIALECTS = {
    "kafka_exporter": (recorded("kafka_exporter-1.9.0"), "payments",
                       {"p0": 3, "p1": 0, "p2": 0, "p3": 13, "p4": 12, "p5": 1, "lag_sum": 29, "members": 4}),
    "kafka_exporter, never committed": (recorded("kafka_exporter-1.9.0"), "fresh",
                                        {"p0": None, "p1": 0, "p2": None, "p3": 0, "lag_sum": 0, "partitions": 4}),
    "Burrow": (recorded("burrow-1.9.5"), "payments",
               {"p0": 0, "p1": 0, "p2": 3, "p3": 2, "p4": 0, "p5": 4, "lag_sum": 9}),
    "kminion": (minion("topic_partition_lag", 12, partition_id="3")
                + series("kminion_kafka_consumer_group_info", 1, group_id="g", state="Stable")
                + series("kminion_kafka_consumer_group_members", 2, group_id="g"), "a",
                {"p3": 12, "lag_sum": 12, "group_state": "stable", "members": 2}),
    "kafka-lag-exporter": (exporter("lag", "7.0") + exporter("lag", "NaN", "1", "m-2"), "a",
                           {"p0": 7, "p1": None, "lag_sum": 7, "members": 2}),
    "PyPI's exporter": (pypi("10.0") + pypi("-3.0", "2"), "a", {"p0": 10, "p2": -3, "lag_sum": 7}),
}


@pytest.mark.parametrize("name", DIALECTS)
def test_a_page_of_every_dialect_becomes_a_document(site, tmp_path, name):
    page, topic, wanted = DIALECTS[name]
    group = "oasis-group" if topic != "a" else "g"
    code, document = once(site, tmp_path, plain(page), topic, group=group)
    assert code == 0
    assert {k: document.get(k, "absent") for k in wanted} == wanted
    assert {k for k in document if k[0] == "p" and k[1:].isdigit()} == {k for k in wanted if k[1:].isdigit()}


def test_a_scrape_that_fails_is_a_gap_and_its_reason_says_why(site, tmp_path):
    for answer, words in ((plain("nope\n", 401), "answers 401: nope"), (plain(""), "no consumer group's lag"),
                          (lambda _: (200, CLOSED, [PAGE[:-10]]), "the page is cut off in line 100"),
                          (lambda _: (200, *WAYS["half a gzip"][:2]), "the packed answer is cut off")):
        code, document = once(site, tmp_path, answer)
        assert (code, document["status"], document["reason"]) == (1, "NODATA", "source_error")
        assert words in document["message"]
